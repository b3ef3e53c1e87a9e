"""Several models in one pass write the tables that each would write in a run of its own."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.builders import phantom, write_dicom, write_raster
from tests.bundles import tiny_card, write_bundle
from tests.unit.batch.test_batch import OPTIONS, run
from tests.unit.batch.test_shards import cells
from xrayview.batch.journal import journal_path
from xrayview.batch.run import BatchOptions
from xrayview.batch.several_models import ModelTable, run_models
from xrayview.cli import main
from xrayview.domain.events import BatchEvent, BatchFinished, BatchStarted, FilmFinished
from xrayview.domain.model import Finding, PreprocessSpec
from xrayview.engine.client import Engine
from xrayview.engine.protocol import LoadModel, ModelRef, PrepareInput, PrepareInputs
from xrayview.errors import ExitCode, UsageError
from xrayview.io.model.bundle import sha256_of
from xrayview.io.tables.predictions import read_predictions

FILMS = 20


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    for n in range(FILMS):
        grey = (phantom(64, 64) / 4095) ** (1 + n / 8)
        write_raster(folder / f"{n:02}.png", (255 * grey).astype(np.uint8))
    write_dicom(folder / "frames.dcm", np.stack([phantom(64, 64)] * 3), frames=3)
    write_dicom(folder / "side.dcm", phantom(64, 64), ViewPosition="LL")
    (folder / "notes.txt").write_text("not a film")
    return folder


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> ModelRef:
    """A model of other findings that sees films in another size."""
    path = tmp_path_factory.mktemp("other") / "other.pt"
    findings = (Finding("Normal", abnormal=False), Finding("Nodule"))
    write_bundle(path, findings=findings, preprocessing=PreprocessSpec((32, 48)), name="other")
    return ModelRef(path, sha256_of(path), "cpu")


def tables(model: ModelRef, other: ModelRef, folder: Path) -> tuple[ModelTable, ModelTable]:
    return ModelTable(model, folder / "a.csv"), ModelTable(other, folder / "b.parquet")


def events_of(
    engine: Engine, films: Path, models: tuple[ModelTable, ...], cancel: threading.Event
) -> Iterator[tuple[int, BatchEvent]]:
    return run_models(engine, films, models, OPTIONS, cancel)


@pytest.fixture
def requests(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Counter[type]:
    """Counts what the engine is asked to do."""
    counts: Counter[type] = Counter()
    submit = Engine.submit

    def counting(self: Engine, request: object, **options: object) -> object:
        counts[type(request)] += 1
        return submit(self, request, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Engine, "submit", counting)
    return counts


def test_that_each_model_gets_the_table_of_a_run_of_its_own(
    engine: Engine,
    model: ModelRef,
    other: ModelRef,
    films: Path,
    tmp_path: Path,
    requests: Counter[type],
) -> None:
    both = tables(model, other, tmp_path)
    events = list(events_of(engine, films, both, threading.Event()))
    assert requests[PrepareInputs] == FILMS + 3 + 1
    assert requests[PrepareInput] == 0
    assert requests[LoadModel] == 2
    for i, table in enumerate(both):
        mine = [event for index, event in events if index == i]
        started, *finished, end = mine
        assert isinstance(started, BatchStarted)
        assert isinstance(end, BatchFinished)
        assert len(finished) == started.total + 2 == FILMS + 5
        assert all(isinstance(event, FilmFinished) for event in finished)
        alone = tmp_path / f"alone-{i}.csv"
        run(engine, films, table.model, alone)
        assert cells(table.out) == cells(alone)
    scores = [read_predictions(table.out).scores for table in both]
    assert len(set(scores[0]("Opacity")) - {None}) > FILMS / 2
    assert len(set(scores[1]("Nodule")) - {None}) > FILMS / 2


def test_that_each_table_resumes_from_its_own_journal(
    engine: Engine, model: ModelRef, other: ModelRef, films: Path, tmp_path: Path
) -> None:
    both, cancel = tables(model, other, tmp_path), threading.Event()
    run(engine, films, model, tmp_path / "whole-0.csv")
    run(engine, films, other, tmp_path / "whole-1.csv")
    seen = 0
    for _, event in events_of(engine, films, both, cancel):
        seen += isinstance(event, FilmFinished)
        if seen == 9:
            cancel.set()
    assert isinstance(event, BatchFinished)
    assert event.cancelled
    lines = journal_path(both[1].out).read_bytes().splitlines(keepends=True)
    journal_path(both[1].out).write_bytes(b"".join(lines[:3]))  # killed: two rows are left
    events = list(events_of(engine, films, both, threading.Event()))
    resumed = [event.resumed for _, event in events if isinstance(event, BatchStarted)]
    assert resumed[0] > resumed[1] == 2
    for i, table in enumerate(both):
        assert cells(table.out) == cells(tmp_path / f"whole-{i}.csv")
    # A run of one model continues what both have begun.
    assert run(engine, films, model, both[0].out)[0].resumed == FILMS + 5


def test_that_a_film_that_fails_fails_for_every_model(
    engine: Engine, model: ModelRef, other: ModelRef, films: Path, tmp_path: Path
) -> None:
    whole = write_dicom(films / "cut.dcm", phantom(64, 64))
    whole.write_bytes(whole.read_bytes()[:-500])
    both = tables(model, other, tmp_path)
    list(events_of(engine, films, both, threading.Event()))
    for table in both:
        rows = {row["path"]: row for row in cells(table.out)}
        assert rows["cut.dcm"]["status_code"] == "DECODE_FAILED"
        assert rows["side.dcm"]["status_code"] == "NOT_FRONTAL"


def test_that_a_run_of_another_kind_is_refused_for_both(
    engine: Engine, model: ModelRef, other: ModelRef, films: Path, tmp_path: Path
) -> None:
    both = tables(model, other, tmp_path)
    run(engine, films, model, both[1].out)
    before = both[1].out.read_bytes()
    with pytest.raises(UsageError, match="model_sha256"):
        list(events_of(engine, films, both, threading.Event()))
    assert both[1].out.read_bytes() == before
    options = BatchOptions(identity_key=OPTIONS.identity_key)
    same = (ModelTable(model, tmp_path / "x.csv"), ModelTable(other, tmp_path / "x.csv"))
    with pytest.raises(UsageError, match="in use"):
        list(run_models(engine, films, same, options))


def test_that_the_command_names_tables_after_models(
    model: ModelRef,
    other: ModelRef,
    films: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["classify", str(films), "--device", "cpu", "--trust-model", "--workers", "1"]
    command += ["--identity", "none", "--out", str(tmp_path / "p.csv")]
    models = ["--model", str(model.path), "--model", str(other.path)]
    assert main([*command, *models, "--studies", str(tmp_path / "s.csv")]) == ExitCode.SOME_FAILED
    found = {path.name for path in tmp_path.glob("[ps].*.csv")}
    assert found == {"p.tiny.csv", "p.other.csv", "s.tiny.csv", "s.other.csv"}
    assert (tmp_path / "p.tiny.run.json").exists()
    err = capsys.readouterr().err
    assert f"{tiny_card().name}: notes.txt" in err
    assert "other: notes.txt" in err
    assert main([*command, "--model", str(model.path), "--model", str(model.path)]) == 2
    assert "named twice" in capsys.readouterr().err
