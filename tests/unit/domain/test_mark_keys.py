"""Annotations belong to one file, also where several files have one SOPInstanceUID."""

from __future__ import annotations

from xrayview.domain.mark_keys import StoredMarks, as_stored, film_of, mark_key, with_files
from xrayview.domain.measurement import Annotation, FilmMarks, Mark

UID = "1.2.3"
A, B = mark_key(UID, "a.dcm", "a" * 64), mark_key(UID, "b.dcm", "b" * 64)
EDITED = mark_key(UID, "a.dcm", "c" * 64)
RENAMED = mark_key(UID, "renamed.dcm", "a" * 64)
HASHED = mark_key("", "a.png", "a" * 64)


def marks(name: str) -> FilmMarks:
    points = ((0.0, 0.0), (1.0, 1.0))
    return FilmMarks((Annotation(Mark.LENGTH, points, UID, text=name, mark_id=name),))


def texts(stored: StoredMarks, key: str) -> list[str]:
    return [annotation.text for annotation in stored.of(key).annotations]


def test_that_two_files_with_one_uid_do_not_share_annotations() -> None:
    stored = StoredMarks({A: marks("of a")})
    assert texts(stored, A) == ["of a"]
    assert texts(stored, B) == []


def test_that_a_changed_or_renamed_file_keeps_its_annotations() -> None:
    stored = StoredMarks({A: marks("of a"), B: marks("of b")})
    assert texts(stored, EDITED) == texts(stored, RENAMED) == ["of a"]
    assert stored.replaced_by(EDITED) == (A,)
    assert stored.replaced_by(RENAMED) == ()  # it may be a copy
    assert texts(stored, mark_key("1.2.4", "a.dcm", "a" * 64)) == []


def test_that_annotations_of_an_earlier_version_belong_to_the_first_file_that_is_saved() -> None:
    earlier = StoredMarks({UID: marks("earlier")})
    assert texts(earlier, A) == texts(earlier, B) == ["earlier"]
    assert earlier.replaced_by(A) == (UID,)
    later = StoredMarks({UID: marks("earlier"), A: marks("of a")})
    assert texts(later, B) == []


def test_that_a_uid_alone_stands_for_its_only_file() -> None:
    assert texts(StoredMarks({A: marks("of a")}), UID) == ["of a"]
    assert texts(StoredMarks({A: marks("of a"), B: marks("of b")}), UID) == []


def test_that_the_first_file_is_stored_under_its_uid() -> None:
    films = {A: marks("of a"), B: marks("of b"), HASHED: marks("png")}
    stored = as_stored(films)
    assert list(stored) == [UID, B, HASHED]
    assert with_files(stored) == films
    assert "a.dcm" not in A
    assert {film_of(key) for key in films} == {UID, HASHED}
