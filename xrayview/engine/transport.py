"""The way of a request through a worker and of its answer back to the parent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from xrayview.domain.radiograph import Radiograph
from xrayview.engine import decoding, judging, leaving, showing, thumbnails
from xrayview.engine.failures import unexpected
from xrayview.engine.protocol import (
    Classify,
    DecodeFilm,
    DeidentifyFilm,
    Explain,
    InspectFilm,
    LoadModel,
    MakeThumbnail,
    PrepareInput,
    PruneThumbnails,
    ReadAttributes,
    ReadHeaders,
    ReadIndex,
    ReadTags,
    RenderFilm,
    Reply,
    Request,
)
from xrayview.engine.shared_array import SharedArray, share, take
from xrayview.errors import XrayViewError

HANDLERS: dict[type, Callable[[Any], Reply]] = {
    ReadHeaders: decoding.read_headers,
    DecodeFilm: decoding.decode_film,
    ReadIndex: decoding.read_index,
    MakeThumbnail: thumbnails.make_thumbnail,
    PruneThumbnails: thumbnails.prune_thumbnails,
    InspectFilm: showing.inspect_film,
    RenderFilm: showing.render_film,
    DeidentifyFilm: leaving.deidentify_film,
    ReadTags: showing.read_tags,
    ReadAttributes: showing.read_attributes,
    PrepareInput: decoding.prepare_input,
    LoadModel: judging.load_model,
    Classify: judging.classify_films,
    Explain: judging.explain_film,
}


@dataclass(frozen=True, eq=False)
class SharedFilm:
    """A radiograph whose pixels travel apart."""

    without_pixels: Radiograph
    pixels: SharedArray | npt.NDArray[Any]


Wire = Reply | SharedFilm


def answer(request: Request, segment: str) -> Wire | XrayViewError:
    """Run the handler of `request`; every failure becomes one of our own errors."""
    try:
        return _pack(HANDLERS[type(request)](request), segment)
    except XrayViewError as error:
        error.__traceback__ = error.__cause__ = error.__context__ = None
        return error
    except Exception as error:  # the seam where foreign errors end
        return unexpected(request, error)


def _pack(reply: Reply, segment: str) -> Wire:
    if not isinstance(reply, Radiograph):
        return reply
    empty = np.empty((0, 0), reply.pixels_HW.dtype)
    return SharedFilm(replace(reply, pixels_HW=empty), share(reply.pixels_HW, segment))


def unpack(wire: Wire) -> Reply:
    """In the parent: the reply, with a radiograph's pixels in private memory."""
    if not isinstance(wire, SharedFilm):
        return wire
    return replace(wire.without_pixels, pixels_HW=take(wire.pixels))
