"""Films on screen, their stored values, and copies without identity."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pydicom

from tests.cases.program import CASES, Case, Run, app, copy, require, rows_of


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
