"""The subcommands of `python -m training`: their options, and the functions that run them.

Modules that need torch are imported when a command runs: `list` and `--help` answer without it.
"""
