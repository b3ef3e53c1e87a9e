"""Predictions, measurements and stars as files."""
