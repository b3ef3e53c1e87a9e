"""The steps from the displayed film's stored values to grey, and its spacing."""
