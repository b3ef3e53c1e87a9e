"""Work on whole folders: classification, pictures, tables, de-identified copies."""
