"""Handlers of decode requests.

Decoders are imported inside the functions, because the parent process imports this module and must
not load them.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from xrayview.domain.film import FilmRef, RejectedFile
from xrayview.domain.model import PreprocessSpec, Scope
from xrayview.domain.radiograph import Radiograph
from xrayview.domain.stated import StatedFilms
from xrayview.engine.failures import unexpected
from xrayview.engine.protocol import (
    DecodeFilm,
    Limits,
    PreparedFilm,
    PrepareInput,
    PrepareInputs,
    ReadHeaders,
    ReadIndex,
)
from xrayview.errors import StatusCode, XrayViewError
from xrayview.io.scan import relative_path

if TYPE_CHECKING:
    from xrayview.io.readers import FileCache


def load_decoders() -> None:
    """Import what every film needs, so that the first film need not wait for it."""
    from xrayview.display import pyramid  # noqa: F401
    from xrayview.io import readers  # noqa: F401
    from xrayview.preprocessing import pipeline  # noqa: F401


def read_headers(request: ReadHeaders) -> tuple[FilmRef | RejectedFile, ...]:
    """One reply per path, in order; a file that is not a film is rejected."""
    return tuple(_read_header(path, request.root) for path in request.paths)


def _read_header(path: Path, root: Path) -> FilmRef | RejectedFile:
    from xrayview.io.readers import read_header

    try:
        return read_header(path, root)
    except XrayViewError as error:
        return rejected(path, root, error)
    except Exception as error:  # one file must not fail its whole chunk
        return rejected(path, root, unexpected(ReadHeaders((path,), root), error))


def rejected(path: Path, root: Path, error: XrayViewError) -> RejectedFile:
    """The rejected file with the reason, as browser and CSV list it."""
    why = f"{error.what} ({error.why})" if error.why else error.what
    code = error.code or StatusCode.DECODE_FAILED
    return RejectedFile(path, relative_path(path, root), code, why, error.hint)


def read_index(request: ReadIndex) -> tuple[Path | RejectedFile, ...]:
    """The files that a DICOMDIR refers to."""
    from xrayview.io.dicom.dicomdir import referenced_files

    return tuple(referenced_files(request.path))


def decode_film(request: DecodeFilm, *, hashed: bool = True) -> Radiograph:
    """Decode one film, or one frame of it; see `read_film` for `hashed`."""
    from xrayview.io.readers import read_film

    film, cache = request.film, _file_cache()
    limits = request.limits or Limits()
    if film.frames == 1:
        cache.release()
        return read_film(film, max_megapixels=limits.max_megapixels, hashed=hashed)
    return read_film(film, max_megapixels=limits.max_megapixels, cache=cache)


@cache
def _file_cache() -> FileCache:
    """The file of the last frame; the next request is often for another frame of it."""
    from xrayview.io.readers import FileCache

    return FileCache()


def prepare_input(request: PrepareInput) -> PreparedFilm:
    """Preprocess the film, and check by header and pixels whether it is in scope."""
    radiograph = decode_film(DecodeFilm(request.film, request.limits))
    return _prepared(radiograph, request.spec, request.scope, request.stated)


def prepare_inputs(request: PrepareInputs) -> tuple[PreparedFilm, ...]:
    """Decode the film once, and prepare it for each model."""
    radiograph = decode_film(DecodeFilm(request.film, request.limits))
    return tuple(
        _prepared(radiograph, spec, scope, request.stated) for spec, scope in request.models
    )


def _prepared(
    radiograph: Radiograph, spec: PreprocessSpec, scope: Scope, stated: StatedFilms
) -> PreparedFilm:
    from xrayview.inference import gate
    from xrayview.preprocessing.pipeline import Preprocessor

    described = gate.check_description(radiograph.ref, scope, stated)
    by_pixels = gate.check_pixels(radiograph)
    model_input = Preprocessor(spec)(radiograph)
    return PreparedFilm(
        film=radiograph.ref,
        model_input=model_input,
        sha256=radiograph.sha256,
        gate=gate.combine_verdicts((described, by_pixels)),
        pixel_gate=by_pixels,
        input_sha256=hashlib.sha256(model_input.x_CHW.tobytes()).hexdigest(),
        warnings=radiograph.warnings + model_input.warnings,
    )
