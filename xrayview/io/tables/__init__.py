"""Predictions, measurements and stars on disk."""
