"""Processes: decoding and inference are isolated from the window here."""
