"""The de-identification rule for each attribute of a film.

The Basic Application Level Confidentiality Profile of DICOM PS3.15 (Annex E). Its table E.1-1 comes
from `dicom-anonymizer`, where it is generated from the standard; that library's functions are not
used, since they do not descend into sequence items. For attributes that are not in the table the
VR decides: only those that cannot contain a person, a place or a date are kept.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as table
from pydicom.datadict import dictionary_has_tag, dictionary_VR, tag_for_keyword
from pydicom.tag import BaseTag

EDITION = "2026c"
"""Edition of the standard that the table comes from."""


class Action(StrEnum):
    """What to do with an attribute (PS3.15 E.1.1), with `X unless Z` resolved for films."""

    KEEP = "keep"
    REMOVE = "remove"
    EMPTY = "empty"
    DUMMY = "dummy"
    UID = "replace the UID"
    ITEMS = "look into the items"


_OF_TABLE: tuple[tuple[list[tuple[int, ...]], Action], ...] = (
    (table.X_TAGS, Action.REMOVE),
    (table.Z_TAGS, Action.EMPTY),
    (table.D_TAGS, Action.DUMMY),
    (table.U_TAGS, Action.UID),
    # Type 2 in radiographs: an empty value conforms.
    (table.Z_D_TAGS, Action.EMPTY),
    (table.X_Z_TAGS, Action.EMPTY),
    # Type 3 in radiographs: an absent attribute reveals least.
    (table.X_D_TAGS, Action.REMOVE),
    (table.X_Z_D_TAGS, Action.REMOVE),
    # Their items contain references, which stay consistent with the new UIDs.
    (table.X_Z_U_STAR_TAGS, Action.ITEMS),
)

CHARACTERISTICS = (
    "EthnicGroup", "EthnicGroupCodeSequence", "PatientAge", "PatientSex", "PatientSexNeutered",
    "PatientSize", "PatientWeight", "PregnancyStatus", "SmokingStatus",
)  # fmt: skip
"""Kept by the Retain Patient Characteristics Option (PS3.15 E.3.4)."""

_REMOVED_VRS = frozenset({
    "AE", "AS", "DA", "DT", "LT", "PN", "ST", "TM", "UC", "UN", "UR", "UT",
})  # fmt: skip
"""VRs of persons, places and dates, and of text long enough to mention them."""
_BINARY_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW"})
_PICTURE = frozenset({
    0x00281201, 0x00281202, 0x00281203,  # palette
    0x00281221, 0x00281222, 0x00281223,  # segmented palette
    0x00283006,  # LUT data
    0x7FE00008, 0x7FE00009, 0x7FE00010,  # pixel data
})  # fmt: skip
"""Binary attributes that the picture needs. Others (documents, waveforms, colour profiles with
their descriptions) may contain anything."""
_NOT_IN_TABLE = frozenset({
    0x00401006, 0x00401007, 0x00402006, 0x00402007,  # order numbers, retired
    0x54000100,  # waveforms
})  # fmt: skip
"""Attributes that the table leaves out, and that say who the patient is or may contain a voice."""
_OF_VR = {"SQ": Action.ITEMS, "UI": Action.UID}
_WITHOUT_DUMMY = frozenset({"AT", "OB", "OD", "OF", "OL", "OV", "OW", "SQ", "UN"})
_GRAPHICS_GROUPS = (0x5000, 0x6000)
"""Curves and overlay planes: the table removes their data, and the rest is useless without it."""


def action_for(tag: BaseTag, vr: str, *, keep_characteristics: bool = False) -> Action:
    """What to do with an attribute of this tag and VR."""
    if tag.is_private or tag.element == 0 or tag.group & 0xFF00 in _GRAPHICS_GROUPS:
        return Action.REMOVE
    if keep_characteristics and tag in _characteristics():
        return Action.KEEP
    listed = _by_tag().get(int(tag))
    if listed is None:
        return _unlisted(tag, vr)
    if vr == "SQ" and listed is Action.EMPTY:
        return Action.EMPTY
    # There is no meaningful dummy for a sequence or binary data about a person.
    return Action.REMOVE if listed is Action.DUMMY and vr in _WITHOUT_DUMMY else listed


def is_copied(keyword: str) -> bool:
    """True for the keyword of an attribute whose value stays in the copies."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        return False
    vrs = dictionary_VR(tag).split(" or ")
    return any(action_for(BaseTag(tag), vr, keep_characteristics=True) is Action.KEEP for vr in vrs)


def _unlisted(tag: BaseTag, vr: str) -> Action:
    if vr in _REMOVED_VRS or not dictionary_has_tag(tag) or tag in _NOT_IN_TABLE:
        return Action.REMOVE
    if vr in _BINARY_VRS and tag not in _PICTURE:
        return Action.REMOVE
    return _OF_VR.get(vr, Action.KEEP)


@cache
def _by_tag() -> dict[int, Action]:
    return {
        tag[0] << 16 | tag[1]: action
        for tags, action in _OF_TABLE
        for tag in tags
        if len(tag) == 2  # longer ones are the patterns of curves and overlays
    }


@cache
def _characteristics() -> frozenset[int]:
    return frozenset(int(tag) for name in CHARACTERISTICS if (tag := tag_for_keyword(name)))
