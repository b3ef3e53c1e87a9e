"""The attributes of a DICOM file, as a tree for display and as values for a table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import UID

from xrayview.domain.age import RARE_YEARS, age_in_years
from xrayview.domain.tags import TagNode
from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.io.dicom import reader as dicom_reader
from xrayview.io.dicom.dataset import UNDEFINED_LENGTH, DicomFile, PixelElement, open_dicom
from xrayview.io.dicom.unknown_vr import KnownVrs, lose_values
from xrayview.io.readers import HEAD_BYTES, read_header
from xrayview.io.safe_open import film_errors, regular_file_info
from xrayview.io.tags.columns import Column, column_of, parse_column

MAX_DEPTH = 64
MAX_NODES = 20_000
SHOWN_CHARACTERS = 200
SHOWN_VALUES = 32

_PREAMBLE_AND_PREFIX = 132
_FILE_META = 0x0002


def read_tags(
    path: Path, depth: int = MAX_DEPTH, max_nodes: int = MAX_NODES
) -> tuple[TagNode, ...]:
    """Read the attributes of a DICOM file up to its pixels, file meta information first.

    Args:
        path: a regular file.
        depth: levels of sequences to show; a node says where there are deeper ones.
        max_nodes: attributes and items to show; a last node says if there are more.

    Raises:
        UnreadableFilm: NOT_AN_IMAGE for what is not DICOM, DECODE_FAILED for a broken header.
    """
    with film_errors(path):
        regular_file_info(path)
        with path.open("rb") as stream:
            if not dicom_reader.sniff(stream.read(HEAD_BYTES)):
                raise UnreadableFilm(
                    "Not a DICOM file",
                    code=StatusCode.NOT_AN_IMAGE,
                    why="only DICOM files have tags",
                    hint="Choose a DICOM file.",
                )
            tree = _Tree(max_nodes)
            meta = tree.nodes(_file_meta(stream), depth)
            file = open_dicom(stream, [], with_pixels=False)
            nodes = (*meta, *tree.nodes(file.dataset, depth))
            return (*nodes, _pixels_node(file.pixels)) if file.pixels else nodes


def _file_meta(stream: BinaryIO) -> Dataset:
    stream.seek(0)
    head = stream.read(_PREAMBLE_AND_PREFIX)
    stream.seek(len(head) if head.endswith(b"DICM") else 0)
    known = KnownVrs(stream, lambda tag: tag >> 16 != _FILE_META, little_endian=True)
    meta = read_dataset(
        known.stream, False, True, stop_when=lambda tag, _vr, _length: tag.group != _FILE_META
    )
    lose_values(meta, known.lost)
    return meta


def _pixels_node(pixels: PixelElement) -> TagNode:
    tag = BaseTag(0x7FE00010 if pixels.keyword == "PixelData" else _float_tag(pixels.keyword))
    length = "in fragments" if pixels.length == UNDEFINED_LENGTH else f"{pixels.length} bytes"
    return TagNode(
        _tag_text(tag), pixels.keyword, "Pixel Data", pixels.vr, length, is_identifying=False
    )


def _float_tag(keyword: str) -> int:
    return 0x7FE00008 if keyword == "FloatPixelData" else 0x7FE00009


class _Tree:
    """Builds nodes up to a maximum number."""

    def __init__(self, max_nodes: int) -> None:
        self._remaining = max_nodes

    def nodes(
        self, dataset: Dataset, depth: int, above: tuple[int, ...] = ()
    ) -> tuple[TagNode, ...]:
        """One node per attribute, in the order of the tags; `above` is the path to the data set."""
        return tuple(self._elements(dataset, depth, above))

    def _elements(self, dataset: Dataset, depth: int, above: tuple[int, ...]) -> Iterator[TagNode]:
        for tag in sorted(dataset.keys()):
            if self._remaining <= 0:
                yield _note("there are more")
                return
            self._remaining -= 1
            yield self._element(dataset, tag, depth, above)

    def _element(
        self, dataset: Dataset, tag: BaseTag, depth: int, above: tuple[int, ...]
    ) -> TagNode:
        try:
            element = dataset[tag]
            items = element.value if isinstance(element.value, Sequence) else None
            value = _value_text(element)
            identifying = _is_identifying(element, above)
        except Exception:  # pydicom converts on access, and a broken value raises anything
            keyword = keyword_for_tag(tag)
            return TagNode(_tag_text(tag), keyword, "", "", "cannot be read", (), False)
        children = self._items(items, depth, (*above, tag)) if items is not None else ()
        return TagNode(
            _tag_text(tag),
            element.keyword,
            _name(element),
            str(element.VR),
            value,
            children,
            identifying,
        )

    def _items(self, items: Sequence, depth: int, above: tuple[int, ...]) -> tuple[TagNode, ...]:
        if depth <= 0:
            return (_note("deeper levels are not shown"),) if items else ()
        return tuple(self._item_nodes(items, depth, above))

    def _item_nodes(self, items: Sequence, depth: int, above: tuple[int, ...]) -> Iterator[TagNode]:
        for i, item in enumerate(items):
            if self._remaining <= 0:
                yield _note("there are more")
                return
            self._remaining -= 1
            children = self.nodes(item, depth - 1, (*above, i))
            yield TagNode(str(i), "", f"Item {i}", "item", "", children)


def _note(text: str) -> TagNode:
    return TagNode("", "", text, "", "")


def _tag_text(tag: BaseTag) -> str:
    return f"({tag.group:04X},{tag.element:04X})"


def _name(element: DataElement) -> str:
    """The attribute's name in pydicom, without the brackets of known private attributes."""
    return element.name.strip("[]")


