"""The window's font and its sizes."""

from __future__ import annotations

from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication

TEXT_PX = 13
SMALL_PX = 12

_FAMILIES = [
    "Inter", "Segoe UI", "SF Pro Text", "Noto Sans", "Liberation Sans", "DejaVu Sans",
]  # fmt: skip


def usual() -> QFont:
    """What texts are set in."""
    font = QFont(_FAMILIES)  # the first that is here; to list all that are takes longer
    font.setPixelSize(TEXT_PX)
    return font


def pixels(size_px: int) -> QFont:
    """The window's font in a size."""
    font = QFont(QApplication.font())
    font.setPixelSize(size_px)
    return font
