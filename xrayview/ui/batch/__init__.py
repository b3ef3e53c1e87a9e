"""Bottom: the batch as it runs, and the table of its rows."""
