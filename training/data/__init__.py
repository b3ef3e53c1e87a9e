"""Labelled films: readers, splits, cache, augmentation."""
