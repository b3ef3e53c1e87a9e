"""Metrics of predictions against labels, with intervals."""
