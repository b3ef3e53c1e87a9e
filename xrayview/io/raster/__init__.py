"""PNG, JPEG and TIFF films."""
