"""A full disk: the error names the file, and earlier content is intact."""

from __future__ import annotations

import errno
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from training import disk
from training.bundle.export import save_script
from training.cli import main
from training.data.lung_masks import LungMasks
from training.data.manifest import FilmRow
from training.data.surroundings import load_lungs
from training.disk import CannotWrite, require_room
from training.loop.loop import _save_whole
from training.runs import append_log, write_json
from xrayview.domain.model import PreprocessSpec
from xrayview.errors import ExitCode
from xrayview.preprocessing.pipeline import Preprocessor

FULL = Path("/dev/full")
pytestmark = pytest.mark.skipif(not FULL.exists(), reason="a disk that is always full: Linux")


def test_that_a_checkpoint_that_does_not_fit_leaves_the_last_one(tmp_path: Path):
    path = tmp_path / "last.pt"
    _save_whole({"weights": torch.ones(3)}, path)
    (tmp_path / "last.pt.partial").symlink_to(FULL)
    with pytest.raises(CannotWrite, match=r"last.pt.partial could not be written.*No space left"):
        _save_whole({"weights": torch.zeros(100_000)}, path)
    assert torch.equal(torch.load(path, weights_only=True)["weights"], torch.ones(3))


class SmallDisk(io.FileIO):
    """A file that takes a few bytes before its disk is full."""

    def write(self, data: bytes | memoryview) -> int:
        if self.tell() + len(memoryview(data)) > 10_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


def test_that_a_disk_that_fills_while_torch_writes_is_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Torch's zip writer then fails with "unexpected pos", a RuntimeError."""
    path = tmp_path / "last.pt"
    _save_whole({"weights": torch.ones(3)}, path)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda self, mode: SmallDisk(self, mode))
        with pytest.raises(CannotWrite, match=r"last\.pt\.partial could not be .*No space left"):
            _save_whole({f"{n}": torch.zeros(1000) for n in range(9)}, path)
    assert torch.equal(torch.load(path, weights_only=True)["weights"], torch.ones(3))
    assert not path.with_name("last.pt.partial").exists()


def test_that_another_runtime_error_is_not_a_disk_error(tmp_path: Path):
    with pytest.raises(RuntimeError, match="no disk here"), disk.writing_partial(tmp_path / "x"):
        raise RuntimeError("no disk here")


def test_that_half_a_row_of_the_log_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    log, really_open = tmp_path / "log.csv", Path.open
    for last in (None, 1):
        before = log.read_bytes() if log.exists() else b""
        with monkeypatch.context() as patch:
            patch.setattr(
                Path, "open",
                lambda path, mode="r", *a, **k: half_of_it(path)
                if mode == "a" else really_open(path, mode, *a, **k),
            )  # fmt: skip
            with pytest.raises(CannotWrite, match=r"log\.csv.*No space left"):
                append_log(log, {"epoch": 2, "loss": 0.5})
        assert log.read_bytes() == before
        append_log(log, {"epoch": last or 0, "loss": 0.5})
    assert [line.split(",")[0] for line in log.read_text().splitlines()] == ["epoch", "0", "1"]


@contextmanager
def half_of_it(path: Path) -> Iterator[io.StringIO]:
    """Open a file of which only half is written before the disk is full."""
    text = io.StringIO()
    yield text
    half = text.getvalue()[: len(text.getvalue()) // 2]
    with io.FileIO(path, "a") as stream:
        stream.write(half.encode())
    raise OSError(errno.ENOSPC, "No space left on device")


def test_that_a_bundle_that_does_not_fit_is_an_error(tmp_path: Path):
    """Torch's own writer would abort the process."""
    script = torch.jit.trace(torch.nn.Linear(300, 300), torch.zeros(1, 300))
    partial = tmp_path / "model.pt.partial"
    partial.symlink_to(FULL)
    with pytest.raises(
        CannotWrite, match=r"model\.pt\.partial could not be .*No space left"
    ) as caught:
        save_script(script, partial, {"model_card.json": "{}"})
    assert "Free some space" in str(caught.value)
    save_script(script, tmp_path / "model.pt", {"model_card.json": "{}"})
    extra = {"model_card.json": ""}
    torch.jit.load(str(tmp_path / "model.pt"), _extra_files=extra)
    assert extra["model_card.json"] == b"{}"


def test_that_errors_of_log_and_json_name_their_file(tmp_path: Path):
    (tmp_path / "log.csv").symlink_to(FULL)
    with pytest.raises(CannotWrite, match=r"log\.csv"):
        append_log(tmp_path / "log.csv", {"epoch": 1})
    (tmp_path / "run.json.partial").symlink_to(FULL)
    with pytest.raises(CannotWrite, match=r"run\.json"):
        write_json(tmp_path / "run.json", {"a": "b" * 100_000})


def test_that_a_mapped_file_that_does_not_fit_is_refused_before_writing(tmp_path: Path):
    require_room(tmp_path, 1)
    with pytest.raises(CannotWrite, match="MiB are needed"):
        require_room(tmp_path, 2**60)


def test_that_masks_that_do_not_fit_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    usage = disk.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _path: usage._replace(free=100))
    row = FilmRow("film.png", "here", "p", ("normal",), "train")
    cache = tmp_path / "cache"
    with pytest.raises(CannotWrite, match="There is not enough space in"):
        load_lungs([row], LungMasks(tmp_path), Preprocessor(PreprocessSpec((16, 16))), cache)
    assert not list(cache.iterdir())


def test_that_the_command_line_prints_disk_errors(
    tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):  # fmt: skip
    usage = disk.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _path: usage._replace(free=100))
    arguments = ["prepare", "normal-pneumonia-small", "--data", str(tiny_data)]
    for setting in ("data.lung_masks=", "augment.surroundings=0", "augment.placement=0"):
        arguments += ["--set", setting]
    assert main([*arguments, "--runs", str(tmp_path / "runs")]) == ExitCode.INTERNAL
    printed = capsys.readouterr().err
    assert "There is not enough space in" in printed
    assert "--cache" in printed
    file = tmp_path / "file"
    file.write_text("")
    assert main([*arguments, "--cache", str(file / "cache")]) == ExitCode.INTERNAL
    assert "Not a directory" in capsys.readouterr().err
