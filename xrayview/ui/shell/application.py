"""The Qt application: files that the system asks it to open, and failures at its start."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import (
    QEvent,
    QMessageLogContext,
    QtMsgType,
    Signal,
    qInstallMessageHandler,
)
from PySide6.QtGui import QFileOpenEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QMessageBox

from xrayview.errors import ExitCode, XrayViewError
from xrayview.services.display import library_missing
from xrayview.services.user_folders import log_folder

_UNSEEN_PLATFORMS = ("offscreen", "minimal")


class Application(QApplication):
    """The application; macOS asks it to open what is dropped on its icon."""

    file_opened = Signal(object)
    """The path of a file or folder."""

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QFileOpenEvent) and event.file():
            self.file_opened.emit(Path(event.file()))
            return True
        return super().event(event)


@contextmanager
def plain_start_failures() -> Iterator[None]:
    """While the application is made, end with one line and exit code 2 where Qt would abort."""

    def handle(kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
        if kind is QtMsgType.QtFatalMsg:
            # Qt ends the process as soon as this returns.
            sys.stderr.write(f"xrayview: {library_missing(text)}\n")
            sys.stderr.flush()
            os._exit(ExitCode.USAGE)

    qInstallMessageHandler(handle)
    try:
        yield
    finally:
        qInstallMessageHandler(None)


def show_start_failure(error: XrayViewError) -> None:
    """Show in a message box why the window did not start; on screen only."""
    if QGuiApplication.platformName() in _UNSEEN_PLATFORMS:
        return
    box = QMessageBox(QMessageBox.Icon.Critical, "XrayView", f"{error.what}.")
    why = f"{error.why[:1].upper()}{error.why[1:]}." if error.why else ""
    details = " ".join(filter(None, (why, error.hint)))
    box.setInformativeText(f"{details}\n\nLog: {log_folder()}".strip())
    box.exec()
