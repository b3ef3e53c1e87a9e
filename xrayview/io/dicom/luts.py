"""Read Modality and VOI LUTs (PS3.3 C.11.1.1, C.11.2.1.1), also where a writer got them wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from xrayview.domain.radiograph import Lut
from xrayview.io.dicom.values import numbers, raw_element, text

_DESCRIPTOR, _DATA = 0x00283002, 0x00283006
_WORDS = frozenset({"", "OB", "OW", "SS", "UN", "US", "US or OW", "US or SS"})
"""VRs whose values are read here as 16-bit words."""
_DEPTH_OF_WORDS = 16
_LEAST_BITS = 8


@dataclass(frozen=True)
class LutInput:
    """The values that a LUT is applied to."""

    lowest: float
    highest: float
    is_signed: bool
    """The standard gives the first value mapped the VR SS, otherwise US."""


def read_lut(
    item: Dataset, name: str, inputs: LutInput, little_endian: bool
) -> tuple[Lut | None, str]:
    """One item of a LUT sequence, and a note where it is ignored or not read as it is written.

    Args:
        item: of the Modality LUT Sequence or the VOI LUT Sequence.
        name: of the LUT in notes, and in menus where it has no explanation.
        inputs: stored values for a Modality LUT, modality values for a VOI LUT.
        little_endian: byte order of the file.
    """
    descriptor = _descriptor(item, little_endian)
    if descriptor is None:
        return None, f"a {name} without a descriptor is ignored"
    count, first, declared_bits, was_signed = descriptor
    entries = _entries(item, count, little_endian)
    if entries is None:
        return None, f"a {name} with fewer entries than it declares is ignored"
    start, note = _first_value(first, count, inputs, was_signed)
    lut = Lut(start, entries, declared_bits, text(item, "LUTExplanation") or name)
    used = max(int(entries.max()).bit_length(), 1)
    if used > declared_bits or not declared_bits <= _DEPTH_OF_WORDS:
        return replace(lut, bits=used), f"a {name} {note}" if note else ""
    return lut, f"a {name} {note}" if note else ""


def read_voi_lut(
    item: Dataset, name: str, inputs: LutInput, little_endian: bool
) -> tuple[Lut | None, tuple[str, ...]]:
    """Like `read_lut`, with the depth of the entries where the declared one leaves them dark.

    Many writers declare 16 bits, the size of a stored entry, for entries of 10 or 12 bits. By the
    letter of PS3.3 C.11.2.1.1 the film is then nearly black; the LUT that is returned spans the
    depth of the entries, and `Lut.as_declared` is the other reading.
    """
    lut, note = read_lut(item, name, inputs, little_endian)
    notes = (note,) if note else ()
    if lut is None:
        return lut, notes
    used = max(int(lut.entries.max()).bit_length(), _LEAST_BITS)
    # A quarter of the range may be a dull LUT where the depth is not simply that of a word.
    least_unused = 1 if lut.bits == _DEPTH_OF_WORDS else 2
    if lut.bits - used < least_unused or not lut.entries.any():
        return lut, notes
    declared = replace(lut, explanation=f"{lut.explanation} ({lut.bits} bits, as declared)")
    note = f"a {name} declares {lut.bits} bits and has entries of {used}: shown over {used} bits"
    return replace(lut, bits=used, as_declared=declared), (*notes, note)


def _descriptor(item: Dataset, little_endian: bool) -> tuple[int, int, int, bool] | None:
    """Count, first value as 16 unsigned bits, depth; and whether the file says SS.

    The VR of the three values is ambiguous, and in implicit VR it is a guess of the parser.
    """
    vr, data = _raw_words(item, _DESCRIPTOR)
    if data is not None:
        words = _as_words(data, little_endian)[:3].tolist()
        was_signed = vr == "SS"
    else:
        listed = numbers(item, "LUTDescriptor")
        if not all(math.isfinite(value) for value in listed):
            return None
        words = [int(value) & 0xFFFF for value in listed]
        was_signed = vr == "SS" or any(value < 0 for value in listed)
    if len(words) != 3:
        return None
    count, first, bits = words
    # 65,536 entries do not fit into the 16-bit count and are written as 0.
    return count or 65536, first, bits or _DEPTH_OF_WORDS, was_signed


def _first_value(word: int, count: int, inputs: LutInput, was_signed: bool) -> tuple[int, str]:
    """The first value mapped; a note where it is not what the standard says.

    PS3.3 C.11.1.1, C.11.2.1.1: the sign is that of the possible inputs, whatever the VR of the
    descriptor is. The other reading is meant where only that one maps possible inputs, and where
    the descriptor is SS and negative.
    """
    signed = word - 0x10000 if word > 0x7FFF else word
    by_standard, other = (signed, word) if inputs.is_signed else (word, signed)
    if by_standard == other:
        return word, ""
    readings = (signed, by_standard, other) if was_signed else (by_standard, other)
    usable = [r for r in readings if r <= inputs.highest and r + count > inputs.lowest]
    chosen = usable[0] if usable else by_standard
    if chosen == by_standard:
        return chosen, ""
    return chosen, f"is applied from {chosen} on: by the standard it would start at {by_standard}"


def _entries(item: Dataset, count: int, little_endian: bool) -> npt.NDArray[np.uint16] | None:
    _, value = _raw_words(item, _DATA)
    if value is None:
        try:
            value = item[_DATA].value
        except Exception:  # pydicom converts on access, and a broken value raises anything
            return None
    if isinstance(value, bytes):
        if len(value) in {count, count + 1} and count > 1:
            return np.frombuffer(value, np.uint8)[:count].astype(np.uint16)
        words = _as_words(value, little_endian)
    else:
        listed = [value] if isinstance(value, int) else list(value or ())
        words = np.asarray(listed, np.int64).astype(np.uint16)
    if words.size >= count:
        return words[:count].astype(np.uint16)
    if words.size and words.size == (count + 1) // 2:
        # 8-bit entries, two per word.
        return words.astype("<u2").view(np.uint8)[:count].astype(np.uint16)
    return None


def _raw_words(item: Dataset, tag: int) -> tuple[str, Any]:
    """VR and bytes of an element of 16-bit words; None for one that pydicom has to convert."""
    raw = raw_element(item, tag)
    vr = str(getattr(raw, "VR", None) or "")
    if isinstance(raw, RawDataElement) and vr in _WORDS:
        return vr, raw.value
    return vr, None


def _as_words(data: bytes, little_endian: bool) -> npt.NDArray[np.uint16]:
    return np.frombuffer(data[: len(data) // 2 * 2], "<u2" if little_endian else ">u2")
