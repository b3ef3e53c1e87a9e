"""The groups of a folder's films, which do not depend on the order of arrival."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from xrayview.domain.film import FilmRef
from xrayview.domain.folder import FolderTree, Group, Level


def film(number: int, patient: str = "P", study: str = "1", series: str = "1.1") -> FilmRef:
    name = f"{patient}{study}{series}{number}"
    return FilmRef(
        Path(name), name, patient_id=patient, study_uid=study, series_uid=series,
        instance_number=number,
    )  # fmt: skip


def shape(groups: list[Group]) -> list[object]:
    return [
        (group.level, group.key, group.count, shape(group.groups), group.films) for group in groups
    ]


some_films = st.lists(
    st.builds(
        film, st.integers(0, 5), *(st.sampled_from(part) for part in (["A", "B", ""], "12", "xy"))
    ),
    unique=True,
)


@given(films=some_films, cut=st.integers(0, 30))
def test_that_films_added_in_parts_are_grouped_as_all_at_once(
    films: list[FilmRef], cut: int
) -> None:
    tree = FolderTree()
    tree.add(films[:cut])
    tree.add(films[cut:])
    assert shape(tree.groups) == shape(FolderTree(films).groups)
    assert sorted(tree.all_films(), key=str) == sorted(films, key=str)


@given(films=some_films)
def test_that_a_series_is_ordered_by_instance_number(films: list[FilmRef]) -> None:
    tree = FolderTree(films)
    for one in films:
        group = tree.groups_of(one)[-1]
        assert one in group.films
        assert [f.instance_number for f in group.films] == sorted(
            f.instance_number for f in group.films
        )


def test_that_patients_contain_studies_and_studies_series() -> None:
    tree = FolderTree([film(1), film(2, study="2", series="2.1"), film(3, patient="Q")])
    assert [(g.level, g.count) for g in tree.groups] == [(Level.PATIENT, 2), (Level.PATIENT, 1)]
    studies = tree.groups[0].groups
    assert [group.level for group in studies] == [Level.STUDY, Level.STUDY]
    assert [group.level for group in studies[0].groups] == [Level.SERIES]


def test_that_the_groups_of_a_film_are_listed_from_the_top() -> None:
    one = film(1)
    tree = FolderTree([one])
    levels = [group.level for group in tree.groups_of(one)]
    assert levels == [Level.PATIENT, Level.STUDY, Level.SERIES]
    assert [group.is_top for group in tree.groups_of(one)] == [True, False, False]
    assert tree.groups_of(film(1, patient="Q")) == []


def test_that_a_closed_folder_is_released_at_once() -> None:
    one = film(1)
    tree = FolderTree([one])
    groups = [weakref.ref(group) for group in tree.groups_of(one)]
    gc.disable()  # nobody is to wait for it
    try:
        del tree
        assert [group() for group in groups] == [None, None, None]
    finally:
        gc.enable()


def test_that_a_study_uid_shared_by_two_patients_is_two_studies() -> None:
    tree = FolderTree([film(1, patient="A"), film(2, patient="B")])
    assert [group.count for group in tree.groups] == [1, 1]


def test_that_films_without_identifiers_are_grouped_by_folder() -> None:
    films = [FilmRef(Path(n), n, format="png") for n in ("a.png", "sub/b.png", "c.png")]
    tree = FolderTree(films)
    assert [(g.level, len(g.films)) for g in tree.groups] == [(Level.FOLDER, 2), (Level.FOLDER, 1)]
