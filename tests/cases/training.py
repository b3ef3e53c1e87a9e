"""Labels and training, and models that were made elsewhere."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.cases.program import CASES, Case, Run, app, copy, require, rows_of, training

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
        require(done.code == 0 or not missing, f"not named: {missing}")

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


def training_cases() -> Iterator[Case]:
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
    yield Case("batch/19_convnext", heat_map_of("convnext_tiny"))
