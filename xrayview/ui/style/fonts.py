"""The font of the window and its sizes."""

from __future__ import annotations

from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication

TEXT_PX = 13
SMALL_PX = 12

_FAMILIES = [
    "Inter", "Segoe UI", "SF Pro Text", "Noto Sans", "Liberation Sans", "DejaVu Sans",
]  # fmt: skip


def default_font() -> QFont:
    """The font for text."""
    font = QFont(_FAMILIES)  # Qt takes the first one installed; listing all takes longer
    font.setPixelSize(TEXT_PX)
    return font


def pixels(size_px: int) -> QFont:
    """The font of the window in another size."""
    font = QFont(QApplication.font())
    font.setPixelSize(size_px)
    return font
