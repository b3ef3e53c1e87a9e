"""Measuring on the film."""
