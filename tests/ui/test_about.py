"""The About box lists the parts of the program with their licences."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from pytestqt.qtbot import QtBot

from xrayview import __version__
from xrayview.services.parts import Part
from xrayview.services.resources import resource
from xrayview.ui.shell import about
from xrayview.ui.shell.about import AboutBox

PARTS = (Part("numpy", "2.4", "BSD-3-Clause", "https://numpy.org"), Part("libz", "1.3", "Zlib"))


@pytest.fixture
def box(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> AboutBox:
    monkeypatch.setattr(about, "parts_inside", lambda: PARTS)
    box = AboutBox()
    qtbot.addWidget(box)
    return box


def test_that_each_part_has_a_row_and_the_table_can_be_copied(box: AboutBox) -> None:
    rows = [
        tuple(box.table.item(row, column).text() for column in range(3))
        for row in range(box.table.rowCount())
    ]
    assert rows == [("numpy", "2.4", "BSD-3-Clause"), ("libz", "1.3", "Zlib")]
    box.copy.click()
    assert QGuiApplication.clipboard().text().splitlines() == [
        f"XrayView {__version__}",
        "numpy\t2.4\tBSD-3-Clause",
        "libz\t1.3\tZlib",
    ]


def test_that_the_notice_opens_and_has_the_texts_beside_it(
    box: AboutBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url) or True)
    box.texts.click()
    folder = Path(opened[0].toLocalFile())
    assert folder == resource("licences")
    names = {path.name for path in folder.iterdir()}
    assert {"NOTICE.txt", "LGPL-3.0.txt", "GPL-3.0.txt", "LGPL-2.1.txt"} <= names
