"""Inputs from public bug reports, each with its right answer: `python -m tests.cases [NAME ...]`.

The inputs are in `../shared/cases` or in the folder that XRAYVIEW_CASES names; without them the
script says so and ends. It runs the program as a user does, prints a line for each case, and ends
with 1 where an answer is wrong. A NAME selects the cases whose name contains it.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pydicom

ROOT = Path(__file__).parents[1]
CASES = Path(os.environ.get("XRAYVIEW_CASES", ROOT.parent / "shared" / "cases"))
TIME_LIMIT_S = 300
FIRST_SCORES = {"0001": "0.902757", "0002": "0.974192", "0003": "0.997454"}
"""What the default bundle gives for the three films of siteB."""


class Wrong(Exception):
    """The program's answer is not the right one."""


@dataclass(frozen=True)
class Run:
    """One finished run of the program."""

    code: int
    text: str
    """Standard output and standard error, one after the other."""


@dataclass(frozen=True)
class Case:
    """One input with the check of its answer."""

    name: str
    check: Callable[[Path], None]


def require(holds: bool, message: str) -> None:
    """Raise `Wrong` with a message unless a condition holds."""
    if not holds:
        raise Wrong(message)


# Running the program


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def start(module: str, *arguments: str | Path, **changes: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment() | changes,
    )


def finish(process: subprocess.Popen[str]) -> Run:
    text, _ = process.communicate(timeout=TIME_LIMIT_S)
    return Run(process.returncode, text)


def app(*arguments: str | Path, **changes: str) -> Run:
    """`xrayview ...`."""
    return finish(start("xrayview", *arguments, **changes))


def training(*arguments: str | Path) -> Run:
    """`python -m training ...`."""
    return finish(start("training", *arguments))


def rows_of(path: Path) -> list[dict[str, str]]:
    require(path.is_file(), f"{path.name} is not there")
    with path.open(newline="", encoding="utf-8-sig") as stream:
        return list(csv.DictReader(stream))


def copy(source: Path, target: Path) -> Path:
    """Copy a file or folder with its times."""
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
    return target


def refused(run: Run, word: str = "") -> bool:
    return run.code not in {0, 1, 3} and word.casefold() in run.text.casefold()


# Viewing


def shown_as_expected(path: Path) -> Callable[[Path], None]:
    def check(work: Path) -> None:
        run = app("render", path, "--out", work / "out")
        pictures = sorted((work / "out").rglob("*.png"))
        require(len(pictures) == 1, f"{len(pictures)} pictures instead of one: {run.text.strip()}")
        expected = cv2.imread(str(path) + ".expected.png", cv2.IMREAD_UNCHANGED)
        got = cv2.imread(str(pictures[0]), cv2.IMREAD_UNCHANGED)
        require(got.shape == expected.shape, f"shape {got.shape} instead of {expected.shape}")
        most = int(np.abs(got.astype(int) - expected.astype(int)).max())
        require(most <= 1, f"grey is wrong by up to {most}")

    return check


def shown(path: Path) -> Callable[[Path], None]:
    def check(work: Path) -> None:
        run = app("render", path, "--out", work / "out")
        pictures = sorted((work / "out").rglob("*.png"))
        require(len(pictures) == 1, f"no picture: {run.text.strip()}")

    return check


def stored_range(name: str, highest: int) -> Callable[[Path], None]:
    def check(_work: Path) -> None:
        run = app("inspect", "--json", CASES / "viewing" / name)
        require(run.code == 0, run.text.strip())
        most = json.loads(run.text)["stored"]["maximum"]
        require(most == highest, f"largest stored value {most} instead of {highest}")

    return check


def one_row(name: str) -> Callable[[Path], None]:
    def check(work: Path) -> None:
        copy(CASES / "viewing" / name, work / "films" / name)
        app("classify", work / "films", "--out", work / "p.csv")
        rows = rows_of(work / "p.csv")
        require(len(rows) == 1, f"{len(rows)} rows instead of one")

    return check


