"""The tags of the displayed film: tree, search, copy."""
