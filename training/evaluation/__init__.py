"""A bundle evaluated on labelled films."""
