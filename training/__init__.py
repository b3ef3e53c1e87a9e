"""Training: labelled films in, model bundles and reports out."""
