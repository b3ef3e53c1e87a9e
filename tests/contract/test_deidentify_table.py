"""The tables that `io/deidentify/rules.py` takes from the inside of `dicom-anonymizer`.

Another release may rename or drop them, which is why pyproject.toml bounds its version.
"""

from __future__ import annotations

import pytest
from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as table
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.tag import BaseTag

from xrayview.io.deidentify.rules import _OF_TABLE, EDITION, Action, action_for


def test_that_the_table_is_of_the_edition_that_copies_name() -> None:
    assert table.__name__.endswith(EDITION)


def test_that_every_list_of_the_table_has_an_action_and_covers_it_once() -> None:
    used = [tag for tags, _ in _OF_TABLE for tag in tags]
    assert len(set(used)) == len(used)
    assert set(used) == set(table.ALL_TAGS)


@pytest.mark.parametrize(
    ("keyword", "action"),
    [
        ("PatientName", Action.EMPTY),  # Z
        ("PatientBirthDate", Action.EMPTY),  # Z
        ("PatientComments", Action.REMOVE),  # X
        ("AcquisitionDate", Action.EMPTY),  # X/Z
        ("StudyInstanceUID", Action.UID),  # U
        ("ReferencedSOPInstanceUID", Action.UID),  # U
        ("Rows", Action.KEEP),  # not in the table
    ],
)
def test_that_known_attributes_have_the_action_of_the_standard(
    keyword: str, action: Action
) -> None:
    """PS3.15, table E.1-1."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    assert action_for(BaseTag(tag), dictionary_VR(tag)) is action
