"""THE preprocessing: a film becomes a model's input here and nowhere else."""
