"""The pipeline inspector: the steps that turn a film's stored values into displayed grey.

The order is that of `greyscale.displayed_grey`; every step names the attribute that it was read
from, with its value in the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from xrayview.display.shutter import visible_mask
from xrayview.display.voi import Voi, VoiKind, computed_percentiles, default_voi
from xrayview.domain.inspection import Attribute, Origin, Step
from xrayview.domain.radiograph import SPACING_KEYWORDS, Lut, Radiograph, Shutter

TAGS: dict[str, str] = {
    "SamplesPerPixel": "(0028,0002)",
    "PhotometricInterpretation": "(0028,0004)",
    "BitsAllocated": "(0028,0100)",
    "BitsStored": "(0028,0101)",
    "HighBit": "(0028,0102)",
    "PixelRepresentation": "(0028,0103)",
    "PixelPaddingValue": "(0028,0120)",
    "PixelPaddingRangeLimit": "(0028,0121)",
    "ModalityLUTSequence": "(0028,3000)",
    "PixelIntensityRelationship": "(0028,1040)",
    "RescaleSlope": "(0028,1053)",
    "RescaleIntercept": "(0028,1052)",
    "VOILUTSequence": "(0028,3010)",
    "WindowCenter": "(0028,1050)",
    "WindowWidth": "(0028,1051)",
    "WindowCenterWidthExplanation": "(0028,1055)",
    "VOILUTFunction": "(0028,1056)",
    "PresentationLUTShape": "(2050,0020)",
    "PixelSpacing": "(0028,0030)",
    "PixelSpacingCalibrationType": "(0028,0A02)",
    "ImagerPixelSpacing": "(0018,1164)",
    "NominalScannedPixelSpacing": "(0018,2010)",
    "PixelAspectRatio": "(0028,0034)",
    "EstimatedRadiographicMagnificationFactor": "(0018,1114)",
    "DistanceSourceToDetector": "(0018,1110)",
    "DistanceSourceToPatient": "(0018,1111)",
    "ShutterShape": "(0018,1600)",
    "ShutterUpperHorizontalEdge": "(0018,1606)",
    "ShutterLowerHorizontalEdge": "(0018,1608)",
    "ShutterLeftVerticalEdge": "(0018,1602)",
    "ShutterRightVerticalEdge": "(0018,1604)",
    "CenterOfCircularShutter": "(0018,1610)",
    "RadiusOfCircularShutter": "(0018,1612)",
    "VerticesOfThePolygonalShutter": "(0018,1620)",
    "ShutterPresentationValue": "(0018,1622)",
}
"""Tags of the attributes that a step may come from (PS3.6)."""


def pipeline_steps(
    radiograph: Radiograph,
    voi: Voi | None = None,
    *,
    invert: bool = False,
    overlays: bool = True,
    shutter: bool = True,
) -> tuple[Step, ...]:
    """Return the steps applied to this film, in order.

    Args:
        radiograph: any film; one without DICOM attributes has steps of origin `default` and
            `computed`.
        voi: the window or LUT in force; None is the film's default.
        invert: the user's own inversion.
        overlays: the overlay planes are drawn.
        shutter: the shutter is applied.
    """
    voi = default_voi(radiograph) if voi is None else voi
    return (
        *_steps(radiograph, voi, invert),
        *_shutter_and_overlay_steps(radiograph, overlays=overlays, shutter=shutter),
    )


def spacing_attributes(radiograph: Radiograph) -> tuple[Attribute, ...]:
    """Return the attributes of the file that its `spacing` is derived from."""
    return _attributes(radiograph, SPACING_KEYWORDS)


def _steps(film: Radiograph, voi: Voi, invert: bool) -> Iterator[Step]:
    yield _stored(film)
    if _is_colour(film):
        yield _colour(film)
    if film.greyscale.padding is not None:
        low, high = film.greyscale.padding
        text = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        keywords = ("PixelPaddingValue", "PixelPaddingRangeLimit")
        yield _step(film, "Pixel padding", f"{text}: background, shown black", *keywords)
    yield from _modality(film)
    yield _voi(film, voi)
    yield _inversion(film)
    if invert:
        yield Step("Inversion by the user", "inverted", "user")


def _shutter_and_overlay_steps(
    film: Radiograph, *, overlays: bool, shutter: bool
) -> Iterator[Step]:
    if film.shutter is not None:
        shutter_keywords = (keyword for keyword in TAGS if "Shutter" in keyword)
        step = _step(film, "Shutter", _shutter_text(film.shutter), *shutter_keywords)
        yield step if shutter else _switched_off(step)
    for plane in film.overlays:
        rows, columns = plane.bits_HW.shape
        kind = "region of interest, not drawn" if plane.is_roi else "graphics, drawn white"
        text = f"{plane.label}: {kind}" if plane.label else kind
        tag = Attribute("OverlayData", f"({plane.group:04X},3000)", f"{columns} × {rows}")
        step = Step("Overlay plane", text, "file", (tag,))
        yield step if overlays or plane.is_roi else _switched_off(step)


def _switched_off(step: Step) -> Step:
    return replace(step, value=f"{step.value}: switched off", origin="user")


def _stored(film: Radiograph) -> Step:
    keywords = ("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation")
    rows, columns = film.pixels_HW.shape
    size = f"{columns} × {rows}"
    if _is_colour(film):  # the decoded pixels are already luminance
        return _step(film, "Stored values", size, "SamplesPerPixel", *keywords)
    return _step(film, "Stored values", f"{film.pixels_HW.dtype.name}, {size}", *keywords)


def _colour(film: Radiograph) -> Step:
    palette = film.attributes["PhotometricInterpretation"] == "PALETTE COLOR"
    text = f"luminance, Rec. 601, {film.pixels_HW.dtype.name}"
    text = f"through the palette, then {text}" if palette else text
    return _step(film, "Colour", text, "PhotometricInterpretation")


def _modality(film: Radiograph) -> Iterator[Step]:
    greyscale = film.greyscale
    if _is_colour(film):
        yield Step("Rescale", "none: luminance is shown as it is", "default")
        return
    name, keyword = "Modality LUT", "ModalityLUTSequence"
    if greyscale.modality_lut is not None:
        yield _step(film, name, _lut_text(greyscale.modality_lut), keyword)
        return
    if keyword in film.attributes:
        yield _step(film, name, "left out", keyword, "PixelIntensityRelationship")
    values = f"slope {greyscale.slope:g}, intercept {greyscale.intercept:g}"
    yield _step(film, "Rescale", values, "RescaleSlope", "RescaleIntercept")


def _voi(film: Radiograph, voi: Voi) -> Step:
    if isinstance(voi, Lut):
        name = voi.explanation if voi.explanation != VoiKind.LUT else ""
        text = ": ".join(part for part in (name, _lut_text(voi)) if part)
        return _step(film, "VOI LUT", text, "VOILUTSequence")
    text = f"centre {voi.center:g}, width {voi.width:g}, {voi.function}"
    if voi in film.greyscale.windows:
        keywords = ("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction")
        return _step(film, "Window", f"{text} {voi.explanation}".strip(), *keywords)
    percentiles = computed_percentiles(voi, film.greyscale)
    if percentiles is None:
        return Step("Window", text, "user")
    name = "" if voi.explanation == "Auto" else f"{voi.explanation}: "
    low, high = percentiles
    source = f"from the {low:g} to the {high:g} percentile{_excluded(film)}"
    return Step("Window", f"{name}{text}, {source}", "computed")


def _excluded(film: Radiograph) -> str:
    """Name the pixels that the percentiles leave out."""
    visible = visible_mask(film)
    parts = {
        "padding": film.greyscale.padding is not None,
        # A shutter that hides everything is ignored.
        "what the shutter hides": visible is not None and bool(visible.any()),
    }
    names = " and ".join(part for part, is_excluded in parts.items() if is_excluded)
    return f", without {names}" if names else ""


def _inversion(film: Radiograph) -> Step:
    text = "inverted: high values are dark" if film.greyscale.inverted else "none"
    if _is_colour(film):
        return Step("Inversion", text, "default")
    return _step(film, "Inversion", text, "PhotometricInterpretation", "PresentationLUTShape")


def _shutter_text(shutter: Shutter) -> str:
    shapes = ("rectangle", "circle", "polygon")
    return ", ".join(shape for shape in shapes if getattr(shutter, shape))


def _lut_text(lut: Lut) -> str:
    text = f"{lut.entries.size} entries from {lut.first_value}, {lut.bits} bits"
    declared = lut.as_declared
    return text if declared is None else f"{text} like the entries; {declared.bits} are declared"


def _is_colour(film: Radiograph) -> bool:
    photometric = film.attributes.get("PhotometricInterpretation", "MONOCHROME")
    return not photometric.startswith("MONOCHROME")


def _step(film: Radiograph, name: str, value: str, *keywords: str) -> Step:
    """Return a step with those attributes that the file has; without any, it is the default."""
    attributes = _attributes(film, keywords)
    origin: Origin = "file" if attributes else "default"
    return Step(name, value, origin, attributes)


def _attributes(film: Radiograph, keywords: tuple[str, ...]) -> tuple[Attribute, ...]:
    return tuple(
        Attribute(
            keyword, film.attribute_paths.get(keyword, TAGS[keyword]), film.attributes[keyword]
        )
        for keyword in keywords
        if keyword in film.attributes
    )
