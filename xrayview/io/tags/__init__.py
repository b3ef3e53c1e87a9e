"""DICOM attributes as a tree and as a table."""
