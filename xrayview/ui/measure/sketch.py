"""A drawing on its way: which gestures put which points; plain values in and out."""

from __future__ import annotations

from xrayview.domain.measurement import POINTS, Mark
from xrayview.domain.radiograph import Point
from xrayview.ui.measure.tools import MeasureTool


class Sketch:
    """Points that are fixed, and one that follows the pointer.

    Every line may be dragged from end to end, or clicked end by end.
    """

    def __init__(self, tool: MeasureTool) -> None:
        self.tool = tool
        self.fixed: tuple[Point, ...] = ()
        self._following: Point | None = None
        self._begun_here = False

    @property
    def kind(self) -> Mark:
        return self.tool.draws

    @property
    def points(self) -> tuple[Point, ...]:
        """All there are, the one under the pointer last."""
        return self.fixed if self._following is None else (*self.fixed, self._following)

    @property
    def complete(self) -> bool:
        """True when no further point is possible."""
        return len(self.fixed) == self.tool.most_points

    def press(self, point: Point) -> None:
        self._begun_here = self._following is None
        if self._begun_here:
            self.fixed = (*self.fixed, point)
        if not self.complete:
            self._following = point

    def hover(self, point: Point) -> None:
        if self._following is not None:
            self._following = point

    def release(self, point: Point, *, dragged: bool) -> None:
        """`dragged`: the pointer has moved since the press."""
        if self._following is None or (self._begun_here and not dragged):
            return  # a click: the next point follows the pointer until it is clicked too
        self.fixed = (*self.fixed, point)
        new_line = len(self.fixed) in self.tool.starts
        self._following = None if self.complete or new_line else point
        self._begun_here = False

    def close(self) -> bool:
        """End a drawing of any number of points; False where it has too few."""
        self._following = None
        return len(self.fixed) >= POINTS[self.kind][0]
