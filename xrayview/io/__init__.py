"""Files in, files out: every format the app reads or writes."""
