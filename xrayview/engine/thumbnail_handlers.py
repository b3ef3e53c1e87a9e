"""What decode workers do for a thumbnail. As in `decoding`, what is heavy is imported in the
functions only.
"""

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
    """The film in its default grey-scale, small: kept from an earlier time, or made now."""
    from xrayview.io.thumbnail_files import load_thumbnail, save_thumbnail

    film, place = request.film, _place(request)
    grey_HW = load_thumbnail(place) if place is not None else None
    if grey_HW is None:
        grey_HW = _made(request)
        if place is not None:
            save_thumbnail(place, grey_HW)
    return Thumbnail(film.film_id, grey_HW)


def prune_thumbnails(request: PruneThumbnails) -> int:
    """Keep the store within its budget."""
    from xrayview.io.thumbnail_files import prune

    return prune(request.store.folder, request.store.budget_mib * MIB)


def _place(request: MakeThumbnail) -> Path | None:
    from xrayview.io.thumbnail_files import content_key, thumbnail_path

    store, film = request.store, request.film
    if store is None or not store.budget_mib or not film.path.is_file():
        return None
    with suppress(OSError):  # told by the reader, in the user's words
        content = content_key(film.path)
        return thumbnail_path(store.folder, content, film.frame, request.size_px)
    return None


def _made(request: MakeThumbnail) -> Grey:
    from xrayview.display.pyramid import thumbnail
    from xrayview.io.quick_look import embedded_icon, reduced_film

    film, limits = request.film, request.limits or Limits()
    # A film with a fault is told of by its own reader.
    with suppress(UnreadableFilm):
        icon_HW = embedded_icon(film, request.size_px)
        if icon_HW is not None:
            return icon_HW
        small = reduced_film(film, request.size_px, limits.max_megapixels)
        if small is not None:
            return thumbnail(small, request.size_px)
    radiograph = decode_film(DecodeFilm(film, request.limits), hashed=False)
    return thumbnail(radiograph, request.size_px)
