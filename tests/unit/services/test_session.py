"""Folders and models replace each other completely; results are matched to their film."""

from __future__ import annotations

import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from xrayview.display.first_frame import make_first_frame
from xrayview.domain.events import FilmResult
from xrayview.domain.film import FilmRef, RejectedFile
from xrayview.domain.model import (
    Affine,
    Finding,
    GateVerdict,
    HeatMap,
    ModelCard,
    ModelInput,
    Prediction,
    PreprocessSpec,
    Scope,
)
from xrayview.domain.radiograph import Greyscale, OverlayPlane, Radiograph
from xrayview.domain.stated import NOTHING_STATED, StatedFilms
from xrayview.engine.protocol import ModelReady, ModelRef, PreparedFilm
from xrayview.errors import Status, StatusCode, UnreadableFilm
from xrayview.services.film_list import FilmList
from xrayview.services.session import Session

FOLDER = Path("films")
CARD = ModelCard(1, "tiny", "1", "binary", "sigmoid", (Finding("Opacity"),), PreprocessSpec((8, 8)))


def film(name: str) -> FilmRef:
    return FilmRef(FOLDER / name, name, format="png")


def pixels(ref: FilmRef, rows: int = 4) -> Radiograph:
    return Radiograph(ref, np.zeros((rows, 1024), np.uint8), Greyscale())


def ready(sha256: str) -> ModelReady:
    ref = ModelRef(Path("tiny.pt"), sha256)
    return ModelReady(ref, CARD, "cpu", "CPU", "float32", ("grad-cam",))


def said_of(ref: FilmRef, sha256: str) -> FilmResult:
    prediction = Prediction(
        ref.film_id, sha256, ("Opacity",), (0.9,), (2.2,), (0.5,), (True,), "Opacity", 0.4,
        "cpu", "float32",
    )  # fmt: skip
    return FilmResult(ref.relative_path, Status.OK, StatusCode.OK, ref=ref, prediction=prediction)


def heat_of(ref: FilmRef, sha256: str) -> HeatMap:
    return HeatMap(
        ref.film_id, sha256, "Opacity", "grad-cam", 0.9, 0.5, np.zeros((2, 2), np.float32),
        Affine(1, 1), (4, 4), 1.0,
    )  # fmt: skip


@pytest.fixture
def session() -> Session:
    session = Session(film_budget_mib=1)
    session.open_folder(FOLDER, [film("b.png"), film("a.png")], [], FOLDER)
    session.open_model(ready("m1"))
    return session


def test_that_films_are_listed_in_the_order_of_the_browser(session: Session) -> None:
    assert [f.relative_path for f in session.films] == ["a.png", "b.png"]


def test_that_pixels_of_the_current_film_are_shown(session: Session) -> None:
    a = session.films[0]
    assert session.select(a) is None
    assert session.accept_radiograph(a, pixels(a))
    assert session.radiograph is not None


def test_that_late_pixels_of_another_film_are_kept_but_not_shown(session: Session) -> None:
    a, b = session.films
    session.select(a)
    session.select(b)
    assert not session.accept_radiograph(a, pixels(a))
    assert session.radiograph is None
    assert session.select(a) is not None


def test_that_pixels_of_a_closed_folder_are_dropped(session: Session) -> None:
    a = session.films[0]
    session.open_folder(Path("other"), [replace(film("c.png"), path=Path("other/c.png"))], [])
    assert not session.accept_radiograph(a, pixels(a))
    assert not session.is_decoded(a)


def test_that_a_late_failure_of_another_film_is_not_shown(session: Session) -> None:
    a, b = session.films
    session.select(b)
    error = UnreadableFilm("cut off", code=StatusCode.DECODE_FAILED)
    assert not session.accept_film_error(a, error)
    assert session.film_error is None
    assert session.accept_film_error(b, error)
    assert session.film_error is error


