"""DICOM files: header, pixels, grey-scale attributes."""
