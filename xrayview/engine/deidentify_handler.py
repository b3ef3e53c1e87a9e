"""What decode workers do so that a film leaves the program. As in `decoding`, what is heavy is
imported in the functions only.
"""

from __future__ import annotations

from xrayview.engine.decode_handlers import decode_film
from xrayview.engine.protocol import DecodeFilm, DeidentifiedFilm, DeidentifyFilm
from xrayview.errors import StatusCode, UnreadableFilm


def deidentify_film(request: DeidentifyFilm) -> DeidentifiedFilm:
    """The film's de-identified copy; one that cannot be decoded has none."""
    from xrayview.io.deidentify.copy import Pseudonyms, deidentify

    film = request.film
    if not film.has_tags:
        raise UnreadableFilm(
            "Not a DICOM file",
            code=StatusCode.NOT_AN_IMAGE,
            path=film.path,
            why="other films have no tags to be cleaned",
            hint="Look at it, and copy it yourself.",
        )
    warnings = decode_film(DecodeFilm(film, request.limits)).warnings
    copy = deidentify(
        film.path,
        film.transfer_syntax,
        Pseudonyms(request.key),
        keep_characteristics=request.keep_characteristics,
    )
    return DeidentifiedFilm(film, copy.file, copy.patient, copy.burned_in, copy.replaced, warnings)
