"""Handlers of requests that show a film or its header; heavy imports are inside the functions."""

from __future__ import annotations

from dataclasses import replace

from xrayview.domain.figure import FILM_ONLY, FigureLook
from xrayview.domain.inspection import FilmInspection
from xrayview.domain.radiograph import Radiograph, VoiFunction, Window
from xrayview.domain.tags import TagNode
from xrayview.engine.decode_handlers import decode_film
from xrayview.engine.protocol import (
    DecodeFilm,
    InspectFilm,
    Limits,
    ReadAttributes,
    ReadTags,
    RenderedFilm,
    RenderFilm,
)
from xrayview.errors import UsageError


def inspect_film(request: InspectFilm) -> FilmInspection:
    """Describe a film: format, stored values, and the steps to displayed grey."""
    from pydicom.uid import UID

    from xrayview.display.inspector import pipeline_steps, spacing_attributes
    from xrayview.io.dicom.transfer_syntax import TRANSFER_SYNTAXES
    from xrayview.io.readers import read_stored_values

    limits = request.limits or Limits()
    radiograph = decode_film(DecodeFilm(request.film, request.limits))
    film = radiograph.ref
    sop_class = radiograph.attributes.get("SOPClassUID", "")
    syntax = TRANSFER_SYNTAXES.get(film.transfer_syntax)
    return FilmInspection(
        format=film.format,
        sop_class_uid=sop_class,
        sop_class=UID(sop_class).name if sop_class else "",
        modality=film.modality,
        transfer_syntax_uid=film.transfer_syntax,
        transfer_syntax=syntax.name if syntax else "",
        rows=film.rows,
        columns=film.columns,
        frames=film.frames,
        stored=read_stored_values(film.path, max_megapixels=limits.max_megapixels),
        steps=pipeline_steps(radiograph),
        spacing=radiograph.spacing,
        orientation=radiograph.orientation,
        lossy=radiograph.lossy,
        for_processing=radiograph.for_processing,
        burned_in=radiograph.burned_in,
        warnings=radiograph.warnings,
        notes=radiograph.notes,
        file_sha256=radiograph.sha256,
        spacing_attributes=spacing_attributes(radiograph),
        frame=film.frame,
    )


def render_film(request: RenderFilm) -> RenderedFilm:
    """Render a film's displayed grey as a picture file."""
    from xrayview.display.voi import auto_window

    radiograph = decode_film(DecodeFilm(request.film, request.limits))
    voi = auto_window(radiograph) if request.auto else _window(request, radiograph)
    return RenderedFilm(
        film=radiograph.ref,
        picture=_picture(radiograph, voi, request),
        burned_in=radiograph.burned_in,
        warnings=radiograph.warnings,
    )


def _picture(radiograph: Radiograph, voi: Window | None, request: RenderFilm) -> bytes:
    from xrayview.display.figure import compose
    from xrayview.display.figure_grey import oriented_grey
    from xrayview.display.figure_raster import draw
    from xrayview.io.export import encode
    from xrayview.io.figure_svg import svg

    look = FigureLook(voi, invert=request.invert, overlays=request.overlays)
    if request.style is None and request.format != "svg":
        spacing = radiograph.spacing if request.square else None
        grey_HW = oriented_grey(radiograph, look, request.bits, spacing=spacing)
        return encode(grey_HW, request.format)
    style = replace(request.style or FILM_ONLY, bits=request.bits)
    figure = compose(radiograph, look, style, heat=request.heat, result_text=request.result_text)
    return svg(figure) if request.format == "svg" else encode(draw(figure), request.format)


def _window(request: RenderFilm, radiograph: Radiograph) -> Window | None:
    """The requested window; None is the film's default."""
    greyscale = radiograph.greyscale
    if request.window is not None:
        return _with_function_of(request.window, greyscale.voi_function)
    if request.window_index is None:
        return None
    if not 1 <= request.window_index <= len(greyscale.windows):
        raise UsageError(
            f"The film has no window {request.window_index}",
            path=request.film.path,
            why=f"its file has {len(greyscale.windows)}",
            hint="`xrayview inspect` lists the windows; --auto needs none.",
        )
    return greyscale.windows[request.window_index - 1]


def _with_function_of(window: Window, function: VoiFunction) -> Window:
    """A window with the film's own VOI function, as when the user drags it."""
    if function is VoiFunction.LINEAR and window.width < 1:
        function = VoiFunction.LINEAR_EXACT  # PS3.3 C.11.2.1.2.1: LINEAR starts at width 1
    return replace(window, function=function)


def read_tags(request: ReadTags) -> tuple[TagNode, ...]:
    """Read all attributes of a DICOM file as a tree."""
    from xrayview.io.tags import tree as tag_tree

    return tag_tree.read_tags(request.path)


def read_attributes(request: ReadAttributes) -> tuple[str, ...]:
    """Read the cells of one row of the tag table."""
    from xrayview.io.tags import tree as tag_tree

    return tag_tree.read_values(request.path, request.columns)
