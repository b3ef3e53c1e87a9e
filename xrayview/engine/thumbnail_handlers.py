"""Handlers of thumbnail requests; heavy imports are inside the functions."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from xrayview.engine.decode_handlers import decode_film
from xrayview.engine.protocol import (
    DecodeFilm,
    Limits,
    MakeThumbnail,
    PruneThumbnails,
    Thumbnail,
)
from xrayview.errors import UnreadableFilm

if TYPE_CHECKING:
    from xrayview.display.greyscale import Grey

MIB = 2**20


def make_thumbnail(request: MakeThumbnail) -> Thumbnail:
    """A small picture of the film in its default grey-scale, stored or newly made."""
    from xrayview.io.thumbnail_files import load_thumbnail, save_thumbnail

    path = _store_path(request)
    grey_HW = load_thumbnail(path) if path is not None else None
    if grey_HW is None:
        grey_HW = _make(request)
        if path is not None:
            save_thumbnail(path, grey_HW)
    return Thumbnail(request.film.film_id, grey_HW)


def prune_thumbnails(request: PruneThumbnails) -> int:
    """Reduce the store to its budget; returns its size in bytes."""
    from xrayview.io.thumbnail_files import prune

    return prune(request.store.folder, request.store.budget_mib * MIB)


def _store_path(request: MakeThumbnail) -> Path | None:
    from xrayview.io.thumbnail_files import content_key, thumbnail_path

    store, film = request.store, request.film
    if store is None or not store.budget_mib or not film.path.is_file():
        return None
    with suppress(OSError):  # reported when the film is read
        content = content_key(film.path)
        return thumbnail_path(store.folder, content, film.frame, request.size_px)
    return None


def _make(request: MakeThumbnail) -> Grey:
    from xrayview.display.pyramid import thumbnail
    from xrayview.io.quick_look import embedded_icon, reduced_film

    film, limits = request.film, request.limits or Limits()
    # Faults are reported when the film itself is read.
    with suppress(UnreadableFilm):
        icon_HW = embedded_icon(film, request.size_px)
        if icon_HW is not None:
            return icon_HW
        small = reduced_film(film, request.size_px, limits.max_megapixels)
        if small is not None:
            return thumbnail(small, request.size_px)
    radiograph = decode_film(DecodeFilm(film, request.limits), hashed=False)
    return thumbnail(radiograph, request.size_px)
