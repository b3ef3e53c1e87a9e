"""What is replaced is first copied to a name with the time, and no copy is overwritten."""

from __future__ import annotations

from pathlib import Path

from tests.builders import phantom, write_dicom
from xrayview import cli
from xrayview.errors import ExitCode
from xrayview.io.dated_copy import is_dated_copy, kept_if_replaced, save_dated_copy


def test_that_copies_have_names_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("1")
    copies = [save_dated_copy(path) for _ in range(3)]
    assert len(set(copies)) == 3
    assert all(is_dated_copy(copy, path) and copy.read_text() == "1" for copy in copies)
    assert not is_dated_copy(path, path)


def test_that_only_a_changed_file_leaves_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for text, count in (("1", 0), ("1", 0), ("2", 1)):
        with kept_if_replaced(path) as copies:
            path.write_text(text)
        assert len(copies) == len(list(tmp_path.glob("a.2*"))) == count


def test_that_a_table_of_tags_keeps_the_file_that_was_there(tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    write_dicom(tmp_path / "films" / "a.dcm", phantom(64, 64))
    out = tmp_path / "mine.csv"
    out.write_text("path,label\na.dcm,Normal\n")
    command = ["tags", str(tmp_path / "films"), "--out", str(out), "--identity", "none"]
    for _ in range(2):
        assert cli.main(command) == ExitCode.OK
    (copy,) = tmp_path.glob("mine.2*.csv")
    assert copy.read_text() == "path,label\na.dcm,Normal\n"
    assert out.read_text().count("a.dcm") == 1
