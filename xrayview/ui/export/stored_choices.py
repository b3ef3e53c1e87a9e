"""The choices of the export dialogs, stored in the settings; identity is never stored."""

from __future__ import annotations

from dataclasses import fields

from xrayview.domain.figure import FigureStyle
from xrayview.services.settings import Settings

_SETTING = "export"
_NEVER_STORED = frozenset({"identity"})


class StoredChoices:
    """Reads and writes choices by name: texts, or flags as `yes` and `no`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def text(self, name: str, default: str = "") -> str:
        """The text chosen last, else the default."""
        choices: dict[str, str] = self._settings[_SETTING]
        return choices.get(name, default)

    def flag(self, name: str, default: bool) -> bool:
        """The flag chosen last, else the default."""
        return self.text(name, "yes" if default else "no") == "yes"

    def store(self, **choices: str | bool) -> None:
        """Store choices by name."""
        texts = {True: "yes", False: "no"}
        stored = {n: texts[c] if isinstance(c, bool) else c for n, c in choices.items()}
        self._settings[_SETTING] = self._settings[_SETTING] | stored

    def style(self) -> FigureStyle:
        """The style of the last figure."""
        usual = FigureStyle()
        names = [f.name for f in fields(usual) if f.name not in _NEVER_STORED | {"bits"}]
        flags = {name: self.flag(f"figure_{name}", getattr(usual, name)) for name in names}
        return FigureStyle(bits=16 if self.text("bits") == "16" else 8, **flags)

    def store_style(self, style: FigureStyle) -> None:
        """Store the style of a figure."""
        names = [f.name for f in fields(style) if f.name not in _NEVER_STORED | {"bits"}]
        flags = {f"figure_{name}": getattr(style, name) for name in names}
        self.store(bits=str(style.bits), **flags)
