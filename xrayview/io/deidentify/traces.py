"""The names and identifiers of a film's patient, to find them in other parts of its copy.

No table of attributes covers a name that a technician typed into a text field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from xrayview.io.deidentify.person_names import NameIndex, fold

_IDENTIFIERS = frozenset({
    "PatientID", "OtherPatientIDs", "AccessionNumber", "PatientBirthDate", "AdmissionID",
    "MedicalRecordLocator", "PatientTelephoneNumbers", "PatientAddress", "IssuerOfAdmissionID",
    "PlacerOrderNumberImagingServiceRequest", "FillerOrderNumberImagingServiceRequest",
})  # fmt: skip
_OWN_UIDS = frozenset({
    "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID",
})  # fmt: skip
_NAMES_OF_PATIENT = frozenset({
    "PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName",
    "ResponsiblePerson",
})  # fmt: skip
TEXT_VRS = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
"""Numbers, dates and UIDs are not searched: an ID of 2048 is no trace in WindowCenter."""
_TERMS_ONLY = frozenset({
    "AnatomicalOrientationType", "BurnedInAnnotation", "ConversionType", "FrameLaterality",
    "ImageLaterality", "Laterality", "LossyImageCompression", "LossyImageCompressionMethod",
    "Modality", "PatientIdentityRemoved", "PatientOrientation", "PatientPosition", "PatientSex",
    "PhotometricInterpretation", "PixelIntensityRelationship", "PixelSpacingCalibrationType",
    "PresentationIntentType", "PresentationLUTShape", "ShutterShape", "SpecificCharacterSet",
    "VOILUTFunction",
})  # fmt: skip
"""Their values decide how the film is shown, and are terms of the standard."""
_TERMS = frozenset({
    "abdomen", "adult", "ankle", "ap", "arm", "axial", "back", "body", "bone", "brain", "breast",
    "cc", "chest", "child", "clavicle", "colon", "copper", "derived", "elbow", "erect",
    "extremity", "eye", "face", "femur", "finger", "fixed", "foot", "frontal", "grid", "hand",
    "head", "heart", "hip", "jaw", "kidney", "knee", "lat", "lateral", "lead", "left", "leg",
    "linear", "liver", "ll", "lordotic", "lung", "male", "manual", "mid", "ml", "mlo", "neck",
    "oblique", "original", "pa", "pancreas", "pelvis", "primary", "prostate", "rib", "right", "rl",
    "secondary", "shoulder", "skull", "spine", "standing", "stomach", "supine", "thorax", "toe",
    "upper", "wrist",
})  # fmt: skip
"""Words of the standard's terms that are also names: a patient called Hand has a hand."""
_CODED = frozenset({"CodeMeaning", "CodeValue", "CodingSchemeDesignator"})

_SHORTEST_IDENTIFIER = 4
_SHORTEST_WITH_GAPS = 6
"""From here on an identifier is also found with other separators, and its digits on their own."""
_SHORTEST_IN_DATA = 5
_SHORTEST_WORD_IN_DATA = 6
"""Compressed pixels are as good as random: ten million bytes contain any four of them by chance."""
_ENCODINGS = (
    "utf-8", "latin-1", "utf-16-le", "utf-16-be", "gb18030", "big5", "shift_jis", "euc-jp",
    "iso2022_jp", "euc-kr",
)  # fmt: skip
_LONGEST_VALUE = 1024
_MAX_DEPTH = 64


