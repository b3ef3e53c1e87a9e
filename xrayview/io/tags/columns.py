"""Which attribute a column of the tag table is, and whether it may say who the patient is.

A column is a keyword (`Rows`), a tag (`00181164`), or a path through sequences with the number of
the item between: `SourceImageSequence.0.ReferencedSOPInstanceUID`.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache

from pydicom.datadict import (
    dictionary_has_tag,
    dictionary_VR,
    keyword_dict,
    keyword_for_tag,
    tag_for_keyword,
)

from xrayview.errors import UsageError

DEFAULT_COLUMNS = (
    "PatientID", "PatientSex", "PatientAge", "StudyInstanceUID", "SeriesInstanceUID",
    "SOPInstanceUID", "SOPClassUID", "TransferSyntaxUID", "Modality", "ImageType",
    "BodyPartExamined", "ViewPosition", "ImageLaterality", "Laterality", "PatientOrientation",
    "PresentationIntentType", "Manufacturer", "ManufacturerModelName", "SoftwareVersions",
    "DetectorType", "KVP", "XRayTubeCurrent", "ExposureTime", "Exposure", "ExposureIndex",
    "TargetExposureIndex", "DeviationIndex", "Sensitivity", "Grid", "DistanceSourceToDetector",
    "DistanceSourceToPatient", "EstimatedRadiographicMagnificationFactor", "ImagerPixelSpacing",
    "PixelSpacing", "PixelSpacingCalibrationType", "NominalScannedPixelSpacing",
    "NumberOfFrames", "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation",
    "BitsAllocated", "BitsStored", "PixelRepresentation", "RescaleSlope", "RescaleIntercept",
    "WindowCenter", "WindowWidth", "VOILUTFunction", "PresentationLUTShape",
    "LossyImageCompression", "LossyImageCompressionRatio", "BurnedInAnnotation",
)  # fmt: skip
"""What research asks of a radiograph, without identity."""

NUMBER_VRS = frozenset({"DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"})
_COUNTED_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ"})
"""Their cell is a length or a count."""
_CODED_VRS = frozenset({"AT", "CS", "UI"}) | NUMBER_VRS | _COUNTED_VRS
"""Numbers, codes and UIDs: whatever else is text, in which anything may stand."""
_SAFE_TEXT = frozenset({
    "AcquisitionDeviceProcessingCode", "CodeMeaning", "CodeValue", "CodingSchemeDesignator",
    "LUTExplanation", "Manufacturer", "ManufacturerModelName", "ModalityLUTType", "PatientAge",
    "PixelSpacingCalibrationDescription", "RescaleType", "SoftwareVersions", "ViewName",
    "WindowCenterWidthExplanation",
})  # fmt: skip
"""Text of devices and dictionaries, and the age, which the predictions have as well."""
_SAFE_SEQUENCES = frozenset({
    "AnatomicRegionModifierSequence", "AnatomicRegionSequence", "ModalityLUTSequence",
    "PrimaryAnatomicStructureSequence", "VOILUTSequence", "ViewCodeSequence",
    "ViewModifierCodeSequence",
})  # fmt: skip
"""Where a code is one of anatomy or geometry; elsewhere it may be one of a person or a place."""
_IDENTIFYING_CODES = frozenset({
    "InstanceOriginStatus", "LensSpecification", "PatientSexNeutered", "PatientSize",
    "PatientWeight", "PregnancyStatus", "ResponsiblePersonRole", "SmokingStatus",
})  # fmt: skip
"""Numbers and codes that the Basic Profile takes out (PS3.15, table E.1-1)."""


@dataclass(frozen=True)
class Column:
    """One column: `steps` are tags, with the numbers of items between them."""

    name: str
    steps: tuple[int, ...]
    keyword: str
    """Of the last step; empty where the dictionary has none."""
    vr: str
    """Of the last step; empty where the dictionary has none."""

    @property
    def is_identifying(self) -> bool:
        """True unless the attribute is known to say nothing of who the patient is.

        Free text, names, dates, times, places (GPS) and private attributes all may: only what
        cannot is listed, so that an attribute nobody thought of is not written.
        """
        sequences = {keyword_for_tag(tag) for tag in self.steps[:-1:2]}
        if self.keyword in _SAFE_TEXT and sequences <= _SAFE_SEQUENCES:
            return False
        is_place = 0x00160070 <= self.steps[-1] <= 0x0016008E
        return self.vr not in _CODED_VRS or self.keyword in _IDENTIFYING_CODES or is_place


@cache
def parse_column(name: str) -> Column:
    """The column that `name` names.

    Raises:
        UsageError: an unknown keyword or a broken path, with the nearest keyword as a hint.
    """
    parts = name.split(".")
    if len(parts) % 2 == 0:
        raise _no_column(name, "a path is SEQUENCE.ITEM.ATTRIBUTE", "Items count from 0.")
    tags = [_tag(part, name) for part in parts[::2]]
    numbers = [_item(part, name) for part in parts[1::2]]
    steps = [tags[0]]
    for number, tag in zip(numbers, tags[1:], strict=True):
        steps += [number, tag]
    return column_of(tuple(steps), name)


def column_of(steps: tuple[int, ...], name: str = "") -> Column:
    """The column of a path of tags with the numbers of items between them."""
    tag = steps[-1]
    vr = dictionary_VR(tag) if dictionary_has_tag(tag) else ""
    # `US or SS`: the file decides between two that are both numbers.
    return Column(name, steps, keyword_for_tag(tag), vr.split(" ")[0])


def _tag(part: str, name: str) -> int:
    if part and (number := tag_for_keyword(part)) is not None:
        return int(number)
    if re.fullmatch(r"[0-9A-Fa-f]{8}", part):
        return int(part, 16)
    near = difflib.get_close_matches(part, keyword_dict, n=1)
    hint = f"Did you mean {near[0]}?" if near else "Use DICOM keywords, as in PatientSex."
    raise _no_column(name, f"{part!r} is no DICOM keyword", hint)


def _item(part: str, name: str) -> int:
    if not part.isdecimal() or len(part) > 6:
        raise _no_column(name, f"{part!r} is no number of an item", "Items count from 0.")
    return int(part)


def _no_column(name: str, why: str, hint: str) -> UsageError:
    return UsageError(f"{name!r} is no column", why=why, hint=hint)
