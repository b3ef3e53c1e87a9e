"""The user's own keys over those of the table: what may be changed, and what stands in the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from PySide6.QtGui import QKeySequence

from xrayview.ui.keys.shortcuts import KEYS, ROWS, Key, native

_OR = " or "
RESERVED = {
    "Esc": "leaves a field, a dialog or a dock",
    "Tab": "goes to the next control",
    "Shift+Tab": "goes to the control before",
}
"""Keys that belong to every program, and what for."""


class Keymap:
    """Keys by the names of the table's rows. A key belongs to one row at most.

    Args:
        changed: as the settings keep them, the name of a row to its keys (`Return or Enter`;
            empty for none). What does not fit is left out, and `problems` says why.
    """

    def __init__(self, changed: Mapping[str, str] | None = None) -> None:
        self._own: dict[str, tuple[str, ...]] = {}
        self.problems: list[str] = []
        for name, text in (changed or {}).items():
            problem = self._take(name, text)
            if problem:
                self.problems.append(f"shortcuts: {name} {problem}; the default is used.")
        self._settle()

    def keys(self, name: str) -> tuple[str, ...]:
        """The keys of a row; none where it has none."""
        return self._own.get(name, ROWS[name].keys)

    def own(self) -> dict[str, tuple[str, ...]]:
        """The rows whose keys are not those of the table."""
        return dict(self._own)

    def as_setting(self) -> dict[str, str]:
        """What the settings keep."""
        return {name: _OR.join(keys) for name, keys in self._own.items()}

    def is_changed(self, name: str) -> bool:
        """True where the user has given a row other keys."""
        return name in self._own

    def owner(self, key: str) -> Key | None:
        """The row that a key belongs to."""
        return next((row for row in KEYS if key in self.keys(row.name)), None)

    def problem(self, name: str, key: str) -> str:
        """Why a row can never have this key; empty where it can, be it another row's now."""
        if key in RESERVED:
            return f"{native(key)} {RESERVED[key]}."
        if not _is_key(key):
            return "This key cannot be used."
        if ROWS[name].numbered and not key[-1].isdigit():
            return "Press one digit with Ctrl, Alt or Shift, or none: it holds for 1 to 9."
        return ""

    def in_the_way(self, name: str, key: str) -> list[Key]:
        """The other rows that would lose a key if this row had it."""
        wanted = set(self._keys_for(name, key))
        others = (row for row in KEYS if row.name != name)
        return [row for row in others if wanted & set(self.keys(row.name))]

    def give(self, name: str, key: str) -> None:
        """Give a row this key alone. Rows in the way get the keys it had, the first of them.

        A numbered row and a plain one cannot swap: what is in the way is left without a key.
        """
        before = self.keys(name)
        wanted = self._keys_for(name, key)
        for row in self.in_the_way(name, key):
            left = tuple(key for key in self.keys(row.name) if key not in wanted)
            swapped = before if row.numbered == ROWS[name].numbered and not left else left
            before = () if swapped == before else before
            self._set(row.name, swapped)
        self._set(name, wanted)

    def clear(self, name: str) -> None:
        """Leave a row without a key."""
        self._set(name, ())

    def reset(self, name: str) -> None:
        """Give a row the table's keys; another row that has one of them now loses it."""
        for row in KEYS:
            left = tuple(key for key in self.keys(row.name) if key not in ROWS[name].keys)
            if row.name != name and left != self.keys(row.name):
                self._set(row.name, () if row.numbered else left)
        self._own.pop(name, None)

    def reset_all(self) -> None:
        """The table's keys everywhere."""
        self._own.clear()

    def _keys_for(self, name: str, key: str) -> tuple[str, ...]:
        if not ROWS[name].numbered:
            return (key,)
        return tuple(f"{key[:-1]}{place}" for place, _ in enumerate(ROWS[name].keys, 1))

    def _set(self, name: str, keys: tuple[str, ...]) -> None:
        if keys == ROWS[name].keys:
            self._own.pop(name, None)
        else:
            self._own[name] = keys

    def _take(self, name: str, text: str) -> str:
        if name not in ROWS:
            return "is no action"
        keys = tuple(QKeySequence(key).toString() for key in text.split(_OR)) if text else ()
        wrong = next((key for key in keys if not _is_key(key) or key in RESERVED), None)
        if wrong is not None:
            return f"cannot have {text}"
        if ROWS[name].numbered and keys and len(keys) != len(ROWS[name].keys):
            return f"needs {len(ROWS[name].keys)} keys"
        if taken := next((key for key in keys for used in self._own.values() if key in used), ""):
            return f"cannot have {taken} too"
        self._set(name, keys)
        return ""

    def _settle(self) -> None:
        """What the user chose goes before a default: a newer table may have a key that is taken."""
        taken = {key for keys in self._own.values() for key in keys}
        for row in tuple(self._defaults()):
            if taken & set(row.keys):
                left = tuple(key for key in row.keys if key not in taken)
                self._own[row.name] = () if row.numbered else left

    def _defaults(self) -> Iterator[Key]:
        return (row for row in KEYS if row.name not in self._own)


def _is_key(key: str) -> bool:
    return QKeySequence(key).count() == 1
