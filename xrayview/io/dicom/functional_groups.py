"""The attributes of one frame, from an object's functional groups (PS3.3 C.7.6.16)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset

from xrayview.io.dicom.dataset import DicomFile
from xrayview.io.dicom.shutter import KEYWORDS as SHUTTER_KEYWORDS
from xrayview.io.dicom.values import items, raw_element

_PER_FRAME = "PerFrameFunctionalGroupsSequence"
_SHARED = "SharedFunctionalGroupsSequence"
MACROS: dict[str, tuple[str, ...]] = {
    "PixelValueTransformationSequence": (
        "RescaleSlope",
        "RescaleIntercept",
        "ModalityLUTSequence",
    ),
    "FrameVOILUTSequence": (
        "WindowCenter",
        "WindowWidth",
        "WindowCenterWidthExplanation",
        "VOILUTFunction",
        "VOILUTSequence",
    ),
    "PixelMeasuresSequence": ("PixelSpacing",),
    "FramePixelDataPropertiesSequence": ("ImagerPixelSpacing",),
    "XRayGeometrySequence": ("DistanceSourceToDetector", "DistanceSourceToPatient"),
    "FrameDisplayShutterSequence": SHUTTER_KEYWORDS,
    "PlaneOrientationSequence": ("ImageOrientationPatient", "PatientOrientation"),
    "PatientOrientationInFrameSequence": ("PatientOrientation",),
    "FrameAnatomySequence": ("FrameLaterality",),
}
"""For each macro's sequence, the attributes it replaces together: a macro with a window also drops
a VOI LUT Function from the top level."""


def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    assert tag is not None  # tests check the tables
    return tag


GROUP_TAGS = (_tag(_SHARED), _tag(_PER_FRAME))


def at_frame(file: DicomFile, frame: int) -> DicomFile:
    """The file with the attributes of one frame, counted from 0, at the top level.

    Attributes of the frame's own macros, or else of the shared ones, replace those at the top
    level; `attribute_paths` has the path of each. A macro without any value is ignored. A file
    without functional groups is returned unchanged.
    """
    groups = tuple(_groups(file.dataset, frame))
    if not groups:
        return file
    dataset = file.dataset[:]
    attribute_paths: dict[str, str] = {}
    for macro, keywords in MACROS.items():
        found = next(_items_with_values(macro, groups), None)
        if found is None:
            continue
        path, item = found
        for keyword in keywords:
            dataset.pop(_tag(keyword), None)
            attribute_paths.pop(keyword, None)
            element = raw_element(item, _tag(keyword))
            if isinstance(element, RawDataElement | DataElement):
                dataset[_tag(keyword)] = element
                attribute_paths[keyword] = f"{path} > {_tag_text(keyword)}"
    return replace(file, dataset=dataset, attribute_paths=attribute_paths)


def _groups(dataset: Dataset, frame: int) -> Iterator[tuple[str, Dataset]]:
    """The frame's own groups, then the shared ones, each with its path."""
    for keyword, i in ((_PER_FRAME, frame), (_SHARED, 0)):
        groups = _items(dataset, keyword)
        if 0 <= i < len(groups):
            index = f"[{i}]" if keyword == _PER_FRAME else ""
            yield f"{_tag_text(keyword)}{index}", groups[i]


def _items(dataset: Dataset, keyword: str) -> tuple[Dataset, ...]:
    raw = raw_element(dataset, _tag(keyword))
    return _parsed(raw, keyword) if isinstance(raw, RawDataElement) else items(dataset, keyword)


@lru_cache(maxsize=2)
def _parsed(raw: RawDataElement, keyword: str) -> tuple[Dataset, ...]:
    """Cached for the next frame of the same file, which may have hundreds, each with its groups."""
    return items(Dataset({raw.tag: raw}), keyword)


def _items_with_values(
    macro: str, groups: tuple[tuple[str, Dataset], ...]
) -> Iterator[tuple[str, Dataset]]:
    for path, group in groups:
        for item in items(group, macro)[:1]:
            if any(_has_value(item, keyword) for keyword in MACROS[macro]):
                yield f"{path} > {_tag_text(macro)}", item


def _has_value(item: Dataset, keyword: str) -> bool:
    element = raw_element(item, _tag(keyword))
    return bool(getattr(element, "value", None))


def _tag_text(keyword: str) -> str:
    tag = _tag(keyword)
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
