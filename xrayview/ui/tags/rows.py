"""The rows of the tag tree as plain data: the search, and the text of each cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from xrayview.domain.tags import TagNode

HIDDEN = "hidden"
_ROOT = TagNode("", "", "", "", "")


@dataclass(eq=False, slots=True)
class Row:
    """A listed attribute or item, with its parent and its children."""

    node: TagNode
    parent_row: Row | None = field(default=None, repr=False)
    index: int = 0
    children: list[Row] = field(default_factory=list, repr=False)
    is_match: bool = True
    """It matches the search itself; False where it is listed only for rows below it."""
    is_masked: bool = False
    """Its value may name the patient, and identity is hidden."""

    @property
    def key(self) -> tuple[str, ...]:
        """The path of tags and item numbers, which finds the same attribute in another film."""
        return (*self.parent_row.key, self.node.tag) if self.parent_row else ()

    def find(self, key: tuple[str, ...]) -> Row | None:
        """Return the row below this one with this key; None where it is not listed."""
        row = self
        for tag in key:
            found = next((children for children in row.children if children.node.tag == tag), None)
            if found is None:
                return None
            row = found
        return row

    @property
    def value(self) -> str:
        """The value that may be shown, searched and copied."""
        return HIDDEN if self.is_masked else self.node.value

    def walk(self) -> Iterator[Row]:
        """Yield this row and all below it, in the order of the tree."""
        yield self
        for row in self.children:
            yield from row.walk()


@dataclass(frozen=True)
class Column:
    """One column: its title, the text of its cells, and its initial width (0: the remainder)."""

    title: str
    text: Callable[[Row], str]
    width_px: int = 0


COLUMNS = (
    Column("Tag", lambda row: row.node.tag, 126),
    Column("Name", lambda row: row.node.name, 132),
    Column("VR", lambda row: row.node.vr if is_attribute(row.node) else "", 32),
    Column("Value", lambda row: row.value),
)


def build_rows(nodes: Iterable[TagNode], query: str = "", *, hide_identity: bool = False) -> Row:
    """Return the root of the rows that match all words of `query`, with parents and children.

    Tag, keyword, name and value are searched, ignoring case. A hidden value is not searched: the
    search would reveal it letter by letter.
    """
    root = Row(_ROOT)
    _add_rows(root, nodes, tuple(query.lower().split()), hide_identity)
    return root


def _add_rows(
    parent_row: Row, nodes: Iterable[TagNode], query: tuple[str, ...], hide: bool
) -> None:
    for node in nodes:
        row = Row(node, parent_row, len(parent_row.children))
        row.is_masked = hide and node.is_identifying and bool(node.value)
        row.is_match = not query or _matches(row, query)
        # All rows below a match are listed: a sequence that matches shows its items.
        _add_rows(row, node.children, () if row.is_match else query, hide)
        if row.is_match or row.children:
            parent_row.children.append(row)


def _matches(row: Row, query: tuple[str, ...]) -> bool:
    node = row.node
    digits = node.tag[1:5] + node.tag[6:10]
    value = "" if row.is_masked else node.value
    text = f"{node.tag} {digits} {node.keyword} {node.name} {value}".lower()
    return all(word in text for word in query)


def is_attribute(node: TagNode) -> bool:
    """Return False for items of sequences and for notes."""
    return node.tag.startswith("(")


def full_text(row: Row) -> str:
    """Return name, keyword and value in full, which the cells may have to cut off."""
    node = row.node
    names = " · ".join(part for part in (node.name, node.keyword) if part)
    return f"{names}\n{row.value}"


def clipboard_text(row: Row) -> str:
    """Return the row for the clipboard: tag, keyword, name, VR and value, separated by tabs."""
    node = row.node
    return "\t".join((node.tag, node.keyword, node.name, node.vr, row.value))
