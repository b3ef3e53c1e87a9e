"""A folder in; events, rows and a journal out."""
