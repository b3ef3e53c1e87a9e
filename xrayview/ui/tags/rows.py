"""The rows of the tag tree as plain data: what passes the search, and what each cell says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from xrayview.domain.tags import TagNode

HIDDEN = "hidden"
_ROOT = TagNode("", "", "", "", "")


@dataclass(eq=False, slots=True)
class Row:
    """One attribute or item that is listed, with the rows above and below it."""

    node: TagNode
    above: Row | None = field(default=None, repr=False)
    place: int = 0
    below: list[Row] = field(default_factory=list, repr=False)
    is_hit: bool = True
    """It holds the words itself; False where it stands only for rows below it."""
    is_masked: bool = False
    """Its value may name the patient, and identity is hidden."""

    @property
    def key(self) -> tuple[str, ...]:
        """The tags and numbers that lead here: the same attribute in another film."""
        return (*self.above.key, self.node.tag) if self.above else ()

    def at(self, key: tuple[str, ...]) -> Row | None:
        """The row below this one that `key` leads to; None where it is not listed."""
        row = self
        for tag in key:
            found = next((below for below in row.below if below.node.tag == tag), None)
            if found is None:
                return None
            row = found
        return row

    @property
    def value(self) -> str:
        """The value as it may be shown, searched and copied."""
        return HIDDEN if self.is_masked else self.node.value

    def walk(self) -> Iterator[Row]:
        """This row and all below it, as they stand in the tree."""
        yield self
        for row in self.below:
            yield from row.walk()


@dataclass(frozen=True)
class Column:
    """One column: its title, what its cells say, and how wide it starts (0: all that is left)."""

    title: str
    text: Callable[[Row], str]
    width_px: int = 0


COLUMNS = (
    Column("Tag", lambda row: row.node.tag, 126),
    Column("Name", lambda row: row.node.name, 132),
    Column("VR", lambda row: row.node.vr if is_attribute(row.node) else "", 32),
    Column("Value", lambda row: row.value),
)


def build(nodes: Iterable[TagNode], words: str = "", *, hide_identity: bool = False) -> Row:
    """The root of the rows that hold all `words`, with what is above and below them.

    The words are looked for in tag, keyword, name and value, in any case; a value that is hidden
    is not looked into: the search would give it away letter by letter.
    """
    root = Row(_ROOT)
    _fill(root, nodes, tuple(words.lower().split()), hide_identity)
    return root


def _fill(above: Row, nodes: Iterable[TagNode], words: tuple[str, ...], hide: bool) -> None:
    for node in nodes:
        row = Row(node, above, len(above.below))
        row.is_masked = hide and node.is_identifying and bool(node.value)
        row.is_hit = not words or _holds(row, words)
        # What is below a hit belongs to it: a sequence that is found shows its items.
        _fill(row, node.children, () if row.is_hit else words, hide)
        if row.is_hit or row.below:
            above.below.append(row)


def _holds(row: Row, words: tuple[str, ...]) -> bool:
    node = row.node
    digits = node.tag[1:5] + node.tag[6:10]
    value = "" if row.is_masked else node.value
    text = f"{node.tag} {digits} {node.keyword} {node.name} {value}".lower()
    return all(word in text for word in words)


def is_attribute(node: TagNode) -> bool:
    """False for items of sequences and for notes."""
    return node.tag.startswith("(")


def in_full(row: Row) -> str:
    """What the cells may have to cut: name, keyword and value, one below the other."""
    node = row.node
    names = " · ".join(part for part in (node.name, node.keyword) if part)
    return f"{names}\n{row.value}"


def as_text(row: Row) -> str:
    """The row for the clipboard: tag, keyword, name, VR and value, with tabs between."""
    node = row.node
    return "\t".join((node.tag, node.keyword, node.name, node.vr, row.value))
