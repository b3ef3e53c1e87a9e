"""A copy of a DICOM film that does not identify the patient; the pixels are copied bit for bit.

Basic Application Level Confidentiality Profile, PS3.15 Annex E. Dates are removed, not shifted;
UIDs and the PatientID are replaced consistently within one run.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import UID

from xrayview import __version__
from xrayview.domain.tags import LINKING
from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.io.deidentify.rules import EDITION, Action, action_for
from xrayview.io.deidentify.traces import Traces
from xrayview.io.dicom.dataset import PIXEL_KEYWORDS, read_whole
from xrayview.io.safe_open import film_errors, regular_file_info

STANDARD_ROOT = "1.2.840.10008."
"""UIDs of the standard itself, which identify classes and codes, never an instance."""
MAX_DEPTH = 64
_ALIAS_DIGITS = 10
_OLDEST_YEARS = 90

_DUMMIES = {
    "DA": "19000101", "TM": "000000", "DT": "19000101000000", "AS": "000Y", "DS": "0", "IS": "0",
    "FD": 0.0, "FL": 0.0, "SL": 0, "SS": 0, "SV": 0, "UL": 0, "US": 0, "UV": 0,
}  # fmt: skip
_DUMMY_TEXT = "ANONYMIZED"

_CODES = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113108", "Retain Patient Characteristics Option"),
)
"""PS3.16 CID 7050."""


@dataclass(frozen=True)
class Pseudonyms:
    """New UIDs and patient names; the same `key` gives the same ones for the same old values.

    They come from a keyed hash, so that processes need not share state. The key is discarded
    after the run, and without it nobody can test which patient an alias belongs to.
    """

    key: bytes = field(repr=False)

    def uid(self, old: str) -> str:
        """A UID under 2.25 (PS3.5 B.2); UIDs of the standard are kept."""
        if not old or old.startswith(STANDARD_ROOT):
            return old
        return f"2.25.{uuid.UUID(bytes=self._digest('uid', old)[:16], version=4).int}"

    def patient(self, old: str) -> str:
        """An alias for a patient."""
        return f"ANON-{self._digest('patient', old).hex()[:_ALIAS_DIGITS].upper()}"

    def _digest(self, kind: str, old: str) -> bytes:
        return hmac.new(self.key, f"{kind}:{old}".encode(), hashlib.sha256).digest()


@dataclass(frozen=True, eq=False)
class DeidentifiedCopy:
    """A de-identified file, and the identifiers that were replaced."""

    file: bytes
    patient: str
    """The alias in PatientID and PatientName."""
    burned_in: str
    """BurnedInAnnotation as in the file; empty when absent."""
    replaced: tuple[tuple[str, str, str], ...] = field(default=(), repr=False)
    """Keyword, old value and new value of the attributes for a mapping file."""


def deidentify(
    path: Path, transfer_syntax: str, names: Pseudonyms, *, keep_characteristics: bool = False
) -> DeidentifiedCopy:
    """Make a de-identified copy of a DICOM film in memory.

    Args:
        path: a DICOM file with pixels.
        transfer_syntax: for files without file meta information.
        names: the pseudonyms of this run.
        keep_characteristics: keep age (up to 89), sex, size, weight and the like (PS3.15 E.3.4).

    Raises:
        UnreadableFilm: DECODE_FAILED, NO_PIXELS; IDENTITY when identifying text would remain.
    """
    with film_errors(path):
        regular_file_info(path)
        dataset = read_whole(path)
        if not any(keyword in dataset for keyword in PIXEL_KEYWORDS.values()):
            raise _no_pixels()
        before = {keyword: _text(dataset, keyword) for keyword in LINKING}
        burned_in = _text(dataset, "BurnedInAnnotation").strip().upper()
        traces = Traces()
        traces.collect(dataset)
        cleaner = _Cleaner(names, traces, keep_characteristics)
        cleaner.clean(dataset)
        alias = names.patient(_patient_key(before, traces))
        dataset.PatientID = dataset.PatientName = alias
        _mark_deidentified(dataset, keep_characteristics)
        file = _encoded(dataset, before["SOPInstanceUID"], transfer_syntax, names)
        _check(dataset, file, traces)
        after = {keyword: _text(dataset, keyword) for keyword in LINKING}
    replaced = tuple((keyword, before[keyword], after[keyword]) for keyword in LINKING)
    return DeidentifiedCopy(file, alias, burned_in, replaced)


class _Cleaner:
    """Applies the rules to a data set and to all items in it."""

    def __init__(self, names: Pseudonyms, traces: Traces, keep_characteristics: bool) -> None:
        self._names = names
        self._traces = traces
        self._keep = keep_characteristics

    def clean(self, dataset: Dataset, depth: int = 0) -> None:
        """Clean a data set in place."""
        if depth > MAX_DEPTH:
            raise _too_deep()
        for tag in list(dataset.keys()):
            try:
                element = dataset[tag]
                element.value  # noqa: B018 - pydicom converts on access
            except Exception:  # an unreadable value may contain anything
                del dataset[tag]
                continue
            self._clean_element(dataset, tag, element, depth)

    def _clean_element(
        self, dataset: Dataset, tag: BaseTag, element: DataElement, depth: int
    ) -> None:
        vr = str(element.VR)
        action = action_for(tag, vr, keep_characteristics=self._keep)
        if action is Action.REMOVE:
            del dataset[tag]
        elif action is Action.EMPTY:
            element.value = Sequence() if vr == "SQ" else None
        elif action is Action.DUMMY:
            element.value = _DUMMIES.get(vr, _DUMMY_TEXT)
        elif action is Action.UID:
            element.value = self._new_uids(element)
        elif vr == "SQ":
            for item in element.value:
                self.clean(item, depth + 1)
        elif vr == "AS":
            element.value = _common_age(str(element.value))
        elif self._traces.are_in(element):
            element.value = _DUMMY_TEXT

    def _new_uids(self, element: DataElement) -> list[str] | str:
        if isinstance(element.value, MultiValue | list):
            return [self._names.uid(str(old)) for old in element.value]
        return self._names.uid(str(element.value or ""))


def _common_age(age: str) -> str:
    # HIPAA 45 CFR 164.514(b)(2)(i)(C): all ages over 89 form one group.
    is_old = age.endswith("Y") and age[:-1].isdigit() and int(age[:-1]) >= _OLDEST_YEARS
    return f"{_OLDEST_YEARS:03d}Y" if is_old else age


def _patient_key(before: dict[str, str], traces: Traces) -> str:
    """What the films of a patient have in common: ID, else name and birth date, else study."""
    return before["PatientID"] or traces.person or before["StudyInstanceUID"]


def _mark_deidentified(dataset: Dataset, keep_characteristics: bool) -> None:
    dataset.PatientIdentityRemoved = "YES"
    dataset.LongitudinalTemporalInformationModified = "REMOVED"
    dataset.DeidentificationMethod = [
        f"XrayView {__version__}",
        f"PS3.15 {EDITION} Basic Profile",
    ]
    used = _CODES if keep_characteristics else _CODES[:1]
    dataset.DeidentificationMethodCodeSequence = Sequence(_code(*code) for code in used)


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def _encoded(dataset: Dataset, old_sop_uid: str, transfer_syntax: str, names: Pseudonyms) -> bytes:
    """The file as bytes, with new meta information and an empty preamble."""
    old_meta = getattr(dataset, "file_meta", FileMetaDataset())
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(_text(old_meta, "TransferSyntaxUID") or transfer_syntax)
    sop_class = _text(dataset, "SOPClassUID") or _text(old_meta, "MediaStorageSOPClassUID")
    meta.MediaStorageSOPClassUID = UID(sop_class)
    sop_uid = old_sop_uid or _text(old_meta, "MediaStorageSOPInstanceUID")
    meta.MediaStorageSOPInstanceUID = UID(names.uid(sop_uid))
    if not sop_uid or not sop_class:
        raise _missing_uids()
    dataset.file_meta = meta
    # A preamble may contain an executable (CVE-2019-11687).
    dataset.preamble = b"\0" * 128
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _check(dataset: Dataset, file: bytes, traces: Traces) -> None:
    """Search the written bytes for anything that identifies the patient.

    Raises:
        UnreadableFilm: IDENTITY.
    """
    pixels = b"".join(
        bytes(dataset[keyword].value) for keyword in PIXEL_KEYWORDS.values() if keyword in dataset
    )
    compressed = dataset.file_meta.TransferSyntaxUID.is_compressed
    # Uncompressed pixels may match any text by chance; a code stream may contain comments.
    remaining = traces.kind_in(file if compressed else file.replace(pixels, b"", 1))
    if remaining:
        raise UnreadableFilm(
            "The copy would still identify the patient",
            code=StatusCode.IDENTITY,
            why=f"{remaining} remains in it",
            hint="The film is not copied. Remove the text at the source, with its own tools.",
        )


def _text(dataset: Dataset, keyword: str) -> str:
    try:
        value = dataset.get(keyword)
    except Exception:  # a broken value counts as absent
        return ""
    return "" if value is None else str(value)


def _no_pixels() -> UnreadableFilm:
    return UnreadableFilm(
        "The file has no pixels",
        code=StatusCode.NO_PIXELS,
        why="reports and indexes contain free text, which the rules do not cover",
        hint="Only films are copied.",
    )


def _missing_uids() -> UnreadableFilm:
    return UnreadableFilm(
        "The film has no SOP Class UID or no SOP Instance UID",
        code=StatusCode.DECODE_FAILED,
        why="a DICOM file must have both (PS3.10 7.1)",
        hint="Export it again from the source.",
    )


def _too_deep() -> UnreadableFilm:
    return UnreadableFilm(
        "The DICOM header is broken",
        code=StatusCode.DECODE_FAILED,
        why="its sequences are nested too deeply",
        hint="Copy or export it again from the source.",
    )
