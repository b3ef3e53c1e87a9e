"""Bottom panel: the progress of a folder classification and the table of its results."""
