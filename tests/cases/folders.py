"""Folders that are classified: what is resumed, kept and refused, and how a run ends."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from tests.cases.program import (
    CASES,
    ROOT,
    TIME_LIMIT_S,
    Case,
    app,
    copy,
    finish,
    refused,
    require,
    rows_of,
    start,
)

FIRST_SCORES = {"0001": "0.902757", "0002": "0.974192", "0003": "0.997454"}
"""What the default bundle gives for the three films of siteB."""


def scores_of_other_folder(work: Path) -> None:
    folder = CASES / "batch" / "01_resume_other_folder"
    a, b = copy(folder / "siteA", work / "siteA"), copy(folder / "siteB", work / "siteB")
    same_times(a, b)
    app("classify", a, "--out", work / "p.csv")
    run = app("classify", b, "--out", work / "p.csv")
    if not refused(run):
        require_first_scores(work / "p.csv", FIRST_SCORES)


def scores_of_replaced_film(work: Path) -> None:
    folder = CASES / "batch" / "01_resume_other_folder"
    site = copy(folder / "siteA", work / "site")
    same_times(site)
    app("classify", site, "--out", work / "p.csv")
    shutil.copy2(folder / "siteB" / "0001.dcm", site / "0001.dcm")
    same_times(site)
    app("classify", site, "--out", work / "p.csv")
    require_first_scores(work / "p.csv", {"0001": FIRST_SCORES["0001"]})


def same_times(*folders: Path) -> None:
    """Give all files one modification time, as copies out of an archive often have."""
    for path in (path for folder in folders for path in folder.iterdir()):
        os.utime(path, (1_577_836_800, 1_577_836_800))


def require_first_scores(path: Path, expected: dict[str, str]) -> None:
    rows = {Path(row["path"]).stem: row for row in rows_of(path)}
    for stem, score in expected.items():
        got = float(rows[stem]["score_Pneumonia"])
        require(abs(got - float(score)) < 1e-5, f"{stem} scores {got:.6f} instead of {score}")


def sidecar_card_changed(work: Path) -> None:
    model = copy(CASES / "batch" / "02_sidecar_card_changed" / "ok.pt", work / "ok.pt")
    films = sorted((CASES / "batch" / "films8").iterdir())
    card = model.with_suffix(".card.json")

    def describe(activation: str) -> None:
        app("model", "describe", model, "--trust-model", "--finding", "A", "--finding", "B",
            "--size", "64", "--activation", activation)  # fmt: skip
        require(card.is_file(), "no card was written")

    for film in films[:4]:
        copy(film, work / "films" / film.name)
    describe("softmax")
    app("classify", work / "films", "--model", model, "--trust-model", "--out", work / "p.csv")
    card.unlink()
    describe("sigmoid")
    for film in films[4:6]:
        copy(film, work / "films" / film.name)
    run = app(
        "classify", work / "films", "--model", model, "--trust-model", "--out", work / "p.csv"
    )
    if not refused(run):
        sums = [float(r["score_A"]) + float(r["score_B"]) for r in rows_of(work / "p.csv")]
        softmax = sum(abs(total - 1) < 1e-4 for total in sums)
        require(softmax in {0, len(sums)}, f"{softmax} of {len(sums)} rows are of the other card")


def foreign_table_is_kept(work: Path) -> None:
    table = copy(
        CASES / "batch" / "04_out_overwrites_foreign_csv" / "mylabels.csv", work / "my.csv"
    )
    before = table.read_bytes()
    run = app("classify", CASES / "batch" / "films8", "--out", table)
    require(table.read_bytes() == before, "the table was replaced")
    require(run.code != 0, "exit code 0")


def labels_in(work: Path) -> list[str]:
    """The labels in all tables of a folder, copies included."""
    best: list[str] = []
    for path in work.glob("*.csv*"):
        if path.suffix in {".journal", ".json"}:
            continue
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
        separator = ";" if text.split("\n")[0].count(";") > 5 else ","
        rows = csv.DictReader(text.splitlines(), delimiter=separator)
        labels = [row["label"] for row in rows if row.get("label")]
        best = max(best, labels, key=len)
    return best


def hand_labels(kind: str) -> Callable[[Path], None]:
    def check(work: Path) -> None:
        source = CASES / "batch" / "05_hand_labels_lost" / kind
        for path in source.iterdir():
            copy(path, work / path.name)
        before = len(labels_in(work))
        run = app("classify", CASES / "batch" / "films8", "--out", work / "p.csv")
        after = len(labels_in(work))
        require(after >= before, f"{after} of {before} labels are left; {run.text.strip()[-200:]}")
        if kind == "extra":
            headers = [p.read_text("utf-8-sig").split("\n")[0] for p in work.glob("*.csv")]
            require(any("comment" in h for h in headers), "the column comment is gone")

    return check


def labels_survive_other_folder(work: Path) -> None:
    films = CASES / "batch" / "films8"
    app("classify", films, "--out", work / "p.csv")
    label_all(work / "p.csv")
    app("classify", CASES / "batch" / "01_resume_other_folder" / "siteB", "--out", work / "p.csv")
    require(len(labels_in(work)) == 8, "the labels of the first folder are gone")


def labels_survive_restart(work: Path) -> None:
    films = many_films(work / "films", 300)
    app("classify", films, "--out", work / "p.csv")
    label_all(work / "p.csv")
    process = start("xrayview", "classify", films, "--out", work / "p.csv", "--restart")
    wait_for_rows(work, 32, process)
    process.send_signal(signal.SIGINT)
    finish(process)
    app("classify", films, "--out", work / "p.csv")
    labelled = sum(bool(row["label"]) for row in rows_of(work / "p.csv"))
    require(labelled == 300, f"{labelled} of 300 labels are left")


def label_all(path: Path) -> None:
    rows = rows_of(path)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(row | {"label": "Normal"} for row in rows)


def many_films(folder: Path, count: int) -> Path:
    """Copies of eight films that differ in one pixel value each, so that no two are equal."""
    folder.mkdir(parents=True)
    films = sorted((CASES / "batch" / "films8").iterdir())
    for i in range(count):
        pixels = cv2.imdecode(np.fromfile(films[i % 8], np.uint8), cv2.IMREAD_GRAYSCALE)
        pixels[0, 0] = i % 256
        pixels[0, 1] = i // 256
        cv2.imwrite(str(folder / f"{i:04}.png"), pixels)
    return folder


def wait_for_rows(work: Path, rows: int, process: subprocess.Popen[str]) -> None:
    """Until the journal has so many lines."""
    deadline = time.monotonic() + TIME_LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        lines = [p.read_bytes().count(b"\n") for p in work.glob("*journal*")]
        if lines and max(lines) > rows:
            return
        time.sleep(0.02)


def report_of_a_training_run(work: Path) -> None:
    report = copy(CASES / "batch" / "06_run_json_clobbered" / "run.json", work / "run.json")
    before = report.read_bytes()
    app("classify", CASES / "batch" / "films8", "--out", work / "predictions.csv")
    require(report.read_bytes() == before, "the run.json of a training run was replaced")


def a_report_for_each_table(work: Path) -> None:
    films = CASES / "batch" / "films8"
    app("classify", films, "--out", work / "a.csv")
    app("classify", films, "--out", work / "b.csv", "--model", "paediatric-pneumonia-small")
    text = "".join(path.read_text(encoding="utf-8") for path in work.glob("*.json"))
    for name in ("paediatric-pneumonia", "paediatric-pneumonia-small"):
        require(f'"{name}"' in text, f"no report names {name}")


def two_runs_at_once(work: Path) -> None:
    films = many_films(work / "films", 600)
    first = start("xrayview", "classify", films, "--out", work / "p.csv")
    wait_for_rows(work, 4, first)
    second = app("classify", films, "--out", work / "p.csv")
    done = finish(first)
    require(done.code == 0, f"the first run ended with {done.code}")
    require(second.code != 0, "the second run was not refused")
    require(len(rows_of(work / "p.csv")) == 600, "rows are missing")


def links_have_rows(work: Path) -> None:
    source = CASES / "batch" / "08_links_without_a_row" / "a.jpeg"
    copy(source, work / "films" / "a.jpeg")
    os.link(work / "films" / "a.jpeg", work / "films" / "b.jpeg")
    (work / "films" / "d.jpeg").symlink_to("a.jpeg")
    app("classify", work / "films", "--out", work / "p.csv")
    paths = sorted(row["path"] for row in rows_of(work / "p.csv"))
    require(paths == ["a.jpeg", "b.jpeg", "d.jpeg"], f"rows: {paths}")


def no_inode_numbers(work: Path) -> None:
    library = work / "ino.so"
    source = CASES / "batch" / "08_links_without_a_row" / "ino.c"
    subprocess.run(["gcc", "-shared", "-fPIC", str(source), "-o", str(library), "-ldl"], check=True)
    run = app("scan", CASES / "batch" / "films8", LD_PRELOAD=str(library))
    require("8 films" in run.text, run.text.strip().splitlines()[-1])


def ended_by(number: signal.Signals) -> Callable[[Path], None]:
    def check(work: Path) -> None:
        films = many_films(work / "films", 400)
        process = start("xrayview", "classify", films, "--out", work / "p.csv")
        wait_for_rows(work, 9, process)
        process.send_signal(number)
        finish(process)
        rows = rows_of(work / "p.csv")
        require(bool(rows), "the CSV has no rows")
        require(any(work.glob("*.json")), "there is no report")

    return check


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=False)


def full_disk(work: Path) -> None:
    films = many_films(work / "films", 200)
    with small_disk(work / "disk", "8k") as disk:
        run = app("classify", films, "--out", disk / "p.csv")
    require(run.code != 1 and "internal" not in run.text, run.text.strip()[-300:])
    require("space" in run.text.casefold() or "full" in run.text.casefold(), run.text[-300:])


def no_home(work: Path) -> None:
    work.chmod(0o777)
    done = subprocess.run(
        ["env", "-i", f"PATH={os.environ['PATH']}", f"PYTHONPATH={ROOT}",
         "setpriv", "--reuid", "12345", "--clear-groups",
         sys.executable, "-m", "xrayview", "classify", str(CASES / "batch" / "films8"),
         "--out", str(work / "p.csv")],
        capture_output=True, text=True, timeout=TIME_LIMIT_S, check=False, cwd=work,
    )  # fmt: skip
    text = done.stdout + done.stderr
    require(done.returncode == 0 or "HOME" in text, text.strip()[-300:])


def folder_cases() -> Iterator[Case]:
    yield Case("batch/01_other_folder", scores_of_other_folder)
    yield Case("batch/01_replaced_film", scores_of_replaced_film)
    yield Case("batch/02_sidecar_card_changed", sidecar_card_changed)
    yield Case("batch/04_foreign_table", foreign_table_is_kept)
    for kind in ("semi", "cp1252", "extra"):
        yield Case(f"batch/05_labels_{kind}", hand_labels(kind))
    yield Case("batch/05_labels_restart", labels_survive_restart)
    yield Case("batch/05_labels_other_folder", labels_survive_other_folder)
    yield Case("batch/06_report_of_training", report_of_a_training_run)
    yield Case("batch/06_report_for_each", a_report_for_each_table)
    yield Case("batch/07_two_at_once", two_runs_at_once)
    yield Case("batch/08_links", links_have_rows)
    yield Case("batch/08_no_inodes", no_inode_numbers)
    yield Case("batch/16_sigterm", ended_by(signal.SIGTERM))
    yield Case("batch/16_sighup", ended_by(signal.SIGHUP))
    yield Case("batch/17_full_disk", full_disk)
    yield Case("batch/18_no_home", no_home)