def test_that_a_film_that_becomes_readable_loses_its_error(session: Session) -> None:
    a = session.films[0]
    session.select(a)
    session.accept_film_error(a, UnreadableFilm("cut off", code=StatusCode.DECODE_FAILED))
    session.accept_radiograph(a, pixels(a))
    assert session.film_error is None


def test_that_decoded_films_stay_within_the_budget_except_the_latest() -> None:
    films = [film(f"{n}.png") for n in range(4)]
    session = Session(film_budget_mib=1)
    session.open_folder(FOLDER, films, [])
    for ref in films:
        session.accept_radiograph(ref, pixels(ref, rows=380))  # half a MiB each, with its pyramid
    assert [session.is_decoded(ref) for ref in films] == [False, False, True, True]
    session.accept_radiograph(films[0], pixels(films[0], rows=5000))
    assert [session.is_decoded(ref) for ref in films] == [True, False, False, False]


def with_graphics(ref: FilmRef, side: int) -> Radiograph:
    plane = OverlayPlane(np.ones((side, side), np.bool_))
    return Radiograph(ref, np.zeros((side, side), np.uint8), Greyscale(), overlays=(plane,))


def test_that_first_frames_count_towards_the_budget_and_go_with_their_film() -> None:
    films = [film(f"{n}.png") for n in range(6)]
    session = Session(film_budget_mib=4)
    session.open_folder(FOLDER, films, [])
    session.select(films[0])
    made = []
    for ref in films:  # decoded ahead, all but the first
        radiograph = with_graphics(ref, 512)
        first_picture = make_first_frame(radiograph)
        made.append(weakref.ref(first_picture))
        session.accept_radiograph(ref, radiograph, first_picture)
        assert session.first_frame(radiograph) is first_picture
        del radiograph, first_picture
    cached = [ref for ref in films if session.is_decoded(ref)]
    assert cached == [films[0], *films[-len(cached) + 1 :]]  # on screen, and the newest
    assert [ref() is not None for ref in made] == [session.is_decoded(ref) for ref in films]
    sizes = [size for ref in cached if (size := session.bytes_of(ref))]
    assert sum(sizes) <= session.film_budget_bytes < sum(sizes) + sizes[0]
    assert sizes[0] > 4 * 512**2  # pixels, graphics, smaller resolutions, and the same of its cover
    assert session.bytes_of(films[1]) is None


def test_that_the_current_film_stays_while_the_list_grows(session: Session) -> None:
    a = session.films[0]
    session.select(a)
    session.accept_radiograph(a, pixels(a))
    rejected = RejectedFile(FOLDER / "x.txt", "x.txt", StatusCode.NOT_AN_IMAGE, "a text")
    session.add_films([film("c.png")], [rejected])
    assert session.current is a
    assert session.radiograph is not None
    assert len(session.films) == 3
    assert session.rejected == (rejected,)


def test_that_a_result_is_found_by_its_film_and_the_active_model(session: Session) -> None:
    a, b = session.films
    assert session.accept_result(said_of(a, "m1"), "m1")
    assert session.result(a) is not None
    assert session.result(b) is None
    assert session.result(None) is None


def test_that_a_result_of_an_earlier_model_is_not_shown_under_the_new_one(
    session: Session,
) -> None:
    a = session.films[0]
    session.open_model(ready("m2"))
    assert not session.accept_result(said_of(a, "m1"), "m1")
    assert session.result(a) is None
    session.open_model(ready("m1"))
    assert session.result(a) is not None


def test_that_a_result_that_contradicts_its_own_film_or_model_is_refused(
    session: Session,
) -> None:
    a, b = session.films
    crossed = replace(said_of(a, "m1"), ref=b)
    assert not session.accept_result(crossed, "m1")
    assert not session.accept_result(said_of(a, "m2"), "m1")
    assert session.result(a) is session.result(b) is None


