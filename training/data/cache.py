"""Films decoded once: grey at working size, memory-mapped, so that an epoch decodes nothing."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.data.manifest import FilmRow, Omission
from training.disk import require_room, writing
from xrayview.domain.radiograph import Radiograph
from xrayview.errors import NothingUsable, UnreadableFilm
from xrayview.io.readers import read_film, read_header
from xrayview.preprocessing.pipeline import Preprocessor

Progress = Callable[[int, int], None]

_ABANDONED_S = 3600.0
"""A part that nobody has written to for so long is nobody's; mapped pages reach it in minutes."""


@dataclass(frozen=True, eq=False)
class GreyFilms:
    """Film rows with hashes, and their greys: float32 in 0..1, films x height x width."""

    rows: tuple[FilmRow, ...]
    greys_NHW: npt.NDArray[np.float32]
    omitted: tuple[Omission, ...]


def load_greys(
    rows: Sequence[FilmRow],
    folder: Path,
    preprocessor: Preprocessor,
    cache: Path,
    progress: Progress = lambda _done, _total: None,
) -> GreyFilms:
    """The films' greys from the cache, which is made first where it is missing.

    The cache is keyed by the preprocessing and by every file's path, size and time of change.
    Films that cannot be read are left out, with their reason in `omitted`.

    Raises:
        NothingUsable: not one film could be read.
    """
    files = [(row.path, folder / row.path) for row in rows]
    key = f"{files_key(files)}-{preprocessor.preprocessing_id}"
    index_path = cache / f"{key}.json"
    if not index_path.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        _fill(rows, folder, preprocessor, cache / key, progress)
    return _open(rows, cache / key)


def open_film(path: Path, folder: Path) -> Radiograph:
    """Read one film as the app does.

    Raises:
        UnreadableFilm: with the reason.
    """
    return read_film(read_header(path, folder))


def pixels_sha256(radiograph: Radiograph) -> str:
    """SHA-256 of the stored pixels with their shape and type."""
    pixels = np.ascontiguousarray(radiograph.pixels_HW)
    digest = hashlib.sha256(f"{pixels.shape}{pixels.dtype.str}".encode())
    digest.update(pixels.tobytes())
    return digest.hexdigest()


def files_key(files: Iterable[tuple[str, Path]]) -> str:
    """A short hash of files' names, sizes and times of change; missing ones count as such."""
    digest = hashlib.sha256()
    for name, path in files:
        stat = path.stat() if path.is_file() else None
        facts = (name, stat.st_size, stat.st_mtime_ns) if stat else (name,)
        digest.update(json.dumps(facts).encode())
    return digest.hexdigest()[:16]


def _fill(
    rows: Sequence[FilmRow],
    folder: Path,
    preprocessor: Preprocessor,
    stem: Path,
    progress: Progress,
) -> None:
    """Write STEM.npy, then STEM.json: an index on disk means that the greys are whole."""
    partial = own_partial(stem)
    require_room(stem.parent, 4 * len(rows) * math.prod(preprocessor.spec.size))
    greys_NHW = np.lib.format.open_memmap(
        partial, mode="w+", dtype=np.float32, shape=(len(rows), *preprocessor.spec.size)
    )
    index: list[dict[str, str]] = []
    for place, (row, radiograph) in enumerate(_decode(rows, folder)):
        if isinstance(radiograph, UnreadableFilm):
            index.append({"path": row.path, "code": str(radiograph.code), "why": str(radiograph)})
        else:
            greys_NHW[place] = preprocessor.grey(radiograph)
            hashes = {"sha256": radiograph.sha256, "pixels_sha256": pixels_sha256(radiograph)}
            index.append({"path": row.path, **hashes})
        progress(place + 1, len(rows))
    greys_NHW.flush()
    del greys_NHW
    partial.replace(stem.with_suffix(".npy"))
    index_partial = partial.with_name(f"{partial.name}.json")
    with writing(index_partial):
        index_partial.write_text(json.dumps(index), encoding="utf-8")
    index_partial.replace(stem.with_suffix(".json"))


def own_partial(stem: Path) -> Path:
    """A name of this process: another run may be filling the same cache right now.

    What a run that was killed has left is removed.
    """
    for left in stem.parent.glob(f"{stem.name}.*.partial"):
        with suppress(FileNotFoundError):  # its own run has just finished it
            if time.time() - left.stat().st_mtime > _ABANDONED_S:
                left.unlink()
    return stem.with_name(f"{stem.name}.{os.getpid()}.partial")


def _decode(
    rows: Sequence[FilmRow], folder: Path
) -> Iterator[tuple[FilmRow, Radiograph | UnreadableFilm]]:
    for row in rows:
        try:
            yield row, open_film(folder / row.path, folder)
        except UnreadableFilm as error:
            yield row, error


def _open(rows: Sequence[FilmRow], stem: Path) -> GreyFilms:
    index = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))
    greys_NHW = np.load(stem.with_suffix(".npy"), mmap_mode="r")
    omitted = tuple(Omission(e["path"], e["code"], e["why"]) for e in index if "code" in e)
    readable = [place for place, entry in enumerate(index) if "code" not in entry]
    if not readable:
        raise NothingUsable(
            "No film could be read", why=omitted[0].why if omitted else "the list is empty"
        )
    kept = tuple(
        dataclasses.replace(
            rows[place],
            sha256=index[place]["sha256"],
            pixels_sha256=index[place]["pixels_sha256"],
        )
        for place in readable
    )
    whole = len(readable) == len(index)
    return GreyFilms(kept, greys_NHW if whole else greys_NHW[readable], omitted)
