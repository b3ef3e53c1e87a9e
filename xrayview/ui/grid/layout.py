"""The layouts of the grid: one table for keys, buttons and settings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """A grid of equal views."""

    rows: int
    columns: int

    @property
    def count(self) -> int:
        """Number of views."""
        return self.rows * self.columns


LAYOUTS: dict[str, Layout] = {"1x1": Layout(1, 1), "1x2": Layout(1, 2), "2x2": Layout(2, 2)}
"""By name, rows first: 1x2 is two films side by side."""
FIRST_LAYOUT = "1x1"
