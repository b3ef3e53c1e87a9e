"""Measuring and annotating on the film."""
