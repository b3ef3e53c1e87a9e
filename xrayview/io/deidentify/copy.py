"""A copy of a DICOM film that does not identify the patient; its stored values stay the same.

Basic Application Level Confidentiality Profile, PS3.15 Annex E. Dates are removed, not shifted;
UIDs and the PatientID are replaced consistently within one run.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from pydicom import dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import UID

from xrayview import __version__
from xrayview.domain.tags import LINKING
from xrayview.errors import IdentityRemains, StatusCode, UnreadableFilm
from xrayview.io.deidentify.pixel_data import clean_pixel_data
from xrayview.io.deidentify.rules import EDITION, Action, action_for
from xrayview.io.deidentify.traces import TEXT_VRS, Traces, texts_of
from xrayview.io.dicom.dataset import PIXEL_KEYWORDS, read_whole
from xrayview.io.safe_open import film_errors, regular_file_info

STANDARD_ROOT = "1.2.840.10008."
"""UIDs of the standard itself, which identify classes and codes, never an instance."""
_UID = re.compile(r"[0-9.]+")
MAX_DEPTH = 64
_ALIAS_DIGITS = 10
_OLDEST_YEARS = 90

_DUMMIES = {
    "DA": "19000101", "TM": "000000", "DT": "19000101000000", "AS": "000Y", "DS": "0", "IS": "0",
    "FD": 0.0, "FL": 0.0, "SL": 0, "SS": 0, "SV": 0, "UL": 0, "US": 0, "UV": 0,
}  # fmt: skip
_DUMMY_TEXT = "ANONYMIZED"
_UNDECODED = "\ufffd"
_OWN_TEXT = frozenset({
    "PatientID", "PatientName", "DeidentificationMethod", "DeidentificationMethodCodeSequence",
})  # fmt: skip
"""Written here: a patient who is called Anon or Basic does not stop the copy."""
_BINARY_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW"})

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
        if not old or (old.startswith(STANDARD_ROOT) and _UID.fullmatch(old)):
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
    found_in: tuple[str, ...] = ()
    """Keywords of other elements that contained a name or an identifier, which was replaced."""
    notes: tuple[str, ...] = ()
    """What was removed from the pixel data beside the picture."""


def deidentify(
    path: Path,
    transfer_syntax: str,
    names: Pseudonyms,
    *,
    keep_characteristics: bool = False,
    allowed: frozenset[str] = frozenset(),
) -> DeidentifiedCopy:
    """Make a de-identified copy of a DICOM film in memory.

    Args:
        path: a DICOM file with pixels.
        transfer_syntax: for files without file meta information.
        names: the pseudonyms of this run.
        keep_characteristics: keep age (up to 89), sex, size, weight and the like (PS3.15 E.3.4).
        allowed: keywords of elements whose text is copied even if it contains a name or an
            identifier of the patient.

    Raises:
        UnreadableFilm: DECODE_FAILED, NO_PIXELS.
        IdentityRemains: identifying text would remain.
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
        syntax = _text(_file_meta(dataset), "TransferSyntaxUID") or transfer_syntax
        notes = clean_pixel_data(dataset, syntax, is_allowed="PixelData" in allowed)
        cleaner = _Cleaner(names, traces, keep_characteristics, allowed)
        cleaner.clean(dataset)
        alias = names.patient(_patient_key(before, traces))
        dataset.PatientID = dataset.PatientName = alias
        _mark_deidentified(dataset, keep_characteristics)
        file = _encoded(dataset, before["SOPInstanceUID"], syntax, names)
        _check(file, traces, allowed)
        after = {keyword: _text(dataset, keyword) for keyword in LINKING}
    replaced = tuple((keyword, before[keyword], after[keyword]) for keyword in LINKING)
    found_in = tuple(sorted(cleaner.found_in))
    return DeidentifiedCopy(file, alias, burned_in, replaced, found_in, notes)


