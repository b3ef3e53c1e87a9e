"""From trained weights to a model bundle."""
