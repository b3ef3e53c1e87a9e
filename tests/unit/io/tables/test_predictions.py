"""The predictions CSV: its columns, its cells, and what is never written to it."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xrayview.domain.events import FilmResult
from xrayview.domain.film import FilmRef
from xrayview.domain.model import Finding, GateVerdict, ModelCard, Prediction, PreprocessSpec
from xrayview.errors import Status, StatusCode, UsageError
from xrayview.io.tables.cells import (
    FORMULA_STARTS,
    escape_formula,
    name_of_file,
    printable_name,
    unescape_formula,
)
from xrayview.io.tables.predictions import (
    Provenance,
    columns,
    patient_cell,
    read_predictions,
    row_of,
    write_predictions,
)

CARD = ModelCard(
    schema=1,
    name="=model",
    version="1.2",
    task="multilabel",
    activation="sigmoid",
    findings=(Finding("Effusion"), Finding("Mass, solid")),
    preprocessing=PreprocessSpec((64, 64)),
)
FINDINGS = ("Effusion", "Mass, solid")
REF = FilmRef(
    Path("/films/a/b.dcm"),
    "a/b.dcm",
    frame=2,
    study_uid="1.2.840.1",
    series_uid="1.2.840.2",
    sop_uid="1.2.840.3",
    modality="DX",
    view_position="PA",
    patient_sex="F",
    patient_age="041Y",
    manufacturer="@Maker, Inc.",
    rows=3000,
    columns=2500,
    patient_id="0047-11",
    patient_name="DOE^JANE",
)
PREDICTION = Prediction(
    film_id=REF.film_id,
    model_sha256="ab" * 32,
    findings=FINDINGS,
    scores=(0.1 + 0.2, 1e-9),
    logits=(-0.8472978603872034, -20.723265836946414),
    thresholds=(0.25, 0.5),
    flags=(True, False),
    predicted="Effusion",
    uncertainty=0.44,
    device="cpu",
    precision="float32",
)
PROVENANCE = Provenance("run1", CARD, "ab" * 32, "0123456789ab", "hash", b"k" * 32)
RESULT = FilmResult(
    "a/b.dcm",
    Status.OK,
    StatusCode.OK,
    ref=REF,
    sha256="cd" * 32,
    prediction=PREDICTION,
    gate=GateVerdict(flags=("NOT_FRONTAL",), ood_score=0.125),
    time_utc="2024-01-01T00:00:00+00:00",
)


def written(path: Path, *results: FilmResult, provenance: Provenance = PROVENANCE) -> Path:
    write_predictions(path, FINDINGS, [row_of(result, provenance) for result in results])
    return path


def test_that_the_columns_follow_the_specification() -> None:
    assert ",".join(columns(("A", "B"))) == (
        "path,status,status_code,message,PatientID,StudyInstanceUID,SeriesInstanceUID,"
        "SOPInstanceUID,frame,Modality,BodyPartExamined,ViewPosition,PatientSex,PatientAge,"
        "Manufacturer,Rows,Columns,sha256,model_name,model_version,model_sha256,preprocessing_id,"
        "app_version,device,precision,predicted,score_A,score_B,logit_A,logit_B,threshold_A,"
        "threshold_B,flag_A,flag_B,uncertainty,ood_score,gate_flags,label,run_id,time_utc,"
        "runtime"
    )


def test_that_a_table_of_version_0_2_is_read_without_its_later_columns(tmp_path: Path) -> None:
    path = written(tmp_path / "p.csv", RESULT)
    lines = [line.rpartition(",")[0] for line in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("\n".join(lines), encoding="utf-8")
    (row,) = read_predictions(path).rows
    assert row["runtime"] == ""
    assert row["time_utc"]


def test_that_a_scored_film_survives_a_round_trip(tmp_path: Path) -> None:
    table = read_predictions(written(tmp_path / "p.csv", RESULT))
    (row,) = table.rows
    assert table.findings == FINDINGS
    assert table.scores("Effusion") == (0.1 + 0.2,)
    assert float(row["logit_Mass, solid"]) == PREDICTION.logits[1]
    assert (row["flag_Effusion"], row["flag_Mass, solid"]) == ("1", "0")
    assert row["StudyInstanceUID"] == "1.2.840.1"
    assert (row["frame"], row["Rows"], row["Columns"]) == ("2", "3000", "2500")
    assert row["PatientAge"] == "041Y"
    assert row["gate_flags"] == "NOT_FRONTAL"
    assert row["ood_score"] == "0.125"
    assert row["label"] == ""


def test_that_gate_flags_list_what_the_file_does_not_say_after_the_flags(tmp_path: Path) -> None:
    gate = GateVerdict(flags=("OUT_OF_DISTRIBUTION",), facts=("AGE_UNKNOWN", "VIEW_STATED"))
    (row,) = read_predictions(written(tmp_path / "p.csv", replace(RESULT, gate=gate))).rows
    assert row["gate_flags"] == "OUT_OF_DISTRIBUTION|AGE_UNKNOWN|VIEW_STATED"


def test_that_a_failed_film_has_a_row_without_numbers(tmp_path: Path) -> None:
    failed = FilmResult("x.dcm", Status.ERROR, StatusCode.DECODER_CRASHED, "It stopped.")
    table = read_predictions(written(tmp_path / "p.csv", RESULT, failed))
    assert table.scores("Effusion") == (0.1 + 0.2, None)
    row = table.rows[1]
    assert row["status_code"] == "DECODER_CRASHED"
    scored = ("score_", "logit_", "threshold_", "flag_", "uncertainty", "predicted", "device")
    assert {row[name] for name in row if name.startswith(scored)} == {""}


def test_that_formulas_are_escaped_in_text_and_numbers_stay_numbers(tmp_path: Path) -> None:
    path = written(tmp_path / "p.csv", replace(RESULT, relative_path="=cmd|'/c calc'!A0.png"))
    with path.open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert row["path"] == "'=cmd|'/c calc'!A0.png"
    assert row["model_name"] == "'=model"
    assert row["Manufacturer"] == "'@Maker, Inc."
    assert row["logit_Effusion"] == "-0.8472978603872034"
    assert read_predictions(path).rows[0]["path"] == "=cmd|'/c calc'!A0.png"


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_that_every_start_of_a_formula_is_escaped(tmp_path: Path, start: str) -> None:
    film = replace(REF, manufacturer=f"{start}1+1")
    path = written(tmp_path / "p.csv", replace(RESULT, ref=film))
    with path.open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert row["Manufacturer"] == f"'{start}1+1"


def test_that_the_file_is_rfc_4180(tmp_path: Path) -> None:
    message = 'says "no", and\nthen more'
    path = written(tmp_path / "p.csv", replace(RESULT, message=message))
    data = path.read_bytes()
    assert data.startswith(b"path,status,")
    assert data.endswith(b"\r\n")
    assert b'"says ""no"", and\nthen more"' in data
    assert read_predictions(path).rows[0]["message"] == message


def test_that_a_patient_id_is_written_as_a_keyed_hash_by_default() -> None:
    cell = patient_cell("0047-11", "hash", b"a" * 32)
    assert cell == patient_cell("0047-11", "hash", b"a" * 32)
    assert cell != patient_cell("0047-11", "hash", b"b" * 32)
    assert cell != patient_cell("0047-12", "hash", b"a" * 32)
    assert len(cell) == 16
    assert patient_cell("", "hash", b"a" * 32) == ""
    assert patient_cell("0047-11", "none", b"") == ""
    assert patient_cell("0047-11", "full", b"") == "0047-11"


def test_that_hashing_without_a_key_is_refused() -> None:
    with pytest.raises(ValueError, match="key"):
        patient_cell("0047-11", "hash", b"")


@pytest.mark.parametrize("identity", ["none", "hash", "full"])
def test_that_the_patients_name_is_never_written(tmp_path: Path, identity: str) -> None:
    provenance = replace(PROVENANCE, identity=identity)
    data = written(tmp_path / "p.csv", RESULT, provenance=provenance).read_bytes()
    assert b"JANE" not in data
    assert (b"0047-11" in data) == (identity == "full")


def test_that_file_names_that_are_not_utf_8_show_their_bytes(tmp_path: Path) -> None:
    path = written(tmp_path / "p.csv", replace(RESULT, relative_path="film\udcff.png"))
    assert read_predictions(path).rows[0]["path"] == "film\\xff.png"


def test_that_an_error_while_writing_keeps_the_old_file(tmp_path: Path) -> None:
    path = written(tmp_path / "p.csv", RESULT)
    before = path.read_bytes()
    with pytest.raises(KeyError):
        write_predictions(path, FINDINGS, [{"path": "only"}])
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["p.csv"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not CSV"),
        (b"\xff\xfe\x00", "not CSV"),
        (b"a,b\r\n1,2\r\n", "column path is missing"),
        (",".join(columns(("A",))).encode() + b"\r\nshort\r\n", "longer or shorter"),
    ],
)
def test_that_other_files_are_refused_with_the_reason(
    tmp_path: Path, content: bytes, why: str
) -> None:
    path = tmp_path / "other.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=why):
        read_predictions(path)


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_that_any_message_survives_a_round_trip(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    written(path, replace(RESULT, message=text))
    assert read_predictions(path).rows[0]["message"] == text


NAMES = st.text(st.sampled_from("'=-@x\\f0e\udcff\udcfeä"), max_size=8)


@given(one=NAMES, other=NAMES)
def test_that_no_two_files_share_a_path_and_each_path_leads_to_its_file(
    one: str, other: str
) -> None:
    cells = [escape_formula(printable_name(name)) for name in (one, other)]
    assert (cells[0] == cells[1]) == (one == other)
    assert name_of_file(unescape_formula(cells[0])) == one
    cells[0].encode()


def test_that_names_on_windows_may_have_half_a_surrogate_pair() -> None:
    assert printable_name("a\ud800.png") == "a\\xed\\xa0\\x80.png"
