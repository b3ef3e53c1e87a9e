"""From model bundle and model input to prediction and heat map; runs in the model worker."""
