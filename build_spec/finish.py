"""After PyInstaller: strip, link, add licences, check, and print the table of sizes.

python -m build_spec.finish dist build/frozen/xrayview/inside.json
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from build_spec import recipe, sbom
from build_spec.contents import (
    PROGRAMS,
    Component,
    Contents,
    components,
    layout_in,
    read_contents,
    total,
)
from xrayview import __version__
from xrayview.services.parts import Part, is_gpl_only, write_parts

MIB = 2**20
EXPLAINED = {
    "torch": "runs networks: libtorch_cpu holds kernels for four kinds of processor",
    "PySide6_Essentials": "the window: Qt's core, drawing and widgets, and 32 MiB of Unicode data",
    "opencv-python-headless": "resizing and JPEG; its video codecs are linked, so they stay",
    "numpy": "arrays, with a linear algebra library of its own",
    PROGRAMS: "all Python modules, compressed",
    f"{recipe.WINDOW}: models": "the two model bundles",
    f"{recipe.WINDOW}: samples": "the sample study",
    "python-gdcm": "JPEG and 12-bit JPEG in DICOM files",
    "pillow": "JPEG 2000 thumbnails, TIFF of fax machines",
    "system libraries": "what Qt's window needs of X11 and Wayland, and OpenSSL for hashes",
    "Python": "the interpreter and its compiled modules",
    "pyjpegls": "JPEG-LS in DICOM files",
    "pylibjpeg-openjpeg": "JPEG 2000 in DICOM files",
    "pydicom": "reads DICOM files",
}
"""Why the large components are inside."""


def main() -> int:
    """Finish a frozen folder; returns 1 where something is inside that may not be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dist", type=Path)
    parser.add_argument("contents", type=Path)
    options = parser.parse_args()
    layout = layout_in(options.dist)
    contents = read_contents(options.contents)
    if sys.platform == "linux":
        strip(layout.libraries)
        link_programs(layout.programs, recipe.flavour_of())
    parts = sbom.parts_of(contents)
    licences = layout.libraries / "resources/licences"
    sbom.collect_licences(contents, licences)
    write_parts(licences / "parts.json", parts)
    sbom.write_sbom(licences / "XrayView.cdx.json", __version__, parts)
    print(size_table(components(layout, contents)))
    problems = list(forbidden(layout.libraries, contents, parts))
    for problem in problems:
        print(f"finish: {problem}", file=sys.stderr)
    return 1 if problems else 0


def strip(libraries: Path) -> None:
    """Remove the symbols of the libraries that the recipe names. Raises: CalledProcessError."""
    for pattern in recipe.STRIPPED:
        for path in libraries.glob(pattern):
            if not path.is_symlink():
                subprocess.run(["strip", "--strip-unneeded", str(path)], check=True)  # noqa: S607


def link_programs(folder: Path, flavour: recipe.Flavour) -> None:
    """Give the executable its other names: one file, so that its modules are inside once."""
    window = folder / recipe.WINDOW
    for name in ("xrayview", *(("xrayview-train",) if flavour.train else ())):
        link = folder / name
        link.unlink(missing_ok=True)
        link.hardlink_to(window)


def forbidden(libraries: Path, contents: Contents, parts: tuple[Part, ...]) -> Iterator[str]:
    """Name what may not be inside: libraries under the GPL, and what the recipe leaves out."""
    flavour = recipe.flavour_of()
    for part in parts:
        if is_gpl_only(part.licence):
            yield f"{part.name} is under {part.licence}"
    for path in libraries.rglob("*"):
        name = path.relative_to(libraries).as_posix()
        if recipe.matches(name, recipe.GPL_LIBRARIES):
            yield f"{name} is a library under the GPL"
        if path.is_file() and recipe.is_file_left_out(name, flavour):
            yield f"{name} is on the list of what is left out"
    for module in contents.modules():
        if recipe.is_left_out(module, flavour):
            yield f"the module {module} is on the list of what is left out"


def size_table(rows: tuple[Component, ...]) -> str:
    """Return the sizes by component as text, the ten largest with their reason."""
    lines = [f"{'component':44}{'MiB':>8}{'files':>7}  why"]
    for i, row in enumerate(rows):
        why = EXPLAINED.get(row.name, "") if i < 10 else ""
        if i < 16:
            lines.append(f"{row.name:44}{row.bytes / MIB:8.1f}{row.files:7}  {why}".rstrip())
    rest = rows[16:]
    lines.append(
        f"{f'{len(rest)} others':44}{total(rest) / MIB:8.1f}{sum(r.files for r in rest):7}"
    )
    lines.append(f"{'in all':44}{total(rows) / MIB:8.1f}{sum(row.files for row in rows):7}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
