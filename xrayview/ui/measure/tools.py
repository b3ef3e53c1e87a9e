"""The measuring tools, as a table that the hand draws by."""

from __future__ import annotations

from dataclasses import dataclass

from xrayview.domain.measurement import POINTS, Mark


@dataclass(frozen=True)
class MeasureTool:
    """One tool: its name (`tool_NAME` in the key table) and what it draws."""

    name: str
    draws: Mark
    stays: bool = True
    """False where the drawing only asks for something: nothing is left on the film."""
    starts: tuple[int, ...] = (0,)
    """Points that begin a line of their own."""
    hint: str = ""

    @property
    def most_points(self) -> int:
        return POINTS[self.draws][1]


TOOLS: tuple[MeasureTool, ...] = (
    MeasureTool("length", Mark.LENGTH, hint="Drag along what is measured"),
    MeasureTool("angle", Mark.ANGLE, hint="Arm, apex, other arm"),
    MeasureTool("cobb", Mark.COBB, starts=(0, 2), hint="One end-plate, then the other"),
    MeasureTool("cardiothoracic", Mark.CARDIOTHORACIC, starts=(0, 2),
                hint="Across the heart, then across the thorax"),
    MeasureTool("rectangle", Mark.RECTANGLE, hint="Drag from corner to corner"),
    MeasureTool("ellipse", Mark.ELLIPSE, hint="Drag from corner to corner"),
    MeasureTool("polygon", Mark.POLYGON,
                hint="Click the corners; the first corner or a double click closes it"),
    MeasureTool("arrow", Mark.ARROW, hint="Drag from the tail to the head"),
    MeasureTool("text", Mark.TEXT, hint="Click where the text begins"),
    MeasureTool("region_window", Mark.RECTANGLE, stays=False,
                hint="Drag over what the window is to show"),
    MeasureTool("calibrate", Mark.LENGTH, stays=False,
                hint="Drag along a length that you know in mm"),
)  # fmt: skip
BY_NAME = {tool.name: tool for tool in TOOLS}