def test_that_a_result_of_a_film_that_is_no_longer_open_is_dropped(session: Session) -> None:
    a = session.films[0]
    session.open_folder(Path("other"), [], [])
    assert not session.accept_result(said_of(a, "m1"), "m1")


def test_that_the_same_folder_opened_again_starts_without_results(session: Session) -> None:
    a = session.films[0]
    session.accept_result(said_of(a, "m1"), "m1")
    session.open_folder(FOLDER, session.films, [])
    assert session.result(a) is None


def test_that_a_heat_map_is_shown_over_its_own_film_and_model_only(session: Session) -> None:
    a, b = session.films
    session.select(b)
    assert not session.accept_heat_map(heat_of(a, "m1"))
    assert not session.accept_heat_map(heat_of(b, "m0"))
    assert session.accept_heat_map(heat_of(b, "m1"))
    assert session.heat_map(b, "Opacity", "grad-cam") is not None
    assert session.heat_map(b, "Opacity", "occlusion") is None
    assert session.heat_map(a, "Opacity", "grad-cam") is not None  # for when it is chosen


def test_that_a_statement_changes_the_verdict_of_films_but_no_score(session: Session) -> None:
    a, b = session.films
    card = replace(CARD, scope=Scope(age_years=(1, 5), view_positions=("AP",)))
    session.open_model(replace(ready("m1"), card=card))
    scored = replace(said_of(a, "m1"), pixel_gate=GateVerdict(ood_score=1.0), warnings=())
    refused = replace(said_of(b, "m1"), prediction=None, pixel_gate=GateVerdict())
    for result in (scored, refused):
        session.accept_result(result, "m1")
    shown = session.result(a)
    assert shown is not None
    assert shown.status is Status.OK
    assert shown.gate is not None
    assert "AGE_UNKNOWN" in shown.gate.facts
    assert session.result(b) is None  # nothing is wrong with it now, and it has no score

    session.state_films(StatedFilms((18, 90), "LL"))
    adult = session.result(a)
    assert adult is not None
    assert (adult.status, adult.prediction) == (Status.REFUSED, None)
    lateral = session.result(b)
    assert lateral is not None
    assert lateral.code is StatusCode.NOT_FRONTAL

    session.state_films(StatedFilms((2, 5), "AP"))
    child = session.result(a)
    assert child is not None
    assert (child.status, child.prediction) == (Status.OK, scored.prediction)
    assert child.gate is not None
    assert "AGE_STATED" in child.gate.facts
    session.open_folder(FOLDER, session.films, [])
    assert session.stated == NOTHING_STATED


def test_that_a_prepared_film_belongs_to_its_model(session: Session) -> None:
    a = session.films[0]
    seen = ModelInput(a.film_id, np.zeros((1, 8, 8), np.float32), Affine(1, 1), (4, 4), "p")
    prepared = PreparedFilm(a, seen, "hash", GateVerdict())
    session.accept_prepared(prepared, "m1")
    assert session.prepared(a) is prepared
    session.open_model(ready("m2"))
    assert session.prepared(a) is None


def test_that_stepping_stops_at_both_ends(session: Session) -> None:
    a, b = session.films
    listed = FilmList(session.films)
    assert listed.neighbour(a, -1) is a
    assert listed.neighbour(a, 1) is b
    assert listed.neighbour(b, 5) is b
    assert listed.neighbour(None, 1) is a
    assert FilmList().neighbour(a, 1) is None


def test_that_positions_start_at_one_and_films_not_listed_have_zero() -> None:
    listed = FilmList([film("a.png"), film("b.png")])
    assert [listed.position(film(name)) for name in ("a.png", "b.png", "c.png")] == [1, 2, 0]
    assert listed.position(None) == 0


