"""Proposals for a recipe: what a folder of films suggests."""
