"""Recognise pictures and copies that the program has written among the films they come from.

A scan of these films must not list them as further films. Only files that are named as the program
names them are recognised, and only below a folder that it has recorded: a film that somebody puts
there is listed, and so are copies that are opened or moved on their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from xrayview.io.tables.outputs import load_outputs

_COPY = re.compile(r"ANON-[0-9A-F]{10}/\d{5}\.dcm")
"""PATIENT/NUMBER.dcm of `batch.deidentify`."""
_PICTURE_SUFFIXES = frozenset({".png", ".tiff", ".svg"})
_FRAME = re.compile(r"(\.frame\d+)?(~\d+)?$")
"""What `batch.render` adds to the name of a film, before the suffix."""


@dataclass(frozen=True)
class _Output:
    path: Path
    """An output file, or the part of an output folder that is scanned."""
    prefix: str
    """Path of that part below the output folder."""
    source: Path
    """The folder of the films."""


class OwnOutputs:
    """The recorded outputs in a folder that is scanned.

    Args:
        root: the folder as it is scanned.
        resolved: the same without symbolic links.
    """

    def __init__(self, root: Path, resolved: Path) -> None:
        self._outputs: list[_Output] = []
        for source in resolved.parents:
            for name in load_outputs(source):
                output = source / name
                if output == source:
                    prefix = resolved.relative_to(source).as_posix()
                    self._outputs.append(_Output(root, f"{prefix}/", source))
                elif output != resolved and output.is_relative_to(resolved):
                    self._outputs.append(_Output(root / output.relative_to(resolved), "", source))

    def add(self, source: Path) -> None:
        """Add what is recorded in a folder below the root, or in the root."""
        names = load_outputs(source)
        self._outputs += [_Output(source / name, "", source) for name in names]

    def __contains__(self, path: Path) -> bool:
        return any(_is_of(path, output) for output in self._outputs)


def _is_of(path: Path, output: _Output) -> bool:
    if path == output.path:
        return True
    if not path.is_relative_to(output.path):
        return False
    name = output.prefix + path.relative_to(output.path).as_posix()
    if _COPY.fullmatch(name):
        return True
    film = PurePosixPath(name)
    if film.suffix not in _PICTURE_SUFFIXES:
        return False
    film = film.with_suffix("")
    # A film may have a name that looks like that of a frame.
    names = (film.name, _FRAME.sub("", film.name))
    return any((output.source / film.parent / name).is_file() for name in names)
