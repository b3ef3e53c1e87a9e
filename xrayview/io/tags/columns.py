"""The columns of the tag table, and whether they may identify the patient.

A column is a keyword (`Rows`), a tag (`00181164`), or a path through sequences with item indices:
`SourceImageSequence.0.ReferencedSOPInstanceUID`.
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
"""What research usually needs of a radiograph; only PatientID identifies, and it is hashed."""

NUMBER_VRS = frozenset({"DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"})
_COUNTED_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ"})
"""Their cell is a length or a number of items."""
_CODED_VRS = frozenset({"AT", "CS", "UI"}) | NUMBER_VRS | _COUNTED_VRS
"""Numbers, codes and UIDs; all other VRs are text, which may contain anything."""
_SAFE_TEXT = frozenset({
    "AcquisitionDeviceProcessingCode", "CodeMeaning", "CodeValue", "CodingSchemeDesignator",
    "LUTExplanation", "Manufacturer", "ManufacturerModelName", "ModalityLUTType", "PatientAge",
    "PixelSpacingCalibrationDescription", "RescaleType", "SoftwareVersions", "ViewName",
    "WindowCenterWidthExplanation",
})  # fmt: skip
"""Text from devices and dictionaries, and the age, which is in the predictions too."""
_SAFE_SEQUENCES = frozenset({
    "AnatomicRegionModifierSequence", "AnatomicRegionSequence", "ModalityLUTSequence",
    "PrimaryAnatomicStructureSequence", "VOILUTSequence", "ViewCodeSequence",
    "ViewModifierCodeSequence",
})  # fmt: skip
"""Sequences with codes of anatomy or geometry; in others a code may mean a person or a place."""
_IDENTIFYING_CODES = frozenset({
    "InstanceOriginStatus", "LensSpecification", "PatientSexNeutered", "PatientSize",
    "PatientWeight", "PregnancyStatus", "ResponsiblePersonRole", "SmokingStatus",
})  # fmt: skip
"""Numbers and codes that the Basic Profile removes (PS3.15, table E.1-1)."""


@dataclass(frozen=True)
class Column:
    """One column; `steps` are tags with item indices between them."""

    name: str
    steps: tuple[int, ...]
    keyword: str
    """Keyword of the last step; empty if it is not in the dictionary."""
    vr: str
    """VR of the last step; empty if it is not in the dictionary."""

    @property
    def is_identifying(self) -> bool:
        """True unless the attribute is known not to identify the patient.

        Free text, names, dates, times, places (GPS) and private attributes may identify. The
        harmless attributes are listed, so that an attribute nobody thought of is not written.
        """
        sequences = {keyword_for_tag(tag) for tag in self.steps[:-1:2]}
        if self.keyword in _SAFE_TEXT and sequences <= _SAFE_SEQUENCES:
            return False
        is_gps = 0x00160070 <= self.steps[-1] <= 0x0016008E
        return self.vr not in _CODED_VRS or self.keyword in _IDENTIFYING_CODES or is_gps


@cache
def parse_column(name: str) -> Column:
    """The column called `name`.

    Raises:
        UsageError: an unknown keyword or an invalid path, with the closest keyword as a hint.
    """
    parts = name.split(".")
    if len(parts) % 2 == 0:
        raise _not_a_column(name, "a path is SEQUENCE.ITEM.ATTRIBUTE", "Items count from 0.")
    tags = [_tag(part, name) for part in parts[::2]]
    indices = [_item_index(part, name) for part in parts[1::2]]
    steps = [tags[0]]
    for i, tag in zip(indices, tags[1:], strict=True):
        steps += [i, tag]
    return column_of(tuple(steps), name)


def column_of(steps: tuple[int, ...], name: str = "") -> Column:
    """The column for a path of tags with item indices between them."""
    tag = steps[-1]
    vr = dictionary_VR(tag) if dictionary_has_tag(tag) else ""
    # `US or SS`: the file decides, and both are numbers.
    return Column(name, steps, keyword_for_tag(tag), vr.split(" ")[0])


def _tag(part: str, name: str) -> int:
    if part and (tag := tag_for_keyword(part)) is not None:
        return int(tag)
    if re.fullmatch(r"[0-9A-Fa-f]{8}", part):
        return int(part, 16)
    close = difflib.get_close_matches(part, keyword_dict, n=1)
    hint = f"Did you mean {close[0]}?" if close else "Use DICOM keywords such as PatientSex."
    raise _not_a_column(name, f"{part!r} is not a DICOM keyword", hint)


def _item_index(part: str, name: str) -> int:
    if not part.isdecimal() or len(part) > 6:
        raise _not_a_column(name, f"{part!r} is not an item index", "Items count from 0.")
    return int(part)


def _not_a_column(name: str, why: str, hint: str) -> UsageError:
    return UsageError(f"{name!r} is not a column", why=why, hint=hint)
