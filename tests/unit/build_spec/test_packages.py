"""What people install: the files around the frozen program, on the three systems."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from build_spec.macos.information import information
from build_spec.macos.packages import commands
from build_spec.recipe import IDENTIFIER, ROOT
from build_spec.windows import packages as windows
from build_spec.windows.version_resource import numbers, texts
from xrayview import __version__

LINUX = ROOT / "build_spec/linux"
posix = pytest.mark.skipif(sys.platform == "win32", reason="a script of a POSIX shell")


# -- Linux ---------------------------------------------------------------------------------------


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """An unpacked archive with programs that print their arguments, and a space in its path."""
    folder = tmp_path / "un packed"
    for name in ("XrayView", "xrayview"):
        path = folder / "XrayView" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\necho {name} "$@"\n', encoding="utf-8")
        path.chmod(0o755)
    share = folder / "share/applications/xrayview.desktop"
    share.parent.mkdir(parents=True)
    share.write_bytes((LINUX / "xrayview.desktop").read_bytes())
    icon = folder / "share/icons/hicolor/16x16/apps/xrayview.png"
    icon.parent.mkdir(parents=True)
    icon.write_bytes(b"png")
    (folder / "install.sh").write_bytes((LINUX / "install.sh").read_bytes())
    (folder / "install.sh").chmod(0o755)
    return folder


def run(script: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [str(script), *arguments], env=environment, capture_output=True, text=True, check=False
    )


@posix
def test_that_the_script_installs_for_one_user(unpacked: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()

    ran = run(unpacked / "install.sh", home)

    assert ran.returncode == 0, ran.stderr
    local = home / ".local"
    command = subprocess.run([local / "bin/xrayview", "scan"], capture_output=True, text=True)
    assert command.stdout == "xrayview scan\n"
    entry = (local / "share/applications/xrayview.desktop").read_text(encoding="utf-8")
    assert f'Exec="{local}/lib/xrayview/XrayView" %F' in entry
    assert (local / "share/icons/hicolor/16x16/apps/xrayview.png").is_file()


@posix
def test_that_a_newer_version_replaces_all_files_of_the_older(
    unpacked: Path, tmp_path: Path
) -> None:
    prefix = tmp_path / "prefix"
    (unpacked / "XrayView/old.so").write_bytes(b"old")
    run(unpacked / "install.sh", tmp_path, "--prefix", str(prefix))
    (unpacked / "XrayView/old.so").unlink()

    ran = run(unpacked / "install.sh", tmp_path, "--prefix", str(prefix))

    assert ran.returncode == 0, ran.stderr
    assert sorted(path.name for path in (prefix / "lib").iterdir()) == ["xrayview"]
    assert not (prefix / "lib/xrayview/old.so").exists()


@posix
def test_that_removing_leaves_what_others_put_there(unpacked: Path, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    run(unpacked / "install.sh", tmp_path, "--prefix", str(prefix))
    other = prefix / "bin/other"
    other.write_text("mine", encoding="utf-8")

    ran = run(unpacked / "install.sh", tmp_path, "--prefix", str(prefix), "--uninstall")

    assert ran.returncode == 0, ran.stderr
    left = [p for p in prefix.rglob("*") if not p.is_dir() and p.suffix != ".cache"]
    assert left == [other]  # beside caches that the desktop's own tools write


@posix
def test_that_an_incomplete_archive_changes_nothing(unpacked: Path, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    run(unpacked / "install.sh", tmp_path, "--prefix", str(prefix))
    (unpacked / "XrayView/xrayview").unlink()

    ran = run(unpacked / "install.sh", tmp_path, "--prefix", str(prefix))

    assert ran.returncode == 1
    assert "is not complete" in ran.stderr
    assert (prefix / "lib/xrayview/xrayview").is_file()


def test_that_the_entry_of_the_menu_opens_films_with_the_window() -> None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(LINUX / "xrayview.desktop", encoding="utf-8")
    entry = parser["Desktop Entry"]

    assert (entry["Exec"], entry["Terminal"]) == ("XrayView %F", "false")
    assert "application/dicom;" in entry["MimeType"]


def test_that_the_metadata_names_the_entry_and_the_programs() -> None:
    root = ET.parse(LINUX / f"{IDENTIFIER}.metainfo.xml").getroot()

    assert root.findtext("id") == IDENTIFIER
    assert root.findtext("launchable") == "xrayview.desktop"
    assert {e.text for e in root.iterfind("provides/binary")} == {"XrayView", "xrayview"}


# -- Windows -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "expected"),
    [("0.2.0", (0, 2, 0, 0)), ("1.2", (1, 2, 0, 0)), ("2.0.1+cpu", (2, 0, 1, 0))],
)
def test_that_a_version_has_four_numbers(version: str, expected: tuple[int, ...]) -> None:
    assert numbers(version) == expected


def test_that_the_properties_of_the_program_have_its_version() -> None:
    assert texts()["ProductVersion"] == __version__


def test_that_the_installer_needs_no_administrator_and_leaves_data() -> None:
    script = (ROOT / "build_spec/windows/xrayview.iss").read_text(encoding="utf-8")

    assert "PrivilegesRequired=lowest" in script
    assert "[UninstallDelete]" not in script  # only what was installed goes
    given = {argument[2:].split("=")[0] for argument in windows.arguments(Path("dist"), "")[:-1]}
    used = set(re.findall(r"\{#(\w+)\}", script))
    assert used <= given | {"Sign"}


def test_that_signing_is_off_unless_it_is_asked_for() -> None:
    assert not [a for a in windows.arguments(Path("dist"), "") if "Sign" in a]
    assert "/Sxrayview=signtool sign $f" in windows.arguments(Path("dist"), "signtool sign $f")


# -- macOS ---------------------------------------------------------------------------------------


def test_that_the_app_names_its_documents_and_the_oldest_system() -> None:
    entries = information()
    declared = {row["UTTypeIdentifier"] for row in entries["UTImportedTypeDeclarations"]}
    kinds = {kind for row in entries["CFBundleDocumentTypes"] for kind in row["LSItemContentTypes"]}

    assert declared | {"public.folder"} == kinds
    assert entries["LSMinimumSystemVersion"] == "13.0"
    assert entries["CFBundleShortVersionString"] == __version__


@pytest.mark.parametrize(
    ("environment", "tools"),
    [
        ({}, ["codesign", "ditto", "ln", "hdiutil"]),
        ({"XRAYVIEW_NOTARISE": "me"}, ["codesign", "ditto", "ln", "hdiutil"]),
        ({"XRAYVIEW_SIGN": "ID"}, ["codesign", "ditto", "ln", "hdiutil", "codesign"]),
        ({"XRAYVIEW_SIGN": "ID", "XRAYVIEW_NOTARISE": "me"},
         ["codesign", "ditto", "ln", "hdiutil", "codesign", "xcrun", "xcrun"]),
    ],
)  # fmt: skip
def test_that_the_image_is_signed_and_notarised_only_when_asked(
    environment: dict[str, str], tools: list[str]
) -> None:
    rows = commands(Path("XrayView.app"), Path("a.dmg"), Path("stage"), environment)

    assert [row[0] for row in rows] == tools
    certificate = rows[0][rows[0].index("--sign") + 1]
    assert certificate == environment.get("XRAYVIEW_SIGN", "-")


# -- the workflow --------------------------------------------------------------------------------


def test_that_the_workflow_calls_targets_that_exist() -> None:
    workflow = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    called = re.findall(r"make ([a-z ]+?) PYTHON", workflow)

    assert called == ["bundle packages", "wheel"]
    assert {name for call in called for name in call.split()} <= targets
