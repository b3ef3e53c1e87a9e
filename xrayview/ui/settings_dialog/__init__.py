"""The settings as a dialog, made from their table; and the editor of the keys."""
