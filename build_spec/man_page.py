"""The manual page of the command line, from its own parser.

python -m build_spec.man_page xrayview.1
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from argparse_manpage.manpage import Manpage

from xrayview import __version__
from xrayview.cli import COMMANDS


def man_page() -> str:
    """Return the page in troff: all commands with all their options."""
    page = Manpage(
        parser(),
        _data={
            "project_name": "XrayView",
            "version": __version__,
            "manual_title": "XrayView",
            "manual_section": 1,
            "description": "chest-radiograph research: read, classify, explain, audit",
        },
    )
    return f"{page}\n"


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line, with texts of a fixed width."""
    os.environ["COLUMNS"] = "80"
    top = argparse.ArgumentParser(
        prog="xrayview",
        description="Chest-radiograph research: read, classify, explain, audit. Not for diagnosis. "
        "`xrayview app` opens the main window.",
    )
    commands = top.add_subparsers(title="commands", metavar="COMMAND")
    for command in COMMANDS:
        command.add_arguments(
            commands.add_parser(command.name, help=command.help, description=command.help)
        )
    return top


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(man_page(), encoding="utf-8")
