"""Architectures, initial weights and layer freezing."""
