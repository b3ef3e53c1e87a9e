"""Logs of a training: log.csv always, TensorBoard and a progress bar where available."""

from __future__ import annotations

import io
import sys
from importlib import util
from pathlib import Path

import pytest

from training.loop import epoch_log
from training.loop.epoch_log import EpochLog
from training.loop.progress_bar import ProgressBar
from training.runs import new_run


def row(epoch: int, loss: float) -> dict[str, object]:
    return {"epoch": epoch, "loss": f"{loss:.5f}", "validation_auc_raw": "nan"}


def test_that_a_missing_tensorboard_is_reported_once_and_log_csv_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(epoch_log, "find_spec", lambda _name: None)
    lines: list[str] = []
    say = lines.append
    for name in ("one", "two"):
        run = new_run(tmp_path, name)
        with EpochLog(run, say) as log:
            log.add(row(1, 0.5))
            log.add(row(2, 0.25))
        assert run.log.read_text().splitlines()[1:] == ["1,0.50000,nan", "2,0.25000,nan"]
        assert not (run.path / "tensorboard").exists()
    assert len([line for line in lines if "TensorBoard" in line]) == 1


@pytest.mark.skipif(util.find_spec("tensorboard") is None, reason="an optional package")
def test_that_tensorboard_shows_each_epoch_once_after_a_kill(tmp_path: Path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = new_run(tmp_path, "run")
    for losses in ({1: 0.5, 2: 0.4}, {2: 0.3, 3: 0.2}):  # killed after the second row
        with EpochLog(run, print) as log:
            for epoch, loss in losses.items():
                log.add(row(epoch, loss))
    events = EventAccumulator(str(run.path / "tensorboard")).Reload()
    assert events.Tags()["scalars"] == ["loss"]
    shown = {event.step: event.value for event in events.Scalars("loss")}
    assert shown == pytest.approx({1: 0.5, 2: 0.3, 3: 0.2})
    assert len(events.Scalars("loss")) == 3


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_that_a_progress_bar_is_shown_on_a_terminal_only():
    pytest.importorskip("tqdm")
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        with ProgressBar("epoch 1/2", 4, 1, stream) as bar:
            bar.step("loss 0.5")
            assert bool(bar) == (stream is terminal)
    assert "epoch 1/2" in terminal.getvalue()
    assert pipe.getvalue() == ""


def test_that_without_tqdm_there_is_no_progress_bar(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    terminal = Terminal()
    with ProgressBar("epoch 1/2", 4, 0, terminal) as bar:
        bar.step("loss 0.5")
        assert not bar
    assert terminal.getvalue() == ""
