"""Model bundles and model cards."""
