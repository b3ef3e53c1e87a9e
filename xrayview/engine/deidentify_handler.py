"""Handler of de-identification requests; heavy imports are inside the function."""

from __future__ import annotations

from xrayview.engine.decode_handlers import decode_film
from xrayview.engine.protocol import DecodeFilm, DeidentifiedFilm, DeidentifyFilm
from xrayview.errors import StatusCode, UnreadableFilm


def deidentify_film(request: DeidentifyFilm) -> DeidentifiedFilm:
    """De-identify a film; a film that cannot be decoded is not copied."""
    from xrayview.io.deidentify.copy import Pseudonyms, deidentify

    film = request.film
    if not film.has_tags:
        raise UnreadableFilm(
            "Not a DICOM file",
            code=StatusCode.NOT_AN_IMAGE,
            path=film.path,
            why="other formats have no tags to remove",
            hint="Check the picture yourself, and copy the file without this program.",
        )
    warnings = decode_film(DecodeFilm(film, request.limits)).warnings
    copy = deidentify(
        film.path,
        film.transfer_syntax,
        Pseudonyms(request.key),
        keep_characteristics=request.keep_characteristics,
        allowed=request.allowed,
    )
    return DeidentifiedFilm(
        film,
        copy.file,
        copy.patient,
        copy.burned_in,
        copy.replaced,
        copy.found_in,
        (*warnings, *copy.notes),
    )
