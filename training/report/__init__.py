"""A model's report: one self-contained HTML page."""
