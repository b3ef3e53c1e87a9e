"""The user's keys over those of the table, with checks for conflicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from PySide6.QtGui import QKeySequence

from xrayview.ui.keys.shortcuts import KEYS, ROWS, Key, native

_OR = " or "
RESERVED = {
    "Esc": "leaves a field, a dialog or a dock",
    "Tab": "moves to the next control",
    "Shift+Tab": "moves to the previous control",
}
"""Keys that cannot be changed, with what they do."""


class Keymap:
    """The keys of each action. A key belongs to at most one action.

    Args:
        changed: keys by action id as in the settings (`Return or Enter`; empty for none).
            Invalid entries are left out, and `problems` says why.
    """

    def __init__(self, changed: Mapping[str, str] | None = None) -> None:
        self._own: dict[str, tuple[str, ...]] = {}
        self.problems: list[str] = []
        for name, text in (changed or {}).items():
            problem = self._load(name, text)
            if problem:
                self.problems.append(f"shortcuts: {name} {problem}; the default is used.")
        self._drop_taken_defaults()

    def keys(self, name: str) -> tuple[str, ...]:
        """The keys of an action; may be empty."""
        return self._own.get(name, ROWS[name].keys)

    def own(self) -> dict[str, tuple[str, ...]]:
        """The keys of the actions that the user changed."""
        return dict(self._own)

    def as_setting(self) -> dict[str, str]:
        """The changed keys as the settings store them."""
        return {name: _OR.join(keys) for name, keys in self._own.items()}

    def is_changed(self, name: str) -> bool:
        """True where the user changed the keys of an action."""
        return name in self._own

    def owner(self, key: str) -> Key | None:
        """The row that has this key."""
        return next((row for row in KEYS if key in self.keys(row.name)), None)

    def problem(self, name: str, key: str) -> str:
        """Why an action can never have this key; empty where it can, even if another has it."""
        if key in RESERVED:
            return f"{native(key)} {RESERVED[key]}."
        if not _is_key(key):
            return "This key cannot be used."
        if ROWS[name].is_numbered and not key[-1].isdigit():
            return "Press a digit, with Ctrl, Alt, Shift or no modifier; it stands for 1 to 9."
        return ""

    def conflicts(self, name: str, key: str) -> list[Key]:
        """The other rows that would lose a key to this action."""
        requested = set(self._keys_for(name, key))
        others = (row for row in KEYS if row.name != name)
        return [row for row in others if requested & set(self.keys(row.name))]

    def assign(self, name: str, key: str) -> None:
        """Make this the only key of an action; the first row in conflict gets its old keys.

        A numbered row and a plain one cannot swap: the row in conflict is left without a key.
        """
        before = self.keys(name)
        requested = self._keys_for(name, key)
        for row in self.conflicts(name, key):
            left = tuple(key for key in self.keys(row.name) if key not in requested)
            swapped = before if row.is_numbered == ROWS[name].is_numbered and not left else left
            before = () if swapped == before else before
            self._set(row.name, swapped)
        self._set(name, requested)

    def clear(self, name: str) -> None:
        """Remove the keys of an action."""
        self._set(name, ())

    def reset(self, name: str) -> None:
        """Restore the default keys of an action; other actions that have one of them lose it."""
        for row in KEYS:
            left = tuple(key for key in self.keys(row.name) if key not in ROWS[name].keys)
            if row.name != name and left != self.keys(row.name):
                self._set(row.name, () if row.is_numbered else left)
        self._own.pop(name, None)

    def reset_all(self) -> None:
        """Restore the default keys of every action."""
        self._own.clear()

    def _keys_for(self, name: str, key: str) -> tuple[str, ...]:
        if not ROWS[name].is_numbered:
            return (key,)
        return tuple(f"{key[:-1]}{digit}" for digit, _ in enumerate(ROWS[name].keys, 1))

    def _set(self, name: str, keys: tuple[str, ...]) -> None:
        if keys == ROWS[name].keys:
            self._own.pop(name, None)
        else:
            self._own[name] = keys

    def _load(self, name: str, text: str) -> str:
        if name not in ROWS:
            return "is not an action"
        keys = tuple(QKeySequence(key).toString() for key in text.split(_OR)) if text else ()
        wrong = next((key for key in keys if not _is_key(key) or key in RESERVED), None)
        if wrong is not None:
            return f"cannot have {text}"
        if ROWS[name].is_numbered and keys and len(keys) != len(ROWS[name].keys):
            return f"needs {len(ROWS[name].keys)} keys"
        if taken := next((key for key in keys for used in self._own.values() if key in used), ""):
            return f"cannot have {taken}, which another action has"
        self._set(name, keys)
        return ""

    def _drop_taken_defaults(self) -> None:
        """Drop default keys that the user gave to another action, as after an update."""
        taken = {key for keys in self._own.values() for key in keys}
        for row in tuple(self._defaults()):
            if taken & set(row.keys):
                left = tuple(key for key in row.keys if key not in taken)
                self._own[row.name] = () if row.is_numbered else left

    def _defaults(self) -> Iterator[Key]:
        return (row for row in KEYS if row.name not in self._own)


def _is_key(key: str) -> bool:
    return QKeySequence(key).count() == 1
