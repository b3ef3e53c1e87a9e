"""What a blinded session does not allow."""

from __future__ import annotations

HIDDEN_ACTIONS = frozenset(
    {
        "classify", "classify_folder", "heat_map", "heat_finding", "tags", "pipeline", "find",
        "measurements", "export_measurements", "hide_identity", "prior_beside", "tag_table",
        "export_folder", "save_figure", "deidentify", "second_window", "pin_film", "maximise",
        "previous_film", "next_film", "previous_series", "next_series", "first_film", "last_film",
    }
)  # fmt: skip
"""Actions that would show scores, names, or films out of their order."""
BLOCKED = "Not in a blinded reading session"
