"""The tags of the film on screen: tree, search, copy."""
