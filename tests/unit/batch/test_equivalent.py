"""The command that the window shows is one that the command line takes, with the same choices."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from xrayview.batch.equivalent import equivalent_command
from xrayview.cli import _parser
from xrayview.commands.options import stated_by
from xrayview.domain.stated import NOTHING_STATED, StatedFilms, stated_films
from xrayview.engine.protocol import ModelRef


@pytest.mark.parametrize("stated", [NOTHING_STATED, stated_films("1-5", "AP", "CHEST")])
def test_that_the_command_line_takes_it(stated: StatedFilms, tmp_path: Path) -> None:
    folder = tmp_path / "a folder; it's odd"
    model = ModelRef(tmp_path / "my model.pt", "ab", "cpu", "torch", "exact")
    text = equivalent_command(folder, model, tmp_path / "p.csv", "none", stated)
    program, *arguments = shlex.split(text)
    options = _parser(arguments).parse_args(arguments)
    assert program == "xrayview"
    assert options.folder == folder
    assert [Path(name) for name in options.model] == [model.path]
    assert options.out == tmp_path / "p.csv"
    assert (options.device, options.runtime, options.precision) == ("cpu", "torch", "exact")
    assert options.identity == "none"
    assert stated_by(options) == stated
