"""De-identified copies of DICOM films."""
