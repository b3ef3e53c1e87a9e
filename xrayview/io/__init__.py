"""Reading and writing of all files: films, tables, models, pictures."""
