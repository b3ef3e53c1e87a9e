"""The measuring tools, as a table."""

from __future__ import annotations

from dataclasses import dataclass

from xrayview.domain.measurement import POINTS, Mark
from xrayview.ui.viewer.mouse import MeasureTool as ToolName


@dataclass(frozen=True)
class MeasureTool:
    """One tool: its name (`tool_NAME` in the key table) and the mark that it draws."""

    name: ToolName
    mark: Mark
    is_kept: bool = True
    """False where the drawing only selects something and is not kept on the film."""
    line_starts: tuple[int, ...] = (0,)
    """Indices of the points that start a line."""
    hint: str = ""

    @property
    def most_points(self) -> int:
        return POINTS[self.mark][1]


TOOLS: tuple[MeasureTool, ...] = (
    MeasureTool("length", Mark.LENGTH, hint="Drag from one end to the other"),
    MeasureTool("angle", Mark.ANGLE, hint="Arm, apex, other arm"),
    MeasureTool("cobb", Mark.COBB, line_starts=(0, 2), hint="One end-plate, then the other"),
    MeasureTool("cardiothoracic", Mark.CARDIOTHORACIC, line_starts=(0, 2),
                hint="Across the heart, then across the thorax"),
    MeasureTool("rectangle", Mark.RECTANGLE, hint="Drag from corner to corner"),
    MeasureTool("ellipse", Mark.ELLIPSE, hint="Drag from corner to corner"),
    MeasureTool("polygon", Mark.POLYGON,
                hint="Click the corners; close it with a click on the first one or a double-click"),
    MeasureTool("arrow", Mark.ARROW, hint="Drag from the tail to the head"),
    MeasureTool("text", Mark.TEXT, hint="Click where the text should start"),
    MeasureTool("region_window", Mark.RECTANGLE, is_kept=False,
                hint="Drag over a region to set the window from it"),
    MeasureTool("calibrate", Mark.LENGTH, is_kept=False,
                hint="Drag along a structure of known length"),
)  # fmt: skip
BY_NAME: dict[str, MeasureTool] = {tool.name: tool for tool in TOOLS}
