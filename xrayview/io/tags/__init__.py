"""The attributes of a DICOM file, as a tree and as a table."""
