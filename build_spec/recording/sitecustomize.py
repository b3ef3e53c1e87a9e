"""Records what a program loads, in each of its processes, and hides modules that are left out.

Python imports this file at its start where its folder is in PYTHONPATH. `XRAYVIEW_RECORD` names a
folder for one list per process; `XRAYVIEW_HIDDEN` the modules that cannot be imported.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec
from typing import Any


class _Without:
    """An entry of `sys.meta_path` that does not find some modules."""

    def __init__(self, finder: Any, hidden: list[str]) -> None:
        self._finder, self._hidden = finder, hidden

    def find_spec(self, name: str, *rest: Any) -> ModuleSpec | None:
        if any(name == hidden or name.startswith(f"{hidden}.") for hidden in self._hidden):
            return None
        found: ModuleSpec | None = self._finder.find_spec(name, *rest)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._finder, name)


def _record(folder: str) -> None:
    log = os.open(os.path.join(folder, f"{os.getpid()}.txt"), os.O_WRONLY | os.O_CREAT)  # noqa: PTH118
    seen = set()

    def on_event(event: str, args: tuple[Any, ...]) -> None:
        # ("open", path, mode, flags); ("import", name, file of a compiled module, ...)
        path = args[0] if event == "open" else args[1] if event == "import" else None
        if isinstance(path, str) and path not in seen and os.path.isabs(path):  # noqa: PTH117
            seen.add(path)
            os.write(log, f"{path}\n".encode("utf-8", "surrogateescape"))

    sys.addaudithook(on_event)


if os.environ.get("XRAYVIEW_HIDDEN"):
    _hidden = os.environ["XRAYVIEW_HIDDEN"].split(",")
    sys.meta_path[:] = [_Without(finder, _hidden) for finder in sys.meta_path]
if os.environ.get("XRAYVIEW_RECORD"):
    _record(os.environ["XRAYVIEW_RECORD"])
