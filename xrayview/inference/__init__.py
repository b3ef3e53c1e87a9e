"""Model bundle and model input in; prediction and heat map out. Runs in the model worker."""
