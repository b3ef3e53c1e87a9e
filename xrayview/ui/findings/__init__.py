"""Right panel: whether the film is in the model's scope, its scores, and the heat map."""
