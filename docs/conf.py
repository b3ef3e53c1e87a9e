"""Sphinx settings: `make docs` writes the pages to build/docs, with warnings as errors."""

import tomllib
from pathlib import Path

from xrayview import __version__
from xrayview.domain.formats import FORMATS
from xrayview.io.dicom.transfer_syntax import TRANSFER_SYNTAXES

_PROJECT = tomllib.loads(
    (Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8")
)["project"]

project = "XrayView"
author = _PROJECT["authors"][0]["name"]
project_copyright = author
version = release = __version__

extensions = ["myst_parser"]
exclude_patterns = ["build"]

# Headings get an anchor, so that pages can link to sections of one another.
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist", "substitution"]


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


# Tables that the program has as rows, written where a page names them: {{ film_formats }}.
myst_substitutions = {
    "film_formats": _table(
        ("Format", "Usual suffixes", "Several frames", "DICOM attributes"),
        [
            (
                row.title,
                " ".join(f"`{suffix}`" for suffix in row.suffixes),
                "yes" if row.has_frames else "no",
                "yes" if row.has_tags else "no",
            )
            for row in FORMATS
        ],
    ),
    "transfer_syntaxes": _table(
        ("Transfer syntax", "UID", "Lossy"),
        [
            (row.name, f"`{row.uid}`", "always" if row.lossy else "")
            for row in TRANSFER_SYNTAXES.values()
        ],
    ),
}

highlight_language = "none"

html_theme = "furo"
html_title = f"XrayView {release}"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_favicon = "../resources/icons/xrayview.svg"
html_show_sourcelink = False
html_copy_source = False
