"""The measuring tools: one table that fills the menu, the key table's names and the hand."""

from __future__ import annotations

from dataclasses import dataclass

from xrayview.domain.measurement import POINTS, Mark


@dataclass(frozen=True)
class MeasureTool:
    """One tool: its name (`tool_NAME` in the key table), its icon, and what it draws."""

    name: str
    icon: str
    draws: Mark
    """Of the last two rows only the geometry: nothing stays on the film."""
    stays: bool = True
    starts: tuple[int, ...] = (0,)
    """Points that begin a line of their own."""
    hint: str = ""

    @property
    def most_points(self) -> int:
        return POINTS[self.draws][1]


TOOLS: tuple[MeasureTool, ...] = (
    MeasureTool("length", "ruler", Mark.LENGTH, hint="Drag along what is measured"),
    MeasureTool("angle", "angle", Mark.ANGLE, hint="Arm, apex, other arm"),
    MeasureTool("cobb", "cobb", Mark.COBB, starts=(0, 2), hint="One end-plate, then the other"),
    MeasureTool("cardiothoracic", "ctr", Mark.CARDIOTHORACIC, starts=(0, 2),
                hint="Across the heart, then across the thorax"),
    MeasureTool("rectangle", "rectangle", Mark.RECTANGLE, hint="Drag from corner to corner"),
    MeasureTool("ellipse", "ellipse", Mark.ELLIPSE, hint="Drag from corner to corner"),
    MeasureTool("polygon", "polygon", Mark.POLYGON,
                hint="Click the corners; the first corner or a double click closes it"),
    MeasureTool("arrow", "arrow", Mark.ARROW, hint="Drag from the tail to the head"),
    MeasureTool("text", "text", Mark.TEXT, hint="Click where the text begins"),
    MeasureTool("region_window", "region_window", Mark.RECTANGLE, stays=False,
                hint="Drag over what the window is to show"),
    MeasureTool("calibrate", "calibrate", Mark.LENGTH, stays=False,
                hint="Drag along a length that you know in mm"),
)  # fmt: skip
BY_NAME = {tool.name: tool for tool in TOOLS}
