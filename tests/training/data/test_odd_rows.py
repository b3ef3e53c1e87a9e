"""Odd spellings of paths, patients, views and drawings: one film is one row, and only films."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from tests.training.conftest import write_film, write_table
from training.config import DataConfig, TrainingConfig, with_overrides
from training.data.films import gather_films, list_rows
from training.data.manifest import FilmRow
from training.data.not_films import without_drawings
from training.data.patients import is_unknown, patient_id
from training.data.tidy import tidied
from training.data.views import is_lateral

Row = tuple[str, ...]


def row(path: str, label: str = "normal", patient: str = "p", split: str = "train") -> Row:
    return (path, "kermany", split, label, patient, "", "", "")


# --- one spelling for each file


@pytest.mark.parametrize(
    "spelled", ["{folder}/sub/a.png", "../{name}/sub/a.png", "sub/../sub/a.png", ".\\sub\\a.png"]
)
def test_that_another_spelling_of_a_path_is_the_same_film(
    spelled: str, tiny_config: TrainingConfig, tmp_path: Path
):
    write_film(tmp_path / "sub/a.png", 1, bright=False)
    write_film(tmp_path / "b.png", 2, bright=True)
    other = spelled.format(folder=tmp_path, name=tmp_path.name)
    films = [row("sub/a.png"), row("b.png", "pneumonia", "q")]
    write_table(tmp_path, [*films, row(other)])
    assert [r.path for r in list_rows(tiny_config, tmp_path).rows] == ["sub/a.png", "b.png"]
    write_table(tmp_path, [*films, row(other, "pneumonia")])
    assert [c.kind for c in list_rows(tiny_config, tmp_path).conflicts] == [
        "different labels for one film"
    ]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_that_composed_letters_are_found_in_either_form(form: str, tmp_path: Path):
    write_film(tmp_path / "über.png", 1, bright=False)
    film = FilmRow(unicodedata.normalize(form, "über.png"), "here", "p", ("normal",), "")
    assert (tmp_path / tidied(film, tmp_path).path).is_file()


def test_that_words_for_blanks_are_no_values(tmp_path: Path):
    film = FilmRow("a.png", "here", "p", ("normal",), "NaN", sex="nan", age="N/A", view=" PA ")
    found = tidied(film, tmp_path)
    assert (found.official_split, found.sex, found.age, found.view) == ("", "", "", "PA")


# --- patients


@pytest.mark.parametrize(
    "given", ["", "  ", "nan", "NA", "N/A", "-", "--", "?", "unknown", "None", "Anonymous", "XXX"]
)
def test_that_placeholders_join_no_films_to_one_patient(given: str):
    assert is_unknown(patient_id("a.png", given, DataConfig()))
    assert patient_id("person7_1.png", given, DataConfig(patient_pattern="person[0-9]+")) == (
        "person7"
    )


@pytest.mark.parametrize(
    ("given", "patient"), [(" p16 ", "p16"), ("0", "0"), ("anon001", "anon001"), ("X7", "X7")]
)
def test_that_pseudonyms_stay(given: str, patient: str):
    assert patient_id("a.png", given, DataConfig()) == patient


def test_that_the_alternative_of_the_pattern_that_matches_is_used():
    data = DataConfig(patient_pattern="p([0-9]+)_|s([0-9]+)_")
    assert patient_id("s12_3.png", "", data) == "12"
    assert patient_id("p7_3.png", "", data) == "7"


# --- views


@pytest.mark.parametrize(
    ("view", "path"),
    [
        ("", "a/f_lat.png"), ("", "a/LATERAL-1.png"), ("", "a/view2_lateral.jpg"),
        ("", "a/Lat1.png"), ("", "lateral/a.png"), ("", "x/LAT/b.png"), ("", "p3 seitlich.png"),
        ("", "profil_4.png"), ("Seitlich", "a.png"), ("LL", "a.png"), ("L lateral", "a.png"),
    ],
)  # fmt: skip
def test_that_lateral_films_are_found_by_view_name_and_folder(view: str, path: str):
    assert is_lateral(view, path)


@pytest.mark.parametrize(
    ("view", "path"),
    [
        ("", "a/FLAT.png"), ("", "a/Latissimus.png"), ("", "a/scatter_latest.png"),
        ("", "a/pt_lateralised.png"), ("", "left_lat_decub.png"), ("PA", "lateral/a.png"),
        ("Lateral decubitus", "a.png"), ("CHEST (PA AND LAT)", "view1_frontal.jpg"),
    ],
)  # fmt: skip
def test_that_other_films_stay(view: str, path: str):
    assert not is_lateral(view, path)


def test_that_a_mixed_study_description_leaves_the_view_to_the_name():
    assert is_lateral("CHEST (PA AND LAT)", "view2_lateral.jpg")


def test_that_a_finding_named_lateral_is_no_view(tiny_config: TrainingConfig, tmp_path: Path):
    for number in range(4):
        for label in ("normal", "lateral"):
            write_film(tmp_path / label / f"{number}.png", number, bright=label == "lateral")
    target = ['target.negative_labels=["normal"]', 'data.conflicts="leave_out"']
    config = with_overrides(tiny_config, target)
    omitted = list_rows(config, tmp_path).omitted
    assert {omission.code for omission in omitted} == {"NO_TARGET"}


# --- drawings on films


def films(*paths: str) -> list[FilmRow]:
    return [FilmRow(path, "here", path, (path.split("/")[0],), "") for path in paths]


@pytest.mark.parametrize(
    "drawing",
    ["a/1_lungs.png", "a/1_GT.png", "a/1-roi-2.png", "a/Maske_1.png", "a/1_lung_mask_v2.png",
     "a/1.heatmap.png", "a/1_bbox.png", "a/annotations/1.png", "a/Ground_truth/1.png"],
)  # fmt: skip
def test_that_a_drawing_on_a_film_is_no_film(drawing: str):
    stay, omitted = without_drawings(films("a/1.png", "a/2.png", drawing))
    assert [film.path for film in stay] == ["a/1.png", "a/2.png"]
    assert [(omission.path, omission.code) for omission in omitted] == [(drawing, "MASK")]


def test_that_films_in_a_folder_beside_their_drawings_stay():
    stay, _ = without_drawings(films("a/images/1.png", "a/lungs/1.png", "a/rois/1.png"))
    assert [film.path for film in stay] == ["a/images/1.png"]


@pytest.mark.parametrize(
    "names",
    [("a/1_lungs.png", "a/2_lungs.png"), ("a/healthy_lungs.png",), ("lungs/1.png", "heart/1.png"),
     ("a/annotations/1.png", "a/annotations/2.png"), ("gt/1.png", "normal/1.png")],
)  # fmt: skip
def test_that_such_names_alone_do_not_tell_a_drawing(names: tuple[str, ...]):
    stay, omitted = without_drawings(films(*names))
    assert len(stay) == len(names)
    assert not omitted


# --- what is left out


def test_that_empty_image_files_count_as_lost_films(tiny_config: TrainingConfig, tmp_path: Path):
    for number in range(24):
        label = ("normal", "pneumonia")[number % 2]
        write_film(tmp_path / "data" / label / f"{number}.png", number, bright=bool(number % 2))
        (tmp_path / "data" / label / f"{number}.txt").write_text("a report")
    found = gather_films(tiny_config, tmp_path / "data", tmp_path / "cache")
    assert not found.problems
    for number in range(4):
        (tmp_path / "data/normal" / f"empty{number}.png").write_bytes(b"")
    found = gather_films(tiny_config, tmp_path / "data", tmp_path / "cache")
    assert any("4 of 28 films" in problem for problem in found.problems)


def test_that_copies_are_counted_in_a_note(tiny_config: TrainingConfig, tmp_path: Path):
    for number in range(24):
        label = ("normal", "pneumonia")[number % 2]
        write_film(tmp_path / "data" / label / f"{number}.png", number, bright=bool(number % 2))
    film = tmp_path / "data/normal/0.png"
    film.with_name("again.png").hardlink_to(film)
    found = gather_films(tiny_config, tmp_path / "data", tmp_path / "cache")
    assert "1 film has the pixels of another film; in metrics they count once." in (
        found.manifest.notes
    )
