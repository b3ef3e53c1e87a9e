"""The self-test: what an installation must do on any computer, checked with its own files."""
