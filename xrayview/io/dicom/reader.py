"""DICOM films: the header for lists, and the pixels with their grey-scale for the viewer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from io import BufferedReader, BytesIO, RawIOBase
from typing import Any

import numpy.typing as npt
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset

from xrayview.domain.age import age_on
from xrayview.domain.film import FilmRef
from xrayview.domain.formats import DICOM
from xrayview.domain.radiograph import SPACING_KEYWORDS, Greyscale, Radiograph
from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.io.dicom.dataset import DicomFile, PixelElement, open_dicom, sniff
from xrayview.io.dicom.fast_header import (
    Element,
    NeedsPydicom,
    Tag,
    header_elements,
    integer_value,
    tag_bytes,
    text_value,
)
from xrayview.io.dicom.functional_groups import GROUP_TAGS, at_frame
from xrayview.io.dicom.greyscale_header import SampleFormat, greyscale_of
from xrayview.io.dicom.image_pixel import PixelDescription, describe
from xrayview.io.dicom.orientation import orientation_of
from xrayview.io.dicom.overlay_planes import TAGS as OVERLAY_TAGS
from xrayview.io.dicom.overlay_planes import overlay_planes
from xrayview.io.dicom.pixels import (
    DecodedFrame,
    FrameSource,
    decode_frame,
    stored_frame,
    unused_bit,
)
from xrayview.io.dicom.shutter import KEYWORDS as SHUTTER_KEYWORDS
from xrayview.io.dicom.shutter import shutter_of
from xrayview.io.dicom.spacing import spacing_of
from xrayview.io.dicom.transfer_syntax import (
    TRANSFER_SYNTAXES,
    TransferSyntax,
    unsupported,
)
from xrayview.io.dicom.values import integer, items, numbers, text

__all__ = ["read", "read_header", "sniff", "stored_frames"]

_TEXT_FIELDS: dict[str, str] = {
    "study_uid": "StudyInstanceUID",
    "series_uid": "SeriesInstanceUID",
    "sop_uid": "SOPInstanceUID",
    "modality": "Modality",
    "body_part": "BodyPartExamined",
    "view_position": "ViewPosition",
    "patient_sex": "PatientSex",
    "patient_age": "PatientAge",
    "manufacturer": "Manufacturer",
    "institution": "InstitutionName",
    "study_date": "StudyDate",
    "acquisition_date": "AcquisitionDate",
    "study_description": "StudyDescription",
    "series_description": "SeriesDescription",
    "patient_id": "PatientID",
    "patient_name": "PatientName",
}
_INTEGER_FIELDS: dict[str, str] = {
    "series_number": "SeriesNumber",
    "instance_number": "InstanceNumber",
    "rows": "Rows",
    "columns": "Columns",
}
_BIRTH_DATE = "PatientBirthDate"
"""Read for the age only; it is in no field."""
_LATERALITY = ("FrameLaterality", "ImageLaterality", "Laterality")
"""The first one with a value counts; a frame has its own in its functional groups."""
_FILM_KEYWORDS = (
    *_TEXT_FIELDS.values(),
    *_INTEGER_FIELDS.values(),
    *_LATERALITY,
    _BIRTH_DATE,
    "NumberOfFrames",
)
CINE_KEYWORDS = ("RecommendedDisplayFrameRate", "CineRate", "FrameTime")
_PICTURE_KEYWORDS = (
    "SOPClassUID",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "RescaleSlope",
    "RescaleIntercept",
    "ModalityLUTSequence",
    "PixelIntensityRelationship",
    "WindowCenter",
    "WindowWidth",
    "WindowCenterWidthExplanation",
    "VOILUTFunction",
    "VOILUTSequence",
    "PresentationLUTShape",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    *SPACING_KEYWORDS,
    "PatientOrientation",
    "ImageOrientationPatient",
    "AnatomicalOrientationType",
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    "PresentationIntentType",
    "BurnedInAnnotation",
    *SHUTTER_KEYWORDS,
    *CINE_KEYWORDS,
)
_PALETTE_KEYWORDS = (
    *(
        f"{colour}PaletteColorLookupTable{part}"
        for colour in ("Red", "Green", "Blue")
        for part in ("Descriptor", "Data")
    ),
    *(f"Segmented{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue")),
)


def _tags(*keywords: str) -> list[int]:
    return [tag for keyword in keywords if (tag := tag_for_keyword(keyword)) is not None]


_CHARACTER_SET = "SpecificCharacterSet"
_SHARED = "SharedFunctionalGroupsSequence"
"""Lists describe all frames of a film together, so the groups of single frames are not read."""
_HEADER_TAGS = _tags(*_FILM_KEYWORDS, _SHARED)
_FAST_FIELDS: dict[str, str] = {
    **_TEXT_FIELDS,
    **_INTEGER_FIELDS,
    "frames": "NumberOfFrames",
    **{keyword: keyword for keyword in (*_LATERALITY, _BIRTH_DATE, _CHARACTER_SET, _SHARED)},
}


def _check_character_set(_vr: bytes, data: bytes) -> str:
    """Empty: only ASCII text is read here, whatever the character set.

    Raises:
        NeedsPydicom: a character set that pydicom may reject.
    """
    if b"\0" in data.rstrip(b"\0 "):
        raise NeedsPydicom
    return ""


def _refuse_groups(_vr: bytes, _data: bytes) -> str:
    """Leave functional groups to pydicom.

    Raises:
        NeedsPydicom: always.
    """
    raise NeedsPydicom


_Parse = Callable[[bytes, bytes], str | int]
_PARSERS: dict[str, _Parse] = {
    _CHARACTER_SET: _check_character_set,
    _SHARED: _refuse_groups,
    **dict.fromkeys((*_INTEGER_FIELDS, "frames"), integer_value),
}
_FAST_ELEMENTS: dict[Tag, tuple[str, bytes, _Parse]] = {
    tag_bytes(tag): (
        field,
        dictionary_VR(tag).encode("ascii"),
        _PARSERS.get(field, text_value),
    )
    for field, keyword in _FAST_FIELDS.items()
    for tag in _tags(keyword)
}
"""For each element the field it fills, its VR in the dictionary, and the parser of its value."""
_UNKNOWN_VRS = frozenset({b"", b"UN"})
"""VRs that do not say how a value is encoded."""
_ALL_TAGS = [
    *_tags(*_FILM_KEYWORDS, *_PICTURE_KEYWORDS, *_PALETTE_KEYWORDS),
    *OVERLAY_TAGS,
    *GROUP_TAGS,
]


def read_header(head: bytes, file: RawIOBase) -> dict[str, Any]:
    """Fields of `FilmRef` from the header; the pixels are not read.

    Args:
        head: the first CHUNK_BYTES of the file.
        file: the whole file.

    Raises:
        UnreadableFilm: NO_PIXELS, UNSUPPORTED_SYNTAX, DECODE_FAILED for a broken header.
    """
    try:
        return _fast_fields(*header_elements(head, file, _FAST_ELEMENTS))
    except NeedsPydicom:
        file.seek(0)
    with BufferedReader(file) as stream:
        opened = open_dicom(stream, _HEADER_TAGS, with_pixels=False)
    _pixels_of(opened)
    _syntax_of(opened)
    return _fields(at_frame(opened, 0))


def _fast_fields(syntax: str, elements: dict[Tag, Element]) -> dict[str, Any]:
    """The same as `_fields` of the same file.

    Raises:
        NeedsPydicom: a transfer syntax or a value that is not ordinary.
    """
    if syntax not in TRANSFER_SYNTAXES:
        raise NeedsPydicom
    fields: dict[str, Any] = {"format": DICOM.id, "transfer_syntax": syntax}
    for tag, (vr, data) in elements.items():
        field, known_vr, parse = _FAST_ELEMENTS[tag]
        fields[field] = parse(known_vr if vr in _UNKNOWN_VRS else vr, data)
    fields.pop(_CHARACTER_SET, None)
    fields["age_by_dates"] = _age_by_dates(fields.pop(_BIRTH_DATE, ""), fields)
    sides = [fields.pop(keyword, "") for keyword in _LATERALITY]
    fields["laterality"] = next(filter(None, sides), "")
    fields["frames"] = max(fields.get("frames", 1), 1)
    return fields


Decode = Callable[[FrameSource, float], DecodedFrame]


def read(
    data: bytes, film: FilmRef, max_megapixels: float, decode: Decode = decode_frame
) -> Radiograph:
    """Decode `film.frame` of a file in memory.

    Raises:
        UnreadableFilm: NO_PIXELS, UNSUPPORTED_SYNTAX, TOO_LARGE, DECODE_FAILED.
    """
    file = at_frame(open_dicom(BytesIO(data), _ALL_TAGS, with_pixels=True), film.frame)
    pixels = _pixels_of(file)
    syntax = _syntax_of(file)
    description = describe(file.dataset, pixels.keyword)
    source = FrameSource(file, pixels, description, syntax, film.frame)
    decoded = decode(source, max_megapixels)
    notes: tuple[str, ...] = ()
    if decoded.colour:
        # Luminance has its own depth; the grey-scale attributes describe monochrome pixels only.
        greyscale = Greyscale(bits_stored=8 * decoded.pixels_HW.dtype.itemsize)
    else:
        greyscale, notes = greyscale_of(file.dataset, _sample_format(file, description, decoded))
    spacing, spacing_notes = spacing_of(file.dataset)
    shutter, shutter_notes = shutter_of(file.dataset)
    overlays, overlay_notes = overlay_planes(
        file.dataset,
        film.frame,
        file.little_endian,
        partial(unused_bit, source),
    )
    return Radiograph(
        ref=replace(film, **_fields(file)),
        pixels_HW=decoded.pixels_HW,
        greyscale=greyscale,
        spacing=spacing,
        orientation=orientation_of(file.dataset),
        lossy=_lossy(file.dataset, syntax),
        for_processing=text(file.dataset, "PresentationIntentType") == "FOR PROCESSING",
        burned_in=text(file.dataset, "BurnedInAnnotation"),
        warnings=(*file.warnings, *decoded.warnings),
        notes=(*file.notes, *decoded.notes, *notes, *spacing_notes, *shutter_notes, *overlay_notes),
        overlays=overlays,
        shutter=shutter,
        attributes=_attributes(file.dataset),
        attribute_paths=file.attribute_paths,
    )


def stored_frames(data: bytes, max_megapixels: float) -> Iterator[npt.NDArray[Any]]:
    """Yield every frame of a file in memory as stored, without conversion of colour or type.

    Raises:
        UnreadableFilm: NO_PIXELS, UNSUPPORTED_SYNTAX, TOO_LARGE, DECODE_FAILED.
    """
    file = open_dicom(BytesIO(data), _ALL_TAGS, with_pixels=True)
    pixels = _pixels_of(file)
    syntax = _syntax_of(file)
    description = describe(file.dataset, pixels.keyword)
    for frame in range(description.frames):
        source = FrameSource(file, pixels, description, syntax, frame)
        yield stored_frame(source, max_megapixels).samples


def _fields(file: DicomFile) -> dict[str, Any]:
    dataset = file.dataset
    texts = {field: text(dataset, keyword) for field, keyword in _TEXT_FIELDS.items()}
    return {
        **texts,
        **{field: integer(dataset, keyword) or 0 for field, keyword in _INTEGER_FIELDS.items()},
        "format": DICOM.id,
        "transfer_syntax": file.transfer_syntax,
        "frames": max(integer(dataset, "NumberOfFrames") or 1, 1),
        "laterality": next(filter(None, (text(dataset, side) for side in _LATERALITY)), ""),
        "age_by_dates": _age_by_dates(text(dataset, _BIRTH_DATE), texts),
    }


def _age_by_dates(birth_date: str, fields: Mapping[str, Any]) -> float | None:
    return age_on(birth_date, fields.get("study_date") or fields.get("acquisition_date") or "")


def _attributes(dataset: Dataset) -> dict[str, str]:
    """The attributes of the picture as text; of sequences, the number of items."""
    return {
        keyword: f"items: {len(items(dataset, keyword))}"
        if keyword.endswith("Sequence")
        else text(dataset, keyword)
        for keyword in _PICTURE_KEYWORDS
        if keyword in dataset
    }


def _pixels_of(file: DicomFile) -> PixelElement:
    if file.pixels is not None:
        return file.pixels
    if file.truncated:
        raise UnreadableFilm(
            "The DICOM header is broken",
            code=StatusCode.DECODE_FAILED,
            why="the file ends inside its header",
            hint="The file was probably truncated; copy or export it again.",
        )
    # The references of an index may lead out of the folder, and are not followed here.
    raise UnreadableFilm(
        "A DICOM file without an image",
        code=StatusCode.NO_PIXELS,
        why="it is an index; its films are listed separately"
        if file.is_index
        else "it has no pixel data, as is normal for reports and plans",
        hint="Nothing to do: only files with an image are films.",
    )


def _syntax_of(file: DicomFile) -> TransferSyntax:
    syntax = TRANSFER_SYNTAXES.get(file.transfer_syntax)
    if syntax is None:
        raise unsupported(file.transfer_syntax)
    return syntax


def _sample_format(
    file: DicomFile, description: PixelDescription, decoded: DecodedFrame
) -> SampleFormat:
    return SampleFormat(
        description.photometric,
        decoded.bits_stored,
        description.signed,
        file.little_endian,
    )


def _lossy(dataset: Dataset, syntax: TransferSyntax) -> str:
    """`lossy 12:1`, with one ratio per step of repeated compression (PS3.3 C.7.6.1.1.5)."""
    if text(dataset, "LossyImageCompression") != "01" and not syntax.lossy:
        return ""
    ratios = [r for r in numbers(dataset, "LossyImageCompressionRatio") if 1 < r < 1e6]
    return " ".join(("lossy", *[", ".join(f"{ratio:.3g}:1" for ratio in ratios)] * bool(ratios)))