class _Cleaner:
    """Applies the rules to a data set and to all items in it."""

    def __init__(
        self,
        names: Pseudonyms,
        traces: Traces,
        keep_characteristics: bool,
        allowed: frozenset[str],
    ) -> None:
        self._names = names
        self._traces = traces
        self._keep = keep_characteristics
        self._allowed = allowed
        self.found_in: set[str] = set()
        """Keywords of the elements whose text was replaced because of a name or an identifier."""

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
        # The pixels of an item are those of another picture, such as an icon.
        if action is Action.REMOVE or (depth and tag in PIXEL_KEYWORDS):
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
        elif vr in TEXT_VRS and _UNDECODED in str(element.value):
            # Text in another character set than the file says may contain anything.
            element.value = _DUMMY_TEXT
        elif self._traces.are_in(element) and element.keyword not in self._allowed:
            self._replace_traces(element)

    def _replace_traces(self, element: DataElement) -> None:
        """Replace the values that contain a name or an identifier; the others stay."""
        is_list = isinstance(element.value, MultiValue | list)
        values = list(element.value) if is_list else [element.value]
        found = [self._traces.are_in_text(str(value), element) for value in values]
        cleaned = [_DUMMY_TEXT if f else v for f, v in zip(found, values, strict=True)]
        if cleaned != values:
            self.found_in.add(element.keyword)
            element.value = cleaned if is_list else cleaned[0]

    def _new_uids(self, element: DataElement) -> list[str] | str:
        if isinstance(element.value, MultiValue | list):
            return [self._names.uid(str(old)) for old in element.value]
        return self._names.uid(str(element.value or ""))


def _common_age(age: str) -> str:
    """An age as it may stay in the copy; empty for anything else than an age.

    HIPAA 45 CFR 164.514(b)(2)(i)(C): all ages over 89 form one group.
    """
    match = re.fullmatch(r"(\d{1,3})([DWMY]?)", age.strip())
    if match is None:
        return ""
    is_old = match[2] in {"", "Y"} and int(match[1]) >= _OLDEST_YEARS
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
    old_meta = _file_meta(dataset)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(transfer_syntax)
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


def _check(file: bytes, traces: Traces, allowed: frozenset[str]) -> None:
    """Search the written file, element by element, for anything that identifies the patient.

    Raises:
        IdentityRemains: with the keyword of the element.
    """
    copy = dcmread(BytesIO(file))
    compressed = copy.file_meta.TransferSyntaxUID.is_encapsulated
    for element in (*copy.file_meta, *_elements(copy)):
        keyword = element.keyword or str(element.tag)
        if keyword in allowed or not element.value:
            continue
        # Uncompressed pixels may match any text by chance.
        if keyword in PIXEL_KEYWORDS.values() and not compressed:
            continue
        if element.VR in _BINARY_VRS:
            kind = traces.kind_in(bytes(element.value))
        else:
            kind = "a name or an identifier" if _has_traces(element, traces) else ""
        if kind:
            raise IdentityRemains(
                keyword,
                why=f"{kind} of the patient remains in {keyword}",
                hint="The film is not copied. Remove the text at the source, or allow this "
                "element if its text identifies nobody.",
            )


def _elements(dataset: Dataset) -> Iterator[DataElement]:
    """All elements, also those in sequences, except those with text of this program."""
    for element in dataset:
        if element.keyword in _OWN_TEXT:
            continue
        if element.VR == "SQ":
            for item in element.value:
                yield from _elements(item)
        else:
            yield element


def _has_traces(element: DataElement, traces: Traces) -> bool:
    if not traces.are_in(element):
        return False
    texts = (text for text in texts_of(element) if text != _DUMMY_TEXT)
    return any(traces.are_in_text(text, element) for text in texts)


def _file_meta(dataset: Dataset) -> Dataset:
    meta: Dataset = getattr(dataset, "file_meta", FileMetaDataset())
    return meta


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