def test_that_a_film_that_is_not_listed_has_neighbours_in_the_list() -> None:
    every = FilmList([film(f"{letter}.png") for letter in "abcdef"])
    listed = FilmList([every.films[1], every.films[2], every.films[4]])

    def from_(letter: str, step: int) -> str:
        found = listed.nearest(film(f"{letter}.png"), step, every)
        return found.relative_path[0] if found else ""

    assert [from_("d", 1), from_("d", -1)] == ["e", "c"]
    assert [from_("a", 1), from_("a", -1)] == ["b", "b"]
    assert [from_("f", 1), from_("f", -1)] == ["e", "e"]
    assert [from_("a", 2), from_("f", -2), from_("d", -2)] == ["c", "c", "b"]
    assert FilmList().nearest(every.films[0], 1, every) is None


def test_that_a_series_starts_where_the_uid_or_the_folder_changes() -> None:
    dicom = [
        replace(film(f"{n}.dcm"), format="dicom", series_uid=uid) for n, uid in enumerate("112")
    ]
    png = [film("x/a.png"), film("y/b.png"), film("y/c.png")]
    listed = FilmList([*dicom, *png])
    starts = [f.relative_path for f in listed.series_starts().films]
    assert starts == ["0.dcm", "2.dcm", "x/a.png", "y/b.png"]
    assert listed.series_start(png[2]) is png[1]
    assert listed.series_start(None) is None


def test_that_each_view_has_its_own_film(session: Session) -> None:
    a, b = session.films
    session.show_views(2)
    session.select(a)
    session.select(b, 1)
    assert session.accept_radiograph(b, pixels(b)) == (1,)
    assert session.current is a
    assert session.radiograph is None
    session.activate(1)
    assert session.current is b
    assert session.radiograph is not None


def test_that_pixels_reach_every_view_that_waits_for_them_and_no_other(session: Session) -> None:
    a = session.films[0]
    session.show_views(2)
    session.select(a)
    first = pixels(a)
    assert session.accept_radiograph(a, first) == (0,)
    session.select(a, 1)
    assert session.accept_radiograph(a, pixels(a)) == ()  # both show the first decode
    assert [view.radiograph for view in session.views] == [first, first]


def test_that_fewer_views_keep_the_active_one(session: Session) -> None:
    a, b = session.films
    session.show_views(4)
    session.select(a)
    session.select(b, 3)
    session.activate(3)
    session.show_views(2)
    assert [view.film for view in session.views] == [a, b]
    assert session.active == 1
    session.show_views(1)
    assert session.current is b


def test_that_swapping_views_keeps_the_active_one(session: Session) -> None:
    a, b = session.films
    session.show_views(2)
    session.select(a)
    session.select(b, 1)
    session.swap_views(0, 1)
    assert session.active == 1
    assert session.current is a


def test_that_another_folder_empties_every_view(session: Session) -> None:
    a, b = session.films
    session.show_views(2)
    session.select(a)
    session.select(b, 1)
    session.open_folder(Path("other"), [], [])
    assert [view.film for view in session.views] == [None, None]


def test_that_films_on_screen_stay_decoded_whatever_else_is() -> None:
    films = [film(f"{n}.png") for n in range(5)]
    session = Session(film_budget_mib=1)
    session.open_folder(FOLDER, films, [])
    session.show_views(2)
    for number in (0, 1):
        session.select(films[number], number)
    for ref in films:
        session.accept_radiograph(ref, pixels(ref, rows=380))  # half a MiB each, with its pyramid
    assert [session.is_decoded(ref) for ref in films] == [True, True, False, False, True]
    session.show_views(1)
    session.accept_radiograph(films[2], pixels(films[2], rows=380))
    assert not session.is_decoded(films[1])


def test_that_a_heat_map_of_any_film_on_screen_may_be_shown(session: Session) -> None:
    a, b = session.films
    session.show_views(2)
    session.select(a)
    session.select(b, 1)
    assert session.accept_heat_map(heat_of(b, "m1"))
    session.show_views(1)
    assert not session.accept_heat_map(heat_of(b, "m1"))
