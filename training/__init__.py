"""Labelled films in; model bundles and reports out."""
