"""The choices of the export dialogs, kept from one time to the next; identity never is."""

from __future__ import annotations

from dataclasses import fields

from xrayview.domain.figure import FigureStyle
from xrayview.services.settings import Settings

_ROW = "export"
_NEVER = frozenset({"identity"})


class Remembered:
    """Texts and yes-or-no choices by name, over the settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def text(self, name: str, otherwise: str = "") -> str:
        """What was chosen last."""
        choices: dict[str, str] = self._settings[_ROW]
        return choices.get(name, otherwise)

    def flag(self, name: str, otherwise: bool) -> bool:
        """As `text`, for yes and no."""
        return self.text(name, "yes" if otherwise else "no") == "yes"

    def keep(self, **choices: str | bool) -> None:
        """Remember these."""
        words = {True: "yes", False: "no"}
        kept = {n: words[c] if isinstance(c, bool) else c for n, c in choices.items()}
        self._settings[_ROW] = self._settings[_ROW] | kept

    def style(self) -> FigureStyle:
        """What stood on the last figure."""
        usual = FigureStyle()
        names = [f.name for f in fields(usual) if f.name not in _NEVER | {"bits"}]
        flags = {name: self.flag(f"figure_{name}", getattr(usual, name)) for name in names}
        return FigureStyle(bits=16 if self.text("bits") == "16" else 8, **flags)

    def keep_style(self, style: FigureStyle) -> None:
        """Remember what stood on a figure."""
        names = [f.name for f in fields(style) if f.name not in _NEVER | {"bits"}]
        flags = {f"figure_{name}": getattr(style, name) for name in names}
        self.keep(bits=str(style.bits), **flags)
