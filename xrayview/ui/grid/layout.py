"""How many films are side by side: one table, for the keys, the buttons and the settings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """A grid of equal views."""

    rows: int
    columns: int

    @property
    def count(self) -> int:
        """Views that it shows."""
        return self.rows * self.columns


LAYOUTS: dict[str, Layout] = {"1x1": Layout(1, 1), "1x2": Layout(1, 2), "2x2": Layout(2, 2)}
"""By name, rows first: 1x2 is two films beside each other."""
FIRST_LAYOUT = "1x1"
