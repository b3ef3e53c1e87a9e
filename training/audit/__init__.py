"""The shortcut audit: how much of a task can be solved without the lungs."""
