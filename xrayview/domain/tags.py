"""The attributes of a file as a tree to look at, and as the cells of a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TagNode:
    """One attribute, or one item of a sequence (then `vr` is `item`).

    `value` is text, shortened; of binary values only the length. It may be the patient's name and
    never appears in `repr`.
    """

    tag: str
    """`(gggg,eeee)`, hexadecimal; of an item its number from 0."""
    keyword: str
    """Empty for private and unknown attributes."""
    name: str
    vr: str
    value: str = field(repr=False)
    children: tuple[TagNode, ...] = ()
    is_identifying: bool = True
    """False where `value` is known to say nothing of who the patient is."""

    def walk(self) -> Iterator[TagNode]:
        """This node and all below it, in the order of the file."""
        yield self
        for child in self.children:
            yield from child.walk()


LINKING = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
"""What ties films to each other: replaced alike in de-identified copies, and mapped on request."""
