"""The only preprocessing: how a film becomes a model's input."""
