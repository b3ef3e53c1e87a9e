"""The settings dialog, built from the settings table, with the editor of the keys."""
