"""The model card in its own window."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from xrayview.engine.protocol import ModelReady
from xrayview.ui.findings.card_text import card_html


class CardDialog(QDialog):
    """Shows the card of a model; not modal, so that the film stays in use."""

    def __init__(self, ready: ModelReady, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Model card: {ready.card.name}")
        self.resize(720, 640)
        page = QTextBrowser()
        page.setAccessibleName("Model card")
        page.document().setDocumentMargin(16)
        page.setHtml(card_html(ready))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(page)
        column.addWidget(buttons)