def _is_identifying(element: DataElement, above: tuple[int, ...]) -> bool:
    """As for columns of the tag table; a UID of this film also counts, as archives can find it."""
    if isinstance(element.value, Sequence):
        return False  # shown as a count
    if any(isinstance(part, UID) and part.name == part for part in _values(element)):
        return True
    years = age_in_years(str(element.value)) if element.VR == "AS" else None
    if years is not None and years >= RARE_YEARS:
        return True
    return column_of((*above, element.tag)).is_identifying


def _values(element: DataElement) -> list[Any]:
    value = element.value
    return list(value) if isinstance(value, MultiValue | list) else [value]


def _value_text(element: DataElement) -> str:
    """The value as one short line."""
    if isinstance(element.value, Sequence):
        return f"items: {len(element.value)}"
    values = _values(element)
    text = "\\".join(_single_text(part) for part in values[:SHOWN_VALUES])
    is_cut = len(values) > SHOWN_VALUES or len(text) > SHOWN_CHARACTERS
    return text[:SHOWN_CHARACTERS] + (" …" if is_cut else "")


def _single_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, UID) and value.name != value:
        return f"{value} ({value.name})"
    if isinstance(value, BaseTag):
        return _tag_text(value)
    return str(value).strip("\0 ")


def read_values(path: Path, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Read the values of some attributes of a file as text; empty where the file has none.

    Several values are joined by a backslash; binary values are given as their length, sequences
    as their number of items. A film without DICOM attributes has only its size.

    Raises:
        UnreadableFilm: NOT_AN_IMAGE, DECODE_FAILED for a broken header.
        UsageError: a name is not a column.
    """
    requested = tuple(map(parse_column, columns))
    with film_errors(path):
        regular_file_info(path)
        with path.open("rb") as stream:
            if not dicom_reader.sniff(stream.read(HEAD_BYTES)):
                return _raster_values(path, columns)
            tags = [column.steps[0] for column in requested]
            # With an empty list pydicom reads all tags.
            file = open_dicom(stream, tags or [0x00080018], with_pixels=False)
        if file.truncated and file.pixels is None:
            raise UnreadableFilm(
                "The DICOM header is broken",
                code=StatusCode.DECODE_FAILED,
                why="the file ends inside its header",
                hint="The file was probably truncated; copy or export it again.",
            )
        return tuple(_cell(file, column) for column in requested)


def _raster_values(path: Path, columns: tuple[str, ...]) -> tuple[str, ...]:
    film = read_header(path, path.parent)
    values = {"Rows": film.rows, "Columns": film.columns, "NumberOfFrames": film.frames}
    return tuple(str(values.get(column, "")) for column in columns)


def _cell(file: DicomFile, column: Column) -> str:
    if column.name == "TransferSyntaxUID":
        return file.transfer_syntax
    dataset: Dataset = file.dataset
    *path, last = column.steps
    try:
        for tag, i in zip(path[::2], path[1::2], strict=True):
            dataset = dataset[tag].value[i]
        return _cell_text(dataset[last].value)
    except Exception:  # absent, fewer items than in the path, or broken
        return ""


def _cell_text(value: Any) -> str:
    if isinstance(value, Sequence):
        return str(len(value))
    values = value if isinstance(value, MultiValue | list) else [value]
    return "\\".join(str(part) if isinstance(part, UID) else _single_text(part) for part in values)