def deidentified(path: Path, work: Path) -> tuple[Run, Path | None]:
    copy(path, work / "films" / path.name)
    run = app("deidentify", work / "films", "--out", work / "out")
    copies = sorted(p for p in (work / "out").rglob("*") if p.suffix == ".dcm")
    return run, copies[0] if copies else None


def overlay_bits_are_gone(work: Path) -> None:
    _, result = deidentified(CASES / "viewing" / "I01_overlay_bits.dcm", work)
    if result is not None:
        pixels = np.frombuffer(pydicom.dcmread(result).PixelData, np.uint16)
        require(not (pixels >> 12).any(), f"{np.count_nonzero(pixels >> 12)} pixels keep high bits")


def without_words(name: str, *words: str) -> Callable[[Path], None]:
    def check(work: Path) -> None:
        _, result = deidentified(CASES / "viewing" / name, work)
        if result is not None:
            found = [w for w in words if w.encode().lower() in result.read_bytes().lower()]
            require(not found, f"the copy holds {found}")

    return check


def name_is_replaced(name: str) -> Callable[[Path], None]:
    def check(work: Path) -> None:
        path = CASES / "viewing" / name
        _, result = deidentified(path, work)
        if result is None:
            return
        before, after = pydicom.dcmread(path), pydicom.dcmread(result)
        for keyword in ("Manufacturer", "WindowCenterWidthExplanation", "InstitutionName"):
            if keyword in before and keyword in after:
                require(after[keyword].value != before[keyword].value, f"{keyword} is unchanged")

    return check


def numeric_id_is_copied(work: Path) -> None:
    run, result = deidentified(CASES / "viewing" / "I14_id_2048.dcm", work)
    require(result is not None, f"refused: {run.text.strip()}")


def viewing_cases() -> Iterator[Case]:
    folder = CASES / "viewing"
    for expected in sorted(folder.glob("*.expected.png")):
        path = expected.with_name(expected.name.removesuffix(".expected.png"))
        yield Case(f"viewing/{path.stem}", shown_as_expected(path))
    yield Case("viewing/V3_ZZ32", shown(folder / "V3_ZZ32.dcm"))
    yield Case("viewing/T22_stored", shown(folder / "T22_rgb48_planar.tif"))
    yield Case("viewing/M21_stored", stored_range("M21_rgbf32_planar.tif", 255))
    yield Case("viewing/T09_stored", stored_range("T09_bps12.tif", 4095))
    yield Case("viewing/T11_stored", stored_range("T11_bps10.tif", 1023))
    yield Case("viewing/T11b_stored", stored_range("T11b_bps14.tif", 16380))
    yield Case("viewing/T29_one_row", one_row("T29_pyramid.tif"))
    yield Case("viewing/T30_one_row", one_row("T30_thumb_first.tif"))
    yield Case("viewing/I01_overlay_bits", overlay_bits_are_gone)
    yield Case(
        "viewing/I23b_jpeg_comment",
        without_words("I23b_jpeg_comment_natural.dcm", "Secretson", "Maryanne"),
    )
    yield Case(
        "viewing/I23c_jpeg_exif", without_words("I23c_jpeg_exif.dcm", "Secretson", "Maryanne")
    )
    for name in ("I11_gb18030.dcm", "I12_iso2022jp.dcm", "I35_name_two_letter.dcm"):
        yield Case(f"viewing/{Path(name).stem}", name_is_replaced(name))
    yield Case("viewing/I14_id_2048", numeric_id_is_copied)


# Folder classification


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


# Labels and training


SMALL = (
    "--set", "data.lung_masks=", "--set", "augment.surroundings=0",
    "--set", "augment.placement=0", "--set", "preprocessing.size=32",
)  # fmt: skip
"""A quick recipe that needs no lung masks."""


def prepared(data: Path, work: Path) -> Run:
    return training(
        "prepare", "normal-pneumonia-small", "--data", data, "--runs", work / "r", *SMALL
    )


def small_run(work: Path) -> Path:
    """A quick training run on 84 films."""
    data = table_with_films("base.csv", work)
    run = training(
        "train", "normal-pneumonia-small", "--data", data, "--runs", work / "runs",
        "--run", work / "runs" / "base", "--no-report", "--set", "optim.epochs=1", *SMALL,
    )  # fmt: skip
    require(run.code == 0, run.text[-500:])
    return work / "runs" / "base"


