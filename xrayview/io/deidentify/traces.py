"""What names a patient in one film, remembered so that no copy of it says so elsewhere.

A name that a technician typed into a text field is in no table of attributes.
"""

from __future__ import annotations

import re
from contextlib import suppress

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

_IDENTIFIERS = frozenset({
    "PatientID", "OtherPatientIDs", "AccessionNumber", "PatientBirthDate", "AdmissionID",
    "MedicalRecordLocator", "PatientTelephoneNumbers", "PatientAddress",
})  # fmt: skip
_OWN_UIDS = frozenset({
    "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID",
})  # fmt: skip
_TEXT_VRS = frozenset({"LO", "LT", "SH", "ST", "UC", "UT"})
_SHORTEST_WORD = 3
_SHORTEST_IDENTIFIER = 4
_LONGEST_VALUE = 1024
_MAX_DEPTH = 64


class Traces:
    """Names, numbers and UIDs of one film, as they were before it was cleaned."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._words: set[str] = set()
        self._identifiers: set[str] = set()
        self._uids: set[str] = set()
        self.person = ""
        """Name and birth date of the patient; empty without a name."""

    def collect(self, dataset: Dataset, depth: int = 0) -> None:
        """Look at all attributes of the film, items too."""
        if not depth:
            name = str(dataset.get("PatientName") or "")
            self.person = f"{name}|{dataset.get('PatientBirthDate') or ''}" if name else ""
        for tag in list(dataset.keys()):
            # What cannot be read is removed later.
            with suppress(Exception):
                self._take(dataset[tag], depth)

    def _take(self, element: DataElement, depth: int) -> None:
        if element.VR == "SQ":
            for item in element.value if depth < _MAX_DEPTH else ():
                self.collect(item, depth + 1)
            return
        for text in _texts(element):
            if element.VR == "PN":
                self._take_name(text)
            elif element.keyword in _IDENTIFIERS and len(text) >= _SHORTEST_IDENTIFIER:
                self._identifiers.add(text)
            elif element.keyword in _OWN_UIDS:
                self._uids.add(text)

    def _take_name(self, text: str) -> None:
        words = [word for word in re.split(r"[\^=\s,]+", text) if len(word) >= _SHORTEST_WORD]
        self._words.update(word.casefold() for word in words)
        if len(words) > 1:
            self._names.add(text)

    def stand_in(self, element: DataElement) -> bool:
        """True where a text that is to be kept has a name or a number of this film in it."""
        if element.VR not in _TEXT_VRS:
            return False
        return any(self._is_in(text) for text in _texts(element))

    def _is_in(self, text: str) -> bool:
        words = {word.casefold() for word in re.split(r"[^\w'-]+", text)}
        return bool(words & self._words) or any(_whole(i, text) for i in self._identifiers)

    def in_bytes(self, data: bytes) -> str:
        """What kind of trace is in the bytes of a file; empty where there is none."""
        kinds = (
            ("a name", self._names),
            ("a number of the patient", self._identifiers),
            ("a UID", self._uids),
        )
        return next((kind for kind, texts in kinds if any(_found(t, data) for t in texts)), "")


def _texts(element: DataElement) -> list[str]:
    value = element.value
    values = value if isinstance(value, MultiValue | list) else [value]
    texts = (str(part).strip("\0 ") for part in values if part is not None)
    return [text[:_LONGEST_VALUE] for text in texts if text]


def _whole(identifier: str, text: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(identifier)}(?![\w.])", text) is not None


def _found(text: str, data: bytes) -> bool:
    for encoding in ("utf-8", "latin-1"):
        try:
            sought = text.encode(encoding)
        except UnicodeEncodeError:
            continue
        # The plain search is a hundred times faster, and mostly the answer.
        if sought in data and re.search(rb"(?<![\w.])%b(?![\w.])" % re.escape(sought), data):
            return True
    return False
