"""The rows of the tag tree: searching, and masking with hidden identity."""

from __future__ import annotations

import pytest

from xrayview.domain.tags import TagNode
from xrayview.ui.tags.rows import HIDDEN, Row, build_rows, clipboard_text, full_text

CODE = TagNode("(0008,0104)", "CodeMeaning", "Code Meaning", "LO", "postero-anterior", (), False)
ITEM = TagNode("0", "", "Item 0", "item", "", (CODE,))
VIEW = TagNode("(0054,0220)", "ViewCodeSequence", "View Code Sequence", "SQ", "items: 1", (ITEM,))
NAME = TagNode("(0010,0010)", "PatientName", "Patient's Name", "PN", "Doe^Jane")
BIRTH = TagNode("(0010,0030)", "PatientBirthDate", "Patient's Birth Date", "DA", "")
KVP = TagNode("(0018,0060)", "KVP", "KVP", "DS", "120", (), False)
PRIVATE = TagNode("(0043,1010)", "", "Window value", "US", "400")
NODES = (NAME, BIRTH, KVP, PRIVATE, VIEW)


def listed(root: Row) -> list[str]:
    return [row.node.tag for row in root.walk() if row.parent_row]


def find(root: Row, node: TagNode) -> Row:
    return next(row for row in root.walk() if row.node is node)


def test_that_without_a_query_everything_is_listed_in_order() -> None:
    root = build_rows(NODES)
    expected = [*(node.tag for node in NODES), "0", "(0008,0104)"]
    assert listed(root) == expected


@pytest.mark.parametrize(
    "query",
    ["kvp", "KVP", "(0018,0060)", "0018,0060", "00180060", "120", "kvp 120", "  kvp "],
)
def test_that_a_tag_is_found_by_number_keyword_name_and_value(query: str) -> None:
    assert listed(build_rows(NODES, query)) == [KVP.tag]


def test_that_all_words_must_match_in_any_order() -> None:
    assert listed(build_rows(NODES, "date birth")) == [BIRTH.tag]
    assert listed(build_rows(NODES, "birth kvp")) == []


def test_that_a_private_tag_is_found_by_its_known_name() -> None:
    assert listed(build_rows(NODES, "window value")) == [PRIVATE.tag]


def test_that_a_match_in_a_sequence_keeps_the_rows_above_it() -> None:
    root = build_rows(NODES, "postero")
    assert listed(root) == [VIEW.tag, "0", CODE.tag]
    assert [find(root, node).is_match for node in (VIEW, ITEM, CODE)] == [False, False, True]


def test_that_a_matching_sequence_keeps_its_items() -> None:
    assert listed(build_rows(NODES, "viewcodesequence")) == [VIEW.tag, "0", CODE.tag]


def test_that_rows_have_an_index_among_the_listed_ones() -> None:
    root = build_rows(NODES, "postero")
    assert find(root, VIEW).index == 0
    assert find(root, CODE).key == (VIEW.tag, "0", CODE.tag)


def test_that_hidden_identity_masks_only_what_may_identify_the_patient() -> None:
    root = build_rows(NODES, hide_identity=True)
    assert find(root, NAME).value == find(root, PRIVATE).value == HIDDEN
    assert find(root, BIRTH).value == ""
    assert find(root, KVP).value == "120"
    assert find(root, CODE).value == "postero-anterior"


def test_that_a_masked_value_is_neither_found_nor_copied() -> None:
    assert listed(build_rows(NODES, "jane")) == [NAME.tag]
    assert listed(build_rows(NODES, "jane", hide_identity=True)) == []
    row = find(build_rows(NODES, "patientname", hide_identity=True), NAME)
    assert "Jane" not in clipboard_text(row) + full_text(row) + repr(row)


def test_that_a_copied_row_has_all_its_columns() -> None:
    row = find(build_rows(NODES), KVP)
    assert clipboard_text(row) == "(0018,0060)\tKVP\tKVP\tDS\t120"
