"""What a gesture of the mouse means; plain values in and out."""

from __future__ import annotations

import math
from typing import Literal

from PySide6.QtCore import Qt

MouseTool = Literal["window", "zoom", "pan", "magnifier"]
MeasureTool = Literal[
    "length", "angle", "cobb", "cardiothoracic", "rectangle", "ellipse", "polygon", "arrow", "text",
    "region_window", "calibrate",
]  # fmt: skip
Tool = MouseTool | MeasureTool

ANGLE_OF_ONE_STEP = 120
"""Eighths of a degree in one notch of a wheel (QWheelEvent.angleDelta)."""
ZOOM_OF_ONE_STEP = 1.2
PIXELS_PER_ZOOM_FACTOR_E = 150


_OTHER_BUTTONS: dict[Qt.MouseButton, Tool] = {
    Qt.MouseButton.MiddleButton: "pan",
    Qt.MouseButton.RightButton: "zoom",
}


def action_of(button: Qt.MouseButton, tool: Tool) -> Tool | None:
    """What a drag with `button` does while `tool` is chosen; None: nothing."""
    return tool if button is Qt.MouseButton.LeftButton else _OTHER_BUTTONS.get(button)


def zoom_of_drag(down: float) -> float:
    """Factor of a zoom drag: upwards enlarges."""
    return math.exp(-down / PIXELS_PER_ZOOM_FACTOR_E)


def zoom_of_wheel(angle: float) -> float:
    """Factor of a turn of the wheel: away from the user enlarges."""
    return float(ZOOM_OF_ONE_STEP ** (angle / ANGLE_OF_ONE_STEP))


class WheelSteps:
    """Collects the small turns of touchpads and fine wheels into whole steps."""

    def __init__(self) -> None:
        self._rest = 0

    def add(self, angle: int) -> int:
        """Films to step by after a turn of `angle`: towards the user is the next film."""
        if self._rest * angle < 0:  # a new direction answers at once
            self._rest = 0
        self._rest += angle
        steps = int(self._rest / ANGLE_OF_ONE_STEP)
        self._rest -= steps * ANGLE_OF_ONE_STEP
        return -steps