def table_with_films(name: str, work: Path, folder: str = "09_duplicate_label_rows") -> Path:
    data = work / Path(name).stem
    table = copy(CASES / "batch" / folder / name, data / "labels.csv")
    films = CASES.parent / "data" / "kermany"
    by_name = {path.name: path for path in films.rglob("*.jpeg")}
    for row in rows_of(table):
        target = data / row["path"]
        if not target.exists():
            copy(by_name[target.name], target)
    return data


def evaluated(run: Path, data: Path) -> tuple[Run, dict[str, object]]:
    for path in run.rglob("metrics*.json"):
        path.unlink()
    done = training("evaluate", run, "--data", data, "--split", "test")
    found = sorted(run.rglob("metrics*.json"), key=lambda p: p.stat().st_mtime)
    return done, json.loads(found[-1].read_text()) if found else {}


def repeated_rows_count_once(work: Path) -> None:
    run = small_run(work)
    _, once = evaluated(run, work / "base")
    done, repeated = evaluated(run, table_with_films("testdup.csv", work))
    same = all(once[key] == repeated.get(key) for key in ("films", "patients", "findings"))
    require(done.code != 0 or same, "n or an interval changes with repeated rows")


def contradictory_labels(name: str) -> Callable[[Path], None]:
    def check(work: Path) -> None:
        data = table_with_films(name, work)
        done = prepared(data, work)
        require(done.code != 0, "prepared films that have both labels")
        require("label" in done.text, done.text[-300:])

    return check


def negated_labels(_work: Path) -> None:
    from xrayview.io.model.bundle import read_card
    from xrayview.services.catalogue import find_model
    from xrayview.services.labels import labelled_findings

    card = read_card(find_model())
    with (CASES / "batch" / "10_negated_labels" / "labels.csv").open(newline="") as stream:
        texts = [row["label"] for row in csv.DictReader(stream)]
    findings = {text: labelled_findings(text, card) for text in texts}
    positive = [text for text, names in findings.items() if "Pneumonia" in names]
    require(not positive, f"taken for Pneumonia: {positive}")


def reason_for(name: str, *words: str) -> Callable[[Path], None]:
    def check(work: Path) -> None:
        data = table_with_films(name, work, "13_list_is_empty")
        done = prepared(data, work)
        require("list is empty" not in done.text, "the list is empty")
        missing = [word for word in words if word.casefold() not in done.text.casefold()]
        require(done.code == 0 or not missing, f"not said: {missing}")

    return check


