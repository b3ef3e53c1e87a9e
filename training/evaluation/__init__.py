"""Evaluation of a bundle on labelled films."""
