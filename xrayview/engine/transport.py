"""Run a request in the worker, and pass the reply back to the parent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from xrayview.domain.radiograph import Radiograph
from xrayview.engine import (
    decode_handlers,
    deidentify_handler,
    display_handlers,
    model_handlers,
    thumbnail_handlers,
)
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
    PrepareInputs,
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
    ReadHeaders: decode_handlers.read_headers,
    DecodeFilm: decode_handlers.decode_film,
    ReadIndex: decode_handlers.read_index,
    MakeThumbnail: thumbnail_handlers.make_thumbnail,
    PruneThumbnails: thumbnail_handlers.prune_thumbnails,
    InspectFilm: display_handlers.inspect_film,
    RenderFilm: display_handlers.render_film,
    DeidentifyFilm: deidentify_handler.deidentify_film,
    ReadTags: display_handlers.read_tags,
    ReadAttributes: display_handlers.read_attributes,
    PrepareInput: decode_handlers.prepare_input,
    PrepareInputs: decode_handlers.prepare_inputs,
    LoadModel: model_handlers.load_model,
    Classify: model_handlers.classify_films,
    Explain: model_handlers.explain_film,
}


@dataclass(frozen=True, eq=False)
class SharedFilm:
    """A radiograph whose pixels are passed separately."""

    without_pixels: Radiograph
    pixels: SharedArray | npt.NDArray[Any]


Wire = Reply | SharedFilm


def reply_to(request: Request, segment: str) -> Wire | XrayViewError:
    """Run the handler of `request`; every failure becomes an `XrayViewError`."""
    try:
        return _pack(HANDLERS[type(request)](request), segment)
    except XrayViewError as error:
        error.__traceback__ = error.__cause__ = error.__context__ = None
        return error
    except Exception as error:  # no other exception leaves a worker
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
