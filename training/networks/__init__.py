"""Architectures, initial weights and what is frozen."""
