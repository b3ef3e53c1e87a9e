"""The attributes of a DICOM file as a tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TagNode:
    """One attribute, or one item of a sequence (then `vr` is `item`).

    `value` is shortened text; for binary values only their length. It may be the patient's name, so
    it is left out of `repr`.
    """

    tag: str
    """`(gggg,eeee)`, hexadecimal; for an item its index from 0."""
    keyword: str
    """Empty for private and unknown attributes."""
    name: str
    vr: str
    value: str = field(repr=False)
    children: tuple[TagNode, ...] = ()
    is_identifying: bool = True
    """False where `value` is known not to identify the patient."""

    def walk(self) -> Iterator[TagNode]:
        """Yield this node and all nodes below it, in file order."""
        yield self
        for child in self.children:
            yield from child.walk()


LINKING = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
"""Attributes that link films: replaced consistently in de-identified copies, mapped on request."""