def replaced_training_film(work: Path) -> None:
    data = work / "data"
    folder = CASES / "batch" / "15_stale_training_cache"
    for label, films in (("NORMAL", 4), ("PNEUMONIA", 4)):
        source = CASES.parent / "data" / "kermany"
        for path in sorted((source / label).rglob("*.jpeg"))[:films] or []:
            copy(path, data / "train" / label / path.name)
    if not any(data.rglob("*.jpeg")):
        films8 = sorted((CASES / "batch" / "films8").iterdir())
        for i, path in enumerate(films8):
            copy(path, data / "train" / ("NORMAL" if i % 2 else "PNEUMONIA") / path.name)
    film = copy(folder / "before.jpeg", data / "train" / "NORMAL" / "x.jpeg")
    prepared(data, work)
    before = {p.name: p.read_text() for p in (work / "r").rglob("manifest*.csv")}
    stat = film.stat()
    film.write_bytes((folder / "after.jpeg").read_bytes())
    os.utime(film, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    done = prepared(data, work)
    after = {p.name: p.read_text() for p in (work / "r").rglob("manifest*.csv")}
    require(bool(after), f"no manifest: {done.text[-300:]}")
    require(before != after, "the manifest keeps the hash of a film that is gone")


def linked_class_folders(work: Path) -> None:
    for i, path in enumerate(sorted((CASES / "batch" / "films8").iterdir())):
        stored = copy(path, work / "store" / path.name)
        link = work / "data" / "train" / ("NORMAL" if i % 2 else "PNEUMONIA") / path.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(stored)
    done = prepared(work / "data", work)
    require(done.code == 0 or "link" in done.text.casefold(), done.text.strip()[-300:])


# Ends of a run


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


# Models from elsewhere


def described(
    name: str, *words: str, folder: str = "12_dtype_tuple_hints"
) -> Callable[[Path], None]:
    def check(work: Path) -> None:
        model = copy(CASES / "batch" / folder / name, work / "net.pt")
        run = app("model", "describe", model, "--trust-model", "--finding", "A", "--finding", "B",
                  "--size", "64")  # fmt: skip
        is_named = any(word.casefold() in run.text.casefold() for word in words)
        general = "Check that the card's preprocessing" in run.text
        require(run.code == 0 or (is_named and not general), run.text.strip()[-300:])

    return check


def heat_map_of(architecture: str) -> Callable[[Path], None]:
    def check(work: Path) -> None:
        import torch
        import torchvision

        network = getattr(torchvision.models, architecture)(num_classes=2).eval()
        with torch.no_grad():
            traced = torch.jit.trace(network, torch.rand(2, 3, 64, 64))
        traced.save(str(work / "net.pt"))
        app("model", "describe", work / "net.pt", "--trust-model", "--finding", "A", "--finding",
            "B", "--size", "64", "--scale", "imagenet")  # fmt: skip
        run = app("render", CASES / "batch" / "films8" / "IM-0001-0001.jpeg", "--out", work / "out",
                  "--model", work / "net.pt", "--trust-model", "--method", "grad-cam",
                  "--finding", "A")  # fmt: skip
        require(any((work / "out").rglob("*.png")), run.text.strip()[-300:])

    return check


def batch_cases() -> Iterator[Case]:
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
    yield Case("batch/09_repeated_rows", repeated_rows_count_once)
    yield Case("batch/09_test_conflict", contradictory_labels("testconf.csv"))
    yield Case("batch/09_train_conflict", contradictory_labels("trainconf.csv"))
    yield Case("batch/10_negated_labels", negated_labels)
    yield Case(
        "batch/11_torchvision_op",
        described("deform.pt", "torchvision::deform_conv2d", folder="11_torchvision_op"),
    )
    for name, words in {
        "half": ("half", "float16"), "bf16": ("bfloat16",), "double": ("double", "float64"),
        "tuple": ("tuple",), "dict": ("dict",), "devcuda": ("cuda",),
    }.items():  # fmt: skip
        yield Case(f"batch/12_{name}", described(f"{name}.pt", *words))
    yield Case("batch/13_numbers", reason_for("num.csv", "0", "label"))
    yield Case("batch/13_splits", reason_for("splitcase.csv", "split", "Train"))
    yield Case("batch/14_linked_class_folders", linked_class_folders)
    yield Case("batch/15_replaced_training_film", replaced_training_film)
    yield Case("batch/16_sigterm", ended_by(signal.SIGTERM))
    yield Case("batch/16_sighup", ended_by(signal.SIGHUP))
    yield Case("batch/17_full_disk", full_disk)
    yield Case("batch/18_no_home", no_home)
    yield Case("batch/19_convnext", heat_map_of("convnext_tiny"))


def main(names: list[str]) -> int:
    """Run the cases whose names contain one of `names` (all without any)."""
    if not CASES.is_dir():
        print(f"The cases are not here: {CASES} (set XRAYVIEW_CASES)")
        return 0
    wrong = run = 0
    for case in (*viewing_cases(), *batch_cases()):
        if names and not any(name in case.name for name in names):
            continue
        run += 1
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            for name in ("CONFIG", "CACHE", "DATA", "STATE"):
                os.environ[f"XDG_{name}_HOME"] = str(work / "home" / name.lower())
            (work / "work").mkdir()
            try:
                case.check(work / "work")
                print(f"ok     {case.name}", flush=True)
            except Exception as error:
                wrong += 1
                reason = str(error) if isinstance(error, Wrong) else repr(error)
                print(f"WRONG  {case.name}: {' '.join(reason.split())[:300]}", flush=True)
    print(f"{run - wrong} of {run} answers are right")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
