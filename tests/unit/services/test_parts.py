"""The parts of the program and their licences."""

from __future__ import annotations

from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

import pytest

from xrayview.services import parts
from xrayview.services.parts import Part, is_gpl_only, licence_of, part_of, parts_inside


def package(folder: Path, *fields: str) -> Distribution:
    info = folder / "thing-1.0.dist-info"
    info.mkdir()
    text = "\n".join(("Metadata-Version: 2.4", "Name: thing", "Version: 1.0", *fields))
    (info / "METADATA").write_text(f"{text}\n", encoding="utf-8")
    return PathDistribution(info)


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        (("License-Expression: MIT-CMU", "License: old"), "MIT-CMU"),
        (("License: Apache 2.0", "Classifier: License :: OSI Approved :: MIT License"),
         "Apache-2.0"),
        (("Classifier: License :: OSI Approved :: MIT License",), "MIT"),
        (("License: " + "Permission is hereby granted " * 9,
          "Classifier: License :: OSI Approved :: BSD License"), "BSD"),
        (("License: LGPL",), "LGPL-3.0-only"),
        ((), "not stated"),
    ],
)  # fmt: skip
def test_that_a_licence_is_taken_from_the_metadata(
    tmp_path: Path, fields: tuple[str, ...], licence: str
) -> None:
    assert licence_of(package(tmp_path, *fields)) == licence


def test_that_a_part_has_its_home_page(tmp_path: Path) -> None:
    thing = package(tmp_path, "License-Expression: MIT", "Project-URL: Homepage, https://a.org/b")

    assert part_of(thing) == Part("thing", "1.0", "MIT", "https://a.org/b")


@pytest.mark.parametrize(
    ("licence", "is_gpl"),
    [
        ("GPL-3.0-only", True),
        ("AGPL-3.0-or-later", True),
        ("MIT AND GPL-2.0-or-later", True),
        ("GPL-2.0-only OR GPL-3.0-only", True),
        ("LGPL-3.0-only OR GPL-2.0-only", False),
        ("FTL OR GPL-2.0-or-later", False),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", False),
        ("LGPL-2.1-or-later", False),
        ("MIT", False),
        ("not stated", False),
    ],
)
def test_that_only_the_gpl_without_a_choice_or_an_exception_counts(
    licence: str, is_gpl: bool
) -> None:
    assert is_gpl_only(licence) == is_gpl


def test_that_an_installation_lists_what_it_requires_and_no_gpl() -> None:
    found = {part.name.lower(): part for part in parts_inside()}

    assert {"xrayview", "numpy", "torch", "pydicom", "pebble", "pyside6_essentials"} <= found.keys()
    assert "pytest" not in found
    assert not [part.name for part in found.values() if is_gpl_only(part.licence)]


def test_that_a_frozen_program_lists_what_was_written(tmp_path: Path) -> None:
    file = tmp_path / "parts.json"
    listed = (Part("numpy", "2.4", "BSD-3-Clause"), Part("libz.so.1", "1.3", "Zlib", "", "system"))

    parts.write_parts(file, listed)

    assert parts_inside(file) == listed
