"""Cache of decoded films: memory-mapped grey at working size, so that no epoch decodes files."""

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
from training.disk import require_room, writing_partial
from xrayview.domain.radiograph import Radiograph
from xrayview.errors import NothingUsable, UnreadableFilm
from xrayview.io.readers import read_film, read_header
from xrayview.preprocessing.pipeline import Preprocessor

Progress = Callable[[int, int], None]

_ABANDONED_S = 3600.0
"""Age from which a partial file is abandoned; a running process writes to it within minutes."""


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
    """Return the films' greys from the cache, filling it first if needed.

    The cache is keyed by the preprocessing and by every file's path, size and modification time.
    Films that cannot be read are left out, with the reason in `omitted`.

    Raises:
        NothingUsable: no film could be read.
    """
    files = [(row.path, folder / row.path) for row in rows]
    key = f"{files_key(files)}-{preprocessor.preprocessing_id}"
    index_path = cache / f"{key}.json"
    if not index_path.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        _fill(rows, folder, preprocessor, cache / key, progress)
    return _open(rows, cache / key)


def open_film(path: Path, folder: Path) -> Radiograph:
    """Read a film as the app does.

    Raises:
        UnreadableFilm: the file cannot be read.
    """
    return read_film(read_header(path, folder))


def pixels_sha256(radiograph: Radiograph) -> str:
    """Return the SHA-256 of the stored pixels with their shape and dtype."""
    pixels = np.ascontiguousarray(radiograph.pixels_HW)
    digest = hashlib.sha256(f"{pixels.shape}{pixels.dtype.str}".encode())
    digest.update(pixels.tobytes())
    return digest.hexdigest()


def files_key(files: Iterable[tuple[str, Path]]) -> str:
    """Return a short hash of the files' names, sizes and modification times, or their absence."""
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
    """Write STEM.npy, then STEM.json: if the index exists, the greys are complete."""
    partial = own_partial(stem)
    require_room(stem.parent, 4 * len(rows) * math.prod(preprocessor.spec.size))
    greys_NHW = np.lib.format.open_memmap(
        partial, mode="w+", dtype=np.float32, shape=(len(rows), *preprocessor.spec.size)
    )
    index: list[dict[str, str]] = []
    for i, (row, radiograph) in enumerate(_decode(rows, folder)):
        if isinstance(radiograph, UnreadableFilm):
            index.append({"path": row.path, "code": str(radiograph.code), "why": str(radiograph)})
        else:
            greys_NHW[i] = preprocessor.grey(radiograph)
            hashes = {"sha256": radiograph.sha256, "pixels_sha256": pixels_sha256(radiograph)}
            index.append({"path": row.path, **hashes})
        progress(i + 1, len(rows))
    greys_NHW.flush()
    del greys_NHW
    partial.replace(stem.with_suffix(".npy"))
    index_partial = partial.with_name(f"{partial.name}.json")
    with writing_partial(index_partial):
        index_partial.write_text(json.dumps(index), encoding="utf-8")
    index_partial.replace(stem.with_suffix(".json"))


def own_partial(stem: Path) -> Path:
    """Return a partial file of this process only, since another run may fill the same cache.

    Partial files of killed runs are removed.
    """
    for partial in stem.parent.glob(f"{stem.name}.*.partial"):
        with suppress(FileNotFoundError):  # its own run has just finished it
            if time.time() - partial.stat().st_mtime > _ABANDONED_S:
                partial.unlink()
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
    readable = [i for i, entry in enumerate(index) if "code" not in entry]
    if not readable:
        raise NothingUsable(
            "No film could be read", why=omitted[0].why if omitted else "the list is empty"
        )
    hashed = tuple(
        dataclasses.replace(
            rows[i], sha256=index[i]["sha256"], pixels_sha256=index[i]["pixels_sha256"]
        )
        for i in readable
    )
    all_readable = len(readable) == len(index)
    return GreyFilms(hashed, greys_NHW if all_readable else greys_NHW[readable], omitted)
