"""Dialogs that export figures, pictures, de-identified copies and tables."""
