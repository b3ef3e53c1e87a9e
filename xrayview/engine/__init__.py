"""Worker processes that isolate decoding and inference from the window."""
