"""The documentation names modules, columns, keys and codes that exist."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from training import cli as training_cli
from xrayview import __version__, cli
from xrayview.domain.model import ModelCard, PreprocessSpec
from xrayview.errors import ExitCode, StatusCode
from xrayview.inference.ood_score import TrainingStatistics
from xrayview.io.tables.measurements import CSV_COLUMNS
from xrayview.io.tables.predictions import AFTER_FINDINGS, BEFORE_FINDINGS, PER_FINDING
from xrayview.services.settings import ROWS, SETTINGS
from xrayview.ui.keys.shortcuts import KEYS, Key

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
        ROOT / "training" / "README.md",
        *DOCS.rglob("*.md"),
    ]
)
NEW = DOCS / "develop" / "add"
"""These pages also name the files that a reader of them will make."""

FILE = re.compile(
    r"(?<![\w./])((?:xrayview|training|tests|docs|resources|build_spec)/[\w./-]*\w)\b"
)
MODULE = re.compile(r"`((?:xrayview|training)(?:\.\w+)+)`")


COMMAND = re.compile(r"^xrayview ([a-z][a-z-]*)|`xrayview ([a-z][a-z-]*)", flags=re.M)
TRAINING_COMMAND = re.compile(r"python -m training (\w+)")
QUOTED = re.compile(r"(?<!\*)\*([A-Z][^*]+)\*(?!\*)")
"""*Italics* with a capital are what a button or a menu shows."""
TARGET = re.compile(r"^make ([a-z]+)(?:  .*)?$|`make ([a-z]+)", flags=re.M)


def names(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", [p for p in PAGES if p.parent != NEW], ids=names)
def test_that_every_file_and_module_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    missing = {name for name in FILE.findall(text) if not (ROOT / name).exists()}
    missing |= {name for name in MODULE.findall(text) if not is_module(name)}
    assert missing == set()


@pytest.mark.parametrize("page", [p for p in PAGES if p.parent != NEW], ids=names)
def test_that_every_command_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    known = {command.name for command in cli.COMMANDS} | {"app"}
    targets = set(re.findall(r"^(\w+):", makefile, flags=re.M))
    assert {"".join(found) for found in COMMAND.findall(text)} - known == set()
    assert set(TRAINING_COMMAND.findall(text)) - set(training_cli.COMMANDS) == set()
    assert {"".join(found) for found in TARGET.findall(text)} - targets == set()


def test_that_every_text_of_the_window_that_the_guide_quotes_exists() -> None:
    pages = [DOCS / "getting-started.md", *(DOCS / "guide").glob("*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    quoted = {" ".join(found.split()) for found in QUOTED.findall(text)}
    # Verdicts are the same in the window and in the terminal.
    shown = [ROOT / "xrayview" / "ui", ROOT / "xrayview" / "domain"]
    sources = [path for folder in shown for path in folder.rglob("*.py")]
    window = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    assert {label for label in quoted if label not in window} == set()


def is_module(name: str) -> bool:
    """A module, or a name in one."""
    path, attribute = ROOT.joinpath(*name.split(".")), ""
    if not path.is_dir() and not path.with_suffix(".py").is_file():
        path, attribute = path.parent, path.name
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return source.is_file() and attribute in source.read_text(encoding="utf-8")


def first_cells(page: str, heading: str) -> list[str]:
    """What stands between backticks in the first column of the tables below a heading."""
    text = (DOCS / page).read_text(encoding="utf-8")
    section = text.split(f"\n{heading}\n", 1)[1]
    section = re.split(rf"\n{heading.split()[0]} ", section)[0]
    cells = re.findall(r"^\|((?:[^|\\]|\\.)*)\|", section, flags=re.M)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def test_that_the_columns_of_predictions_are_those_of_the_code() -> None:
    per_finding = [f"{prefix}<FINDING>" for prefix in PER_FINDING]
    listed = first_cells("reference/predictions.md", "## predictions.csv")
    assert listed == [*BEFORE_FINDINGS, *per_finding, *AFTER_FINDINGS]


def test_that_the_status_codes_are_those_of_the_code() -> None:
    listed = first_cells("reference/predictions.md", "## Status codes")
    assert listed == [code.value for code in StatusCode]


@pytest.mark.parametrize("part", [ModelCard, PreprocessSpec, TrainingStatistics])
def test_that_every_field_of_a_bundle_is_specified(part: type) -> None:
    text = (DOCS / "reference" / "model-bundle.md").read_text(encoding="utf-8")
    listed = {name.split(".")[-1] for name in re.findall(r"`([\w.]+)`", text)}
    listed |= {name.split(".")[0] for name in re.findall(r"`([\w.]+)`", text)}
    assert {field.name for field in fields(part)} - listed == set()


def test_that_the_columns_of_measurements_are_those_of_the_code() -> None:
    listed = first_cells("reference/measurements.md", "## measurements.csv")
    assert listed == list(CSV_COLUMNS)


def test_that_the_exit_codes_are_those_of_the_code() -> None:
    codes = [value for name, value in vars(ExitCode).items() if name.isupper()]
    text = (DOCS / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", text, flags=re.M)] == codes


def test_that_the_listed_keys_do_what_the_page_says() -> None:
    text = (DOCS / "guide" / "settings-and-keys.md").read_text(encoding="utf-8")
    section = text.split("\n## Keys\n")[1].split("\n## ")[0]
    listed = set(re.findall(r"^\| (`.+?|none) \| (.+?) \|$", section, flags=re.M))
    assert listed == {(spelled(row), row.text) for row in KEYS}


def spelled(row: Key) -> str:
    if row.is_numbered:
        return f"`{row.keys[0]}`-`{row.keys[-1][-1]}`"
    return " or ".join(f"`{key}`" for key in row.keys) or "none"


def test_that_the_listed_settings_have_the_defaults_that_the_page_says() -> None:
    rows = first_cells("guide/settings-and-keys.md", "## Settings")
    assert set(rows) - {row.key for row in SETTINGS} == set()
    text = (DOCS / "guide" / "settings-and-keys.md").read_text(encoding="utf-8")
    text = text.split("\n## Settings\n")[1]
    listed = dict(re.findall(r"^\| `(\w+)` \| (\S+) \|", text, flags=re.M))
    assert listed == {key: shown(ROWS[key].default) for key in rows}


def shown(default: object) -> str:
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, int | float):
        return f"`{default:g}`"
    return f"`{default}`" if default else "empty"


def test_that_the_version_is_cited_and_has_a_section_in_the_changelog() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {__version__}\n" in citation
    assert f"\n## {__version__}\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
