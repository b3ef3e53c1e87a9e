"""Sphinx settings: `make docs` writes the pages to build/docs, with warnings as errors."""

import tomllib
from pathlib import Path

from xrayview import __version__

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
myst_enable_extensions = ["colon_fence", "deflist"]

highlight_language = "none"

html_theme = "furo"
html_title = f"XrayView {release}"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_favicon = "../resources/icons/xrayview.svg"
html_show_sourcelink = False
html_copy_source = False
