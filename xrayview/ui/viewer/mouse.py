"""The meaning of mouse gestures, as plain values."""

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
    """Return what a drag with `button` does while `tool` is selected; None: nothing."""
    return tool if button is Qt.MouseButton.LeftButton else _OTHER_BUTTONS.get(button)


def zoom_of_drag(down: float) -> float:
    """Return the factor of a zoom drag; upwards enlarges."""
    return math.exp(-down / PIXELS_PER_ZOOM_FACTOR_E)


def zoom_of_wheel(angle: float) -> float:
    """Return the factor of a turn of the wheel; away from the user enlarges."""
    return float(ZOOM_OF_ONE_STEP ** (angle / ANGLE_OF_ONE_STEP))


class WheelSteps:
    """Accumulates the small turns of touchpads and high-resolution wheels into whole steps."""

    def __init__(self) -> None:
        self._remainder = 0

    def add(self, angle: int) -> int:
        """Return how many films to step by after a turn of `angle`; towards the user is forward."""
        if self._remainder * angle < 0:  # a change of direction takes effect at once
            self._remainder = 0
        self._remainder += angle
        steps = int(self._remainder / ANGLE_OF_ONE_STEP)
        self._remainder -= steps * ANGLE_OF_ONE_STEP
        return -steps
