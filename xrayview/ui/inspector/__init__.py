"""How the film on screen became grey: its steps, and its spacing."""
