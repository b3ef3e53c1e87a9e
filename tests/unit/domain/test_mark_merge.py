"""Annotations that several windows edit: of each mark the later change wins, in any order."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from xrayview.domain.mark_merge import (
    KEEP_DELETIONS_MS,
    edited,
    identified,
    is_blank,
    merged,
    without_old_deletions,
)
from xrayview.domain.measurement import Annotation, FilmMarks, Mark
from xrayview.domain.radiograph import Spacing, SpacingKind

USER = Spacing(0.5, 0.5, SpacingKind.USER)


def mark(mark_id: str, modified_ms: int = 0, column: float = 1.0) -> Annotation:
    points = ((0.0, 0.0), (0.0, column))
    return Annotation(Mark.LENGTH, points, "1.2", mark_id=mark_id, modified_ms=modified_ms)


def ids(marks: FilmMarks) -> list[str]:
    return [annotation.mark_id for annotation in marks.annotations]


def state(marks: FilmMarks) -> object:
    """Everything but the order of the marks."""
    known = {a.mark_id: (a, a.modified_ms) for a in marks.annotations}
    return known, marks.calibration, marks.calibrated_ms, dict(marks.deleted)


_VERSIONS = st.builds(
    lambda marks, deleted, calibration: FilmMarks(
        tuple(mark(*fields) for fields in {fields[0]: fields for fields in marks}.values()),
        *calibration,
        deleted,
    ),
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5), st.sampled_from([1.0, 2.0]))),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 5)),
    st.sampled_from([(None, 0), (None, 2), (USER, 1), (USER, 3)]),
)


@given(_VERSIONS, _VERSIONS, _VERSIONS)
def test_that_the_order_of_merges_does_not_matter(a: FilmMarks, b: FilmMarks, c: FilmMarks) -> None:
    assert state(merged(a, b)) == state(merged(b, a))
    assert state(merged(merged(a, b), c)) == state(merged(a, merged(b, c)))
    assert state(merged(merged(a, b), b)) == state(merged(a, b))


def test_that_marks_of_an_earlier_version_get_the_same_ids_everywhere() -> None:
    old = FilmMarks((mark(""), mark(""), mark("", column=9.0)))
    first, second = identified(old), identified(old)
    assert ids(first) == ids(second)
    assert len(set(ids(first))) == 3
    assert merged(first, old).annotations == old.annotations


def test_that_an_edit_changes_only_what_the_user_has_changed() -> None:
    before = FilmMarks((mark("a"), mark("b")))
    now = FilmMarks((mark("a"), mark("b", 5, 7.0), mark("other", 5)))
    after = FilmMarks((mark("b"), mark("mine")))
    result = edited(now, before, after, 10)
    assert ids(result) == ["b", "mine", "other"]
    assert result.annotations[0].points == now.annotations[1].points
    assert dict(result.deleted) == {"a": 10}


def test_that_a_deletion_that_is_undone_is_newer_than_the_deletion() -> None:
    drawn = FilmMarks((mark("a", 1), mark("b", 1)))
    erased = edited(drawn, drawn, FilmMarks((mark("b", 1),)), 10)
    restored = edited(erased, FilmMarks((mark("b", 1),)), drawn, 10)  # the clock stands still
    assert ids(restored) == ["a", "b"]
    assert ids(merged(erased, restored)) == ["b", "a"]
    assert restored.deleted == {}


def test_that_a_change_of_a_mark_that_another_window_has_deleted_is_left_out() -> None:
    before = FilmMarks((mark("a"),))
    gone = FilmMarks(deleted={"a": 5})
    assert edited(gone, before, FilmMarks((mark("a", column=3.0),)), 10).annotations == ()


def test_that_a_calibration_is_set_and_removed_with_a_time() -> None:
    set_by_user = edited(FilmMarks(), FilmMarks(), FilmMarks(calibration=USER), 10)
    assert (set_by_user.calibration, set_by_user.calibrated_ms) == (USER, 10)
    removed = edited(set_by_user, set_by_user, FilmMarks(), 5)
    assert (removed.calibration, removed.calibrated_ms) == (None, 11)
    assert merged(set_by_user, removed).calibration is None


def test_that_old_deletions_are_forgotten() -> None:
    marks = FilmMarks(deleted={"a": 1, "b": KEEP_DELETIONS_MS})
    assert dict(without_old_deletions(marks, KEEP_DELETIONS_MS + 1).deleted) == {
        "b": KEEP_DELETIONS_MS
    }
    assert is_blank(FilmMarks())
    assert not is_blank(marks)
    assert not is_blank(replace(FilmMarks(), calibrated_ms=1))