class Traces:
    """Names, identifiers and UIDs of one film before it is cleaned."""

    def __init__(self) -> None:
        self._names = NameIndex()
        self._texts: set[str] = set()
        """Names and identifiers as they are written."""
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
        for text in texts_of(element):
            text = text[:_LONGEST_VALUE]
            if element.VR == "PN":
                self._texts.update(text.split("="))
                self._names.add(text, is_patient=element.keyword in _NAMES_OF_PATIENT)
                for word in re.split(r"[\^=\s,]+", text):
                    # Studies number their patients: LUNG_0042.
                    if len(word) >= _SHORTEST_IDENTIFIER and any(c.isdigit() for c in word):
                        self._identifiers.update(_variants(word))
            elif element.keyword in _IDENTIFIERS and len(text) >= _SHORTEST_IDENTIFIER:
                is_date = element.keyword == "PatientBirthDate"
                self._texts.add(text)
                self._identifiers.update(_dates(text) if is_date else _variants(text))
            elif element.keyword in _OWN_UIDS:
                self._uids.add(text)

    def are_in(self, element: DataElement) -> bool:
        """True when a text contains a name or an identifier of this film."""
        if element.VR not in TEXT_VRS:
            return False
        return any(self.are_in_text(text, element) for text in texts_of(element))

    def are_in_text(self, text: str, element: DataElement) -> bool:
        """The same for one of several values of a text element."""
        if element.keyword in _TERMS_ONLY:
            return False
        has_terms = element.VR == "CS" or element.keyword in _CODED
        if self._names.is_in(text, _TERMS if has_terms else frozenset()):
            return True
        if element.keyword in _CODED - {"CodeMeaning"}:
            return False
        folded = fold(text)
        if has_terms and folded in _TERMS:
            return False
        return (
            any(_contains_token(identifier, folded) for identifier in self._identifiers)
            or any(uid in text for uid in self._uids)
            or not self._identifiers.isdisjoint(_without_separators(folded))
        )

    def kind_in(self, data: bytes) -> str:
        """The kind of trace in binary data, such as a code stream; empty when there is none."""
        lowered = data.lower()
        words = {w for w in self._names.words if len(w) >= _SHORTEST_WORD_IN_DATA}
        if any(_is_in_data(word, lowered, _SHORTEST_WORD_IN_DATA) for word in words):
            return "a name"
        texts = self._texts | self._names.parts | self._identifiers | self._uids
        if any(_is_in_data(text, data, _SHORTEST_IN_DATA) for text in texts):
            return "a name or an identifier"
        return ""


def texts_of(element: DataElement) -> list[str]:
    """The values of an element as text, without padding."""
    value = element.value
    values = value if isinstance(value, MultiValue | list) else [value]
    return [text for part in values if part is not None if (text := str(part).strip("\0 "))]


def _variants(identifier: str) -> Iterator[str]:
    """An identifier as written, without separators, and its digits on their own."""
    folded = fold(identifier)
    yield folded
    digits = re.findall(r"\d+", folded)
    for text in (
        "".join(re.findall(r"[^\W_]+", folded)),
        *digits,
        *(d.lstrip("0") for d in digits),
    ):
        if len(text) >= _SHORTEST_WITH_GAPS:
            yield text


def _dates(date: str) -> Iterator[str]:
    """A birth date in the usual orders."""
    yield date
    year, month, day = date[:4], date[4:6], date[6:8]
    if len(date) == 8 and date.isdigit():
        for separator in "-./":
            yield separator.join((year, month, day))
            yield separator.join((day, month, year))
            yield separator.join((month, day, year))
            yield separator.join((day.lstrip("0"), month.lstrip("0"), year))
            yield separator.join((month.lstrip("0"), day.lstrip("0"), year))
        yield day + month + year
        yield month + day + year


def _contains_token(identifier: str, text: str) -> bool:
    """True for the identifier between other characters than letters, digits and decimals."""
    if identifier not in text:
        return False
    token = rf"(?<![^\W_])(?<!\d[.,]){re.escape(identifier)}(?![^\W_])(?![.,]\d)"
    return re.search(token, text) is not None


def _without_separators(text: str) -> Iterator[str]:
    """Up to five adjacent tokens as one, as far as they are long enough to be an identifier."""
    tokens = re.findall(r"[^\W_]+", text)
    for count in range(2, 6):
        for i in range(len(tokens) - count + 1):
            joined = "".join(tokens[i : i + count])
            if len(joined) >= _SHORTEST_WITH_GAPS:
                yield joined


def _is_in_data(text: str, data: bytes, shortest: int) -> bool:
    for encoding in _ENCODINGS:
        with suppress(UnicodeEncodeError):
            encoded = text.encode(encoding)
            if len(encoded) >= shortest and encoded in data:
                return True
    return False
