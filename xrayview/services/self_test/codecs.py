"""Every codec decodes its tiny film to recorded values."""

from __future__ import annotations

import hashlib
import json
import threading

import numpy as np
import numpy.typing as npt

from xrayview.domain.film import FilmRef
from xrayview.domain.sentences import counted
from xrayview.engine.client import Engine
from xrayview.engine.protocol import DecodeFilm
from xrayview.engine.scan import scan_folder
from xrayview.engine.waiting import result_of
from xrayview.errors import UnreadableFilm, XrayViewError
from xrayview.services.resources import resource

CODECS = ("self_test", "codecs.json")
"""The table of hashes, by file name; the files are in the folder `codecs` beside it."""


def pixel_hash(pixels_HW: npt.NDArray[np.generic]) -> str:
    """The SHA-256 of an array's type, shape and values."""
    values = np.ascontiguousarray(pixels_HW, pixels_HW.dtype.newbyteorder("<"))
    head = f"{values.dtype.kind}{values.dtype.itemsize} {values.shape}"
    return hashlib.sha256(head.encode() + values.tobytes()).hexdigest()


def check_codecs(engine: Engine, cancel: threading.Event) -> str:
    """Decode all tiny films in the decode workers.

    Raises:
        XrayViewError: a film is missing, cannot be decoded, or has other values.
    """
    expected: dict[str, str] = json.loads(resource(*CODECS).read_text(encoding="utf-8"))
    folder = resource("self_test", "codecs")
    films = {film.relative_path: film for film in scan_folder(engine, folder, cancel)}
    faults = []
    for name, digest in expected.items():
        film = films.get(name)
        if isinstance(film, FilmRef):
            faults += _faults(engine, film, digest, cancel)
        else:
            faults.append(f"{name} {'is missing' if film is None else 'cannot be read'}")
    if faults:
        raise XrayViewError("Some films cannot be decoded", why="; ".join(faults))
    return f"{counted(len(expected), 'codec')} decoded to the recorded values"


def _faults(engine: Engine, film: FilmRef, digest: str, cancel: threading.Event) -> list[str]:
    try:
        radiograph = result_of(engine.submit(DecodeFilm(film)), cancel)
    except UnreadableFilm as error:
        return [f"{film.relative_path}: {error.what} {error.why} {error.hint}".strip()]
    decoded = pixel_hash(radiograph.pixels_HW)
    return [] if decoded == digest else [f"{film.relative_path} has other values"]
