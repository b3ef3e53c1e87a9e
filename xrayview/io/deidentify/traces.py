"""The names and identifiers of a film's patient, to find them in other parts of its copy.

No table of attributes covers a name that a technician typed into a text field.
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
    """Names, identifiers and UIDs of one film before it is cleaned."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._words: set[str] = set()
        self._identifiers: set[str] = set()
        self._uids: set[str] = set()
        self.person = ""
        """Name and birth date of the patient; empty if there is no name."""

    def collect(self, dataset: Dataset, depth: int = 0) -> None:
        """Collect from all attributes of the film, including sequence items."""
        if not depth:
            name = str(dataset.get("PatientName") or "")
            self.person = f"{name}|{dataset.get('PatientBirthDate') or ''}" if name else ""
        for tag in list(dataset.keys()):
            # An unreadable value is removed later.
            with suppress(Exception):
                self._add(dataset[tag], depth)

    def _add(self, element: DataElement, depth: int) -> None:
        if element.VR == "SQ":
            for item in element.value if depth < _MAX_DEPTH else ():
                self.collect(item, depth + 1)
            return
        for text in _texts(element):
            if element.VR == "PN":
                self._add_name(text)
            elif element.keyword in _IDENTIFIERS and len(text) >= _SHORTEST_IDENTIFIER:
                self._identifiers.add(text)
            elif element.keyword in _OWN_UIDS:
                self._uids.add(text)

    def _add_name(self, text: str) -> None:
        words = [word for word in re.split(r"[\^=\s,]+", text) if len(word) >= _SHORTEST_WORD]
        self._words.update(word.casefold() for word in words)
        if len(words) > 1:
            self._names.add(text)

    def are_in(self, element: DataElement) -> bool:
        """True when a text contains a name or an identifier of this film."""
        if element.VR not in _TEXT_VRS:
            return False
        return any(self._is_in(text) for text in _texts(element))

    def _is_in(self, text: str) -> bool:
        words = {word.casefold() for word in re.split(r"[^\w'-]+", text)}
        return bool(words & self._words) or any(_contains_token(i, text) for i in self._identifiers)

    def kind_in(self, data: bytes) -> str:
        """The kind of trace in the bytes of a file; empty when there is none."""
        kinds = (
            ("a name", self._names),
            ("an identifier of the patient", self._identifiers),
            ("a UID", self._uids),
        )
        return next((kind for kind, texts in kinds if any(_found(t, data) for t in texts)), "")


def _texts(element: DataElement) -> list[str]:
    value = element.value
    values = value if isinstance(value, MultiValue | list) else [value]
    texts = (str(part).strip("\0 ") for part in values if part is not None)
    return [text[:_LONGEST_VALUE] for text in texts if text]


def _contains_token(identifier: str, text: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(identifier)}(?![\w.])", text) is not None


def _found(text: str, data: bytes) -> bool:
    for encoding in ("utf-8", "latin-1"):
        try:
            encoded = text.encode(encoding)
        except UnicodeEncodeError:
            continue
        # The plain search is a hundred times faster, and usually finds nothing.
        if encoded in data and re.search(rb"(?<![\w.])%b(?![\w.])" % re.escape(encoded), data):
            return True
    return False
