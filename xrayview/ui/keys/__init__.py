"""Keyboard shortcuts: the table, the bindings and where they are shown."""
