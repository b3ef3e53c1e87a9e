"""Rows of earlier runs are taken over for the same content and the same conditions only."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.builders import phantom
from tests.unit.batch.test_batch import rows_of, run
from xrayview.batch.file_state import FileState
from xrayview.batch.journal import journal_path, read_any_journal
from xrayview.batch.output import Output
from xrayview.engine.client import Engine
from xrayview.engine.protocol import ModelRef
from xrayview.errors import UsageError

LONG_AGO = 1_577_836_800


def write_site(folder: Path, first: int, count: int = 3) -> Path:
    """Films of equal names, sizes and times in every site, as an archive's copies have them."""
    folder.mkdir(exist_ok=True)
    for n in range(count):
        grey_HW = (phantom(64, 64) // 16 + first + n).astype(np.uint8)
        path = folder / f"{n}.tif"
        cv2.imwrite(str(path), grey_HW, (cv2.IMWRITE_TIFF_COMPRESSION, 1))  # one size for all
        os.utime(path, (LONG_AGO, LONG_AGO))
    return folder


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_site(tmp_path / "A", 0)


def hashes(out: Path) -> dict[str, str]:
    return {name: row["sha256"] for name, row in rows_of(out).items()}


def test_that_rows_of_another_folder_never_appear(
    engine: Engine, model: ModelRef, site: Path, tmp_path: Path
) -> None:
    other, out = write_site(tmp_path / "B", 40), tmp_path / "p.csv"
    run(engine, site, model, out)
    before = hashes(out)
    started, _, _ = run(engine, other, model, out)
    assert started.resumed == 0
    assert not set(before.values()) & set(hashes(out).values())
    started, _, _ = run(engine, site, model, out)
    assert (started.resumed, hashes(out)) == (3, before)  # known by their content again


@pytest.mark.parametrize("way", ["copy", "move", "in place", "link"])
def test_that_a_replaced_film_is_classified_again(
    engine: Engine, model: ModelRef, site: Path, tmp_path: Path, way: str
) -> None:
    other, out = write_site(tmp_path / "B", 40), tmp_path / "p.csv"
    film = site / "1.tif"
    if way == "link":
        shutil.move(film, tmp_path / "elsewhere.tif")
        (site / "store").mkdir()
        shutil.move(tmp_path / "elsewhere.tif", site / "store" / "x.tif")
        film.symlink_to("store/x.tif")
    run(engine, site, model, out)
    before = hashes(out)
    new = other / "1.tif"
    if way == "copy":
        shutil.copy2(new, film)
    elif way == "move":
        new.replace(film)
    else:
        target = film.resolve()
        target.write_bytes(new.read_bytes())
        os.utime(target, (LONG_AGO, LONG_AGO))
    run(engine, site, model, out)
    changed = {name for name, sha256 in hashes(out).items() if sha256 != before[name]}
    assert changed == ({"1.tif", "store/x.tif"} if way == "link" else {"1.tif"})


def test_that_a_folder_that_was_moved_or_copied_is_resumed(
    engine: Engine, model: ModelRef, site: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.csv"
    run(engine, site, model, out)
    shutil.copytree(site, tmp_path / "copy")  # other inodes and times
    (tmp_path / "copy" / "notes.txt").write_text("not a film")
    started, films, _ = run(engine, tmp_path / "copy", model, out)
    assert (started.resumed, [f.result.relative_path for f in films]) == (3, ["notes.txt"])
    site.rename(tmp_path / "moved")
    assert run(engine, tmp_path / "moved", model, out)[0].resumed == 3


def test_that_the_status_of_a_file_counts_only_where_it_proves_something(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x")
    young = FileState.of(path)
    assert young is not None
    assert young.ctime_ns == 0  # it may change again within the same tick of the clock
    assert not young.has_status_of(young)
    old = FileState(1, 2, 3, 4)
    assert old.has_status_of(FileState(1, 2, 3, 4, "another hash"))
    for other in ((9, 2, 3, 4), (1, 9, 3, 4), (1, 2, 9, 4), (1, 2, 3, 9)):
        assert not old.has_status_of(FileState(*other))
    assert not FileState(1, 2, 3, 0).has_status_of(FileState(1, 2, 3, 0))  # no inode numbers


def test_that_another_identity_key_or_card_is_a_different_kind_of_run(
    engine: Engine, model: ModelRef, site: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.csv"
    run(engine, site, model, out)
    with pytest.raises(UsageError, match="identity_key"):
        run(engine, site, model, out, identity_key=b"j" * 32)
    journal = journal_path(out)
    text = journal.read_text()
    assert (b"k" * 32).hex() not in text
    header = json.loads(text.splitlines()[0])
    for name in ("card_sha256", "device", "packages"):
        changed = json.dumps({**header, name: "another"})
        journal.write_text("\n".join([changed, *text.splitlines()[1:], ""]))
        with pytest.raises(UsageError, match=name):
            run(engine, site, model, out)


def test_that_a_journal_of_an_earlier_version_is_refused(
    engine: Engine, model: ModelRef, site: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.csv"
    header = {"schema": 2, "model_sha256": model.sha256}
    row = {"path": "0.tif", "frame": 0, "rows": 1, "size": 1, "mtime_ns": 1, "row": {}}
    journal_path(out).write_text(f"{json.dumps(header)}\n{json.dumps(row)}\n")
    with pytest.raises(UsageError, match=r"another version.*--restart"):
        run(engine, site, model, out)
    assert not out.exists()
    run(engine, site, model, out, restart=True)
    assert len(rows_of(out)) == 3


@pytest.mark.parametrize("code", ["TIMED_OUT", "DECODER_CRASHED", "TOO_LARGE", "MODEL_FAILED"])
def test_that_errors_that_may_have_passed_are_tried_again(
    engine: Engine, model: ModelRef, site: Path, tmp_path: Path, code: str
) -> None:
    out = tmp_path / "p.csv"
    run(engine, site, model, out)
    journal = journal_path(out)
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    lines[2]["row"] |= {"status": "error", "status_code": code}
    journal.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    started, films, _ = run(engine, site, model, out)
    assert (started.resumed, [f.result.relative_path for f in films]) == (2, ["1.tif"])
    assert {row["status"] for row in rows_of(out).values()} == {"ok"}


def test_that_a_resumed_run_equals_an_uninterrupted_one_to_the_last_digit(
    engine: Engine, model: ModelRef, tmp_path: Path
) -> None:
    folder = write_site(tmp_path / "many", 0, 20)
    own = ("run_id", "time_utc")
    run(engine, folder, model, tmp_path / "whole.csv")
    whole = rows_of(tmp_path / "whole.csv")
    lines = journal_path(tmp_path / "whole.csv").read_bytes().splitlines(keepends=True)
    for kept in (1, 4, 10, 17):
        out = tmp_path / f"{kept}.csv"
        journal_path(out).write_bytes(b"".join(lines[: kept + 1]))
        assert run(engine, folder, model, out)[0].resumed == kept
        for name, row in rows_of(out).items():
            assert {k: v for k, v in row.items() if k not in own} == {
                k: v for k, v in whole[name].items() if k not in own
            }


def test_that_a_restart_keeps_a_journal_that_cannot_be_read(
    engine: Engine, model: ModelRef, site: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.csv"
    journal_path(out).write_text("someone's diary\n")
    assert read_any_journal(journal_path(out)) is None
    _, _, finished = run(engine, site, model, out, restart=True)
    (kept,) = (p for p in tmp_path.glob("p.csv.2*journal"))
    assert kept.read_text() == "someone's diary\n"
    assert kept.name in " ".join(finished.notes)
    assert not Output(out).lock.exists()
