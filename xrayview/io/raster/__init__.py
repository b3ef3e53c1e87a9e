"""Raster films: PNG, JPEG, TIFF."""
