"""Labels: which film they belong to, which findings they name, and their agreement with scores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from xrayview.domain.events import FilmResult
from xrayview.domain.model import Finding, ModelCard, Prediction, PreprocessSpec, Task
from xrayview.errors import Status, StatusCode, UsageError
from xrayview.io.tables.cells import escape_formula, printable_name
from xrayview.services.labels import Labels, agrees, compare, labelled_findings, read_labels

FINDINGS = (Finding("Normal", abnormal=False), Finding("Pneumonia", synonyms=("Lung",)))


def card_of(task: Task) -> ModelCard:
    return ModelCard(1, "tiny", "1", task, "softmax", FINDINGS, PreprocessSpec((8, 8)))


def prediction(score: float) -> Prediction:
    scores, flags = (1 - score, score), (score < 0.5, score >= 0.5)
    name = "Pneumonia" if score >= 0.5 else "Normal"
    return Prediction(
        "a#0", "m1", ("Normal", "Pneumonia"), scores, (0.0, 0.0), (0.5, 0.5), flags, name, 0.5,
        "cpu", "float32",
    )  # fmt: skip


def result(name: str, score: float | None) -> FilmResult:
    if score is None:
        return FilmResult(name, Status.REFUSED, StatusCode.NOT_FRONTAL)
    return FilmResult(name, Status.OK, StatusCode.OK, prediction=prediction(score))


def written(folder: Path, text: str) -> Path:
    path = folder / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_that_column_names_ignore_case(tmp_path: Path) -> None:
    text = "Image Index,Age,Finding Labels\n1.png,60,Effusion|Mass\n2.png,50,\n"
    labels = read_labels(written(tmp_path, text))
    assert labels.of("1.png") == "Effusion|Mass"
    assert labels.of("2.png") == ""


def test_that_a_label_applies_to_every_frame_unless_the_table_names_one(tmp_path: Path) -> None:
    text = "path,frame,label\na.dcm,2,Mass\na.dcm,,Effusion\nb.dcm,0,Mass\nc.dcm\n"
    labels = read_labels(written(tmp_path, text))
    assert [labels.of("x/a.dcm", frame) for frame in (0, 2, 3)] == ["Effusion", "Mass", "Effusion"]
    assert [labels.of("b.dcm", frame) for frame in (0, 1, None)] == ["Mass", "", ""]
    every = read_labels(written(tmp_path, "path,label\na.dcm,Mass\n"))
    assert [every.of("a.dcm", frame) for frame in (0, 7)] == ["Mass", "Mass"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("path,age\na,1\n", "label"),
        ("age,label\n1,a\n", "path"),
        ("path,frame,label\na,second,b\n", "frame second"),
        ("", "not CSV"),
    ],
)
def test_that_a_table_without_the_columns_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(UsageError, match="The labels cannot be read") as refused:
        read_labels(written(tmp_path, text))
    assert why in refused.value.why


def test_that_a_missing_table_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="The labels cannot be read"):
        read_labels(tmp_path / "none.csv")


def test_that_a_film_is_matched_by_the_common_end_of_paths() -> None:
    labels = Labels({"data/test/a.png": "one", "b.png": "two", "train\\c.png": "three"})
    assert labels.of("test/a.png") == labels.of("a.png") == "one"
    assert labels.of("other/a.png") == ""
    assert labels.of("deep/er/b.png") == "two"
    assert labels.of("train/c.png") == "three"


def test_that_an_ambiguous_name_has_no_label_unless_all_agree() -> None:
    labels = Labels({"x/a.png": "one", "y/a.png": "two", "x/b.png": "one", "y/b.png": "one"})
    assert labels.of("a.png") == ""
    assert labels.of("b.png") == "one"


@pytest.mark.parametrize(
    ("label", "findings"),
    [
        ("PNEUMONIA", {"Pneumonia"}),
        ("bacterial pneumonia", {"Pneumonia"}),
        ("Effusion|Pneumonia", {"Pneumonia"}),
        ("No Finding", {"Normal"}),
        ("no_findings", {"Normal"}),
        ("pneumoniae", set()),
        ("abnormal", set()),
        ("lung", {"Pneumonia"}),
        ("", set()),
    ],
)
def test_that_a_label_names_a_finding_by_an_exact_name_or_a_synonym(
    label: str, findings: set[str]
) -> None:
    assert labelled_findings(label, card_of("binary")) == findings


@pytest.mark.parametrize(
    "label",
    [
        "no pneumonia", "not pneumonia", "non-pneumonia", "without pneumonia",
        "no evidence of pneumonia", "negative for pneumonia", "free of pneumonia",
        "ruled out pneumonia", "ruled-out pneumonia", "r/o pneumonia", "pneumonia ruled out",
        "excluded pneumonia", "absent pneumonia", "pneumonia absent", "unlikely pneumonia",
        "resolved pneumonia", "history of pneumonia", "possible pneumonia", "probable pneumonia",
        "suspected pneumonia", "pneumonia?", "? pneumonia", "pneumonia vs atelectasis",
        "pneumonia or edema", "kein pneumonia", "keine pneumonia", "ohne pneumonia", "-pneumonia",
        "pneumonia-negative", "pneumonia 0", "0", "1",
    ],
)  # fmt: skip
def test_that_negated_and_doubtful_labels_name_nothing_and_are_listed(label: str) -> None:
    card = card_of("binary")
    assert labelled_findings(label, card) == set()
    found = compare([result("a.png", 0.9)], Labels({"a.png": label}), card)
    assert (found.compared, found.unknown) == (0, {label: 1})
    also = compare([result("a.png", 0.9)], Labels({"a.png": f"Normal|{label}"}), card)
    assert (also.compared, also.unknown) == (0, {label: 1})
    assert agrees(prediction(0.1), f"Edema|{label}", card_of("multilabel")) is None


def test_that_a_contradictory_label_is_not_compared() -> None:
    assert agrees(prediction(0.9), "No Finding|Pneumonia", card_of("multilabel")) is None
    assert agrees(prediction(0.9), "No Finding|Pneumonia", card_of("binary")) is None
    assert agrees(prediction(0.1), "Normal|Effusion", card_of("binary")) is None


def test_that_a_synonym_does_not_name_another_kind() -> None:
    kinds = (Finding("Normal", abnormal=False), Finding("Bacterial pneumonia"),
             Finding("Viral pneumonia"))  # fmt: skip
    card = replace(card_of("multiclass"), findings=kinds)
    assert labelled_findings("viral_pneumonia", card) == {"Viral pneumonia"}
    assert labelled_findings("pneumonia", card) == set()
    effusion = replace(card_of("multilabel"), findings=(Finding("Pleural Effusion"),))
    assert labelled_findings("Effusion", effusion) == {"Pleural Effusion"}


def test_that_one_path_with_different_labels_is_a_conflict(tmp_path: Path) -> None:
    text = "path,label\na.png,normal\na.png,Pneumonia\nb.png,normal\nb.png,NORMAL\nb.png,normal\n"
    labels = read_labels(written(tmp_path, text))
    assert labels.all_of("a.png") == ("normal", "Pneumonia")
    assert labels.of("a.png") == ""
    assert labels.all_of("b.png") == ("normal",)
    found = compare([result("a.png", 0.9), result("b.png", 0.1)], labels, card_of("binary"))
    assert (found.compared, found.classified) == (1, 2)
    assert found.conflicts == {"a.png": ("Pneumonia", "normal")}


def test_that_the_rows_of_a_frame_can_be_in_conflict_too(tmp_path: Path) -> None:
    text = "path,frame,label\na.dcm,1,normal\na.dcm,1,Pneumonia\na.dcm,,normal\n"
    labels = read_labels(written(tmp_path, text))
    assert labels.all_of("a.dcm", 1) == ("normal", "Pneumonia")
    assert labels.of("a.dcm", 0) == "normal"


def test_that_files_with_the_same_content_count_once() -> None:
    names = [f"{n}.png" for n in range(4)]
    once = [
        replace(result(n, s), sha256=n) for n, s in zip(names, (0.9, 0.8, 0.2, 0.6), strict=True)
    ]
    labels = dict(zip(names, ("pneumonia", "pneumonia", "normal", "normal"), strict=True))
    repeated = once + [replace(r, relative_path=f"copy-{r.relative_path}") for r in once * 3]
    of_copies = {f"copy-{name}": label for name, label in labels.items()}
    card = card_of("binary")
    single = compare(once, Labels(labels), card)
    found = compare(repeated, Labels(labels | of_copies), card)
    assert found == replace(single, copies=12)
    contradicted = compare(repeated, Labels(labels | of_copies | {"copy-0.png": "normal"}), card)
    assert contradicted.compared == 3
    assert set(contradicted.conflicts) == {"0.png", "copy-0.png"}


def test_that_a_label_of_another_finding_is_not_compared() -> None:
    card = card_of("binary")
    assert agrees(prediction(0.9), "pneumonia", card) is True
    assert agrees(prediction(0.1), "pneumonia", card) is False
    assert agrees(prediction(0.1), "Effusion", card) is None


def test_that_a_multilabel_model_agrees_if_it_flags_exactly_the_labelled_findings() -> None:
    card = card_of("multilabel")
    assert agrees(prediction(0.9), "Pneumonia", card) is True
    assert agrees(prediction(0.9), "Normal|Pneumonia", card) is False
    assert agrees(prediction(0.9), "", card) is None


def test_that_agreement_is_of_classified_and_labelled_films_only() -> None:
    results = [result(f"{n}.png", score) for n, score in enumerate((0.9, 0.8, 0.2, 0.1, 0.7))]
    results += [result("refused.png", None), result("other.png", 0.5)]
    labels = Labels(
        {
            "0.png": "pneumonia", "1.png": "pneumonia", "2.png": "normal", "3.png": "normal",
            "4.png": "normal", "refused.png": "normal", "other.png": "fracture",
        }
    )  # fmt: skip
    found = compare(results, labels, card_of("binary"))
    assert (found.compared, found.classified) == (5, 6)
    assert found.agreement is not None
    assert found.agreement.value == pytest.approx(4 / 5)
    assert found.aucs["Pneumonia"].value == 1.0
    assert "Normal" not in found.aucs
    assert found.unknown == {"fracture": 1}


def test_that_without_a_labelled_film_there_is_no_agreement() -> None:
    found = compare([result("a.png", 0.9)], Labels({}), card_of("binary"))
    assert (found.compared, found.agreement, found.aucs) == (0, None, {})


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfpath;label\r\na.png;Mass\r\n;\r\n",
        b"sep=;\r\npath;label\r\na.png;Mass\r\n",
        "path\tlabel\r\na.png\tMass\r\nü.png\tNodule\r\n".encode("utf-16"),
        b'path,note,label\r\na.png,"M\xfcller, r.",Mass\r\n',
    ],
)
def test_that_a_table_saved_by_a_spreadsheet_is_read(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(data)
    assert read_labels(path).of("films/a.png") == "Mass"


def test_that_a_row_with_an_unquoted_comma_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="line 3 has more cells"):
        read_labels(written(tmp_path, "path,label\na.png,Mass\nb.png,Mass, left\n"))


def test_that_names_are_those_of_the_files_in_our_own_table(tmp_path: Path) -> None:
    names = ("\udcff.png", "\\xff.png", "=x.png", "'=x.png", "a\\b.png")
    rows = [f"{escape_formula(printable_name(name))},L{i}" for i, name in enumerate(names)]
    header = "path,label,status,sha256,run_id"
    labels = read_labels(written(tmp_path, "\n".join([header, *rows])))
    assert [labels.of(f"films/{name}") for name in names] == [f"L{i}" for i in range(len(names))]
    windows = read_labels(written(tmp_path, "path,label\nfilms\\xab01.png,Mass\n"))
    assert windows.of("films/xab01.png") == "Mass"


def test_that_composed_and_decomposed_letters_are_one_name(tmp_path: Path) -> None:
    labels = read_labels(written(tmp_path, "path,label\nStra\u00dfe/u\u0308ber.png,Pneumonia\n"))
    assert labels.of("Stra\u00dfe/\u00fcber.png") == "Pneumonia"
    both = "path,label\n\u00fcber.png,Pneumonia\nu\u0308ber.png,Normal\n"
    assert read_labels(written(tmp_path, both)).all_of("\u00fcber.png") == ("Pneumonia", "Normal")


@pytest.mark.parametrize(
    "label",
    ["keine Pneumonie", "kein Hinweis auf Pneumonia", "pas de pneumonie", "sin pneumonia",
     "senza pneumonia", "geen pneumonia", "pneumonia: no", "pneumonia -", "pneumonia 0",
     "not pneumonia", "non-pneumonia", "rule out pneumonia", "r/o pneumonia", "pneumonia absent",
     "no pneumonia|no effusion", "resolved pneumonia", "без Pneumonia", "pneumonia?"],
)  # fmt: skip
def test_that_a_negation_in_any_language_is_no_presence(label: str) -> None:
    assert labelled_findings(label, card_of("multilabel")) == frozenset()
    assert agrees(prediction(0.9), label, card_of("multilabel")) is None
