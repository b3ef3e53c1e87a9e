"""A drawing in progress: which gesture adds which point; plain values in and out."""

from __future__ import annotations

from xrayview.domain.measurement import POINTS, Mark
from xrayview.domain.radiograph import Point
from xrayview.ui.measure.tools import MeasureTool


class Sketch:
    """The fixed points of a drawing, and one that follows the pointer.

    Each line may be dragged from end to end, or drawn by clicking both ends.
    """

    def __init__(self, tool: MeasureTool) -> None:
        self.tool = tool
        self.fixed: tuple[Point, ...] = ()
        self._floating: Point | None = None
        self._started_by_press = False

    @property
    def kind(self) -> Mark:
        return self.tool.mark

    @property
    def points(self) -> tuple[Point, ...]:
        """All points; the one that follows the pointer comes last."""
        return self.fixed if self._floating is None else (*self.fixed, self._floating)

    @property
    def is_complete(self) -> bool:
        """Whether the drawing has as many points as it can."""
        return len(self.fixed) == self.tool.most_points

    def press(self, point: Point) -> None:
        self._started_by_press = self._floating is None
        if self._started_by_press:
            self.fixed = (*self.fixed, point)
        if not self.is_complete:
            self._floating = point

    def hover(self, point: Point) -> None:
        if self._floating is not None:
            self._floating = point

    def release(self, point: Point, *, dragged: bool) -> None:
        """Add a point; `dragged` means that the pointer has moved since the press."""
        if self._floating is None or (self._started_by_press and not dragged):
            return  # a click: the next point follows the pointer until the next click
        self.fixed = (*self.fixed, point)
        new_line = len(self.fixed) in self.tool.line_starts
        self._floating = None if self.is_complete or new_line else point
        self._started_by_press = False

    def close(self) -> bool:
        """End the drawing; return False where it has too few points."""
        self._floating = None
        return len(self.fixed) >= POINTS[self.kind][0]
