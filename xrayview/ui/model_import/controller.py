"""Import of a file without a card: describe, trust, test in the model worker, save, open."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from xrayview.domain.model import ModelCard
from xrayview.engine.client import Engine
from xrayview.engine.protocol import LoadModel, ModelReady, ModelRef
from xrayview.errors import ContractBroken, ModelNotTrusted, XrayViewError
from xrayview.services.catalogue import model_ref
from xrayview.services.model_import import with_notes, write_card
from xrayview.services.tasks import Tasks
from xrayview.ui.model_controller import ModelController, trust_question
from xrayview.ui.model_import.dialog import ModelImportDialog

_SLOT = "describe model"


class ModelImportController(QObject):
    """Runs the import dialog, one at a time.

    The network runs only once its file is trusted, and only in the model worker.
    """

    def __init__(
        self, model_controller: ModelController, tasks: Tasks, engine: Engine, window: QWidget
    ) -> None:
        super().__init__(window)
        self._model_controller, self._tasks, self._engine = model_controller, tasks, engine
        self._window = window
        self.dialog: ModelImportDialog | None = None

    def ask(self, path: Path) -> None:
        """Open the dialog for a file; answers about another file that are not used yet stay."""
        if self.dialog is not None:
            if self.dialog.closing_question() is not None:
                self.dialog.raise_()
                self.dialog.activateWindow()
                return
            self.dialog.discard()
        dialog = ModelImportDialog(path, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.described.connect(lambda card: self._check(path, card))
        dialog.finished.connect(self._on_closed)
        self.dialog = dialog
        dialog.open()

    def _on_closed(self) -> None:
        self.dialog = None
        self._tasks.cancel(_SLOT)

    def _check(self, path: Path, card: ModelCard) -> None:
        self._show_state("Checking the file …")
        self._tasks.call(
            _SLOT,
            lambda: model_ref(path, self._model_controller.device),
            lambda model: self._test(model, card),
            lambda error: self._on_failed(path, card, error),
        )

    def _test(self, model: ModelRef, card: ModelCard) -> None:
        self._show_state("Testing the description on the network …")
        self._tasks.start(
            _SLOT,
            lambda: self._engine.submit(LoadModel(model, card)),
            self._save,
            lambda error: self._on_failed(model.path, card, error),
        )

    def _save(self, ready: ModelReady) -> None:
        path = ready.model.path
        self._tasks.call(
            _SLOT,
            lambda: write_card(path, with_notes(ready.card, ready.notes)),
            lambda _: self._open(path),
            lambda error: self._on_failed(path, ready.card, error),
        )

    def _open(self, path: Path) -> None:
        if self.dialog is not None:
            self.dialog.accept()
        self._model_controller.message_settled.emit("model")
        self._model_controller.open_model(path)

    def _on_failed(self, path: Path, card: ModelCard, error: XrayViewError) -> None:
        if self.dialog is None:
            return
        if isinstance(error, ModelNotTrusted):
            self.dialog.show_state("")
            again, failed = partial(self._check, path, card), partial(self._on_failed, path, card)
            self.dialog.questions.show_message(
                trust_question(path, error, self._tasks, _SLOT, again, failed)
            )
            return
        card_field = error.field if isinstance(error, ContractBroken) else ""
        self.dialog.show_error(error, card_field)

    def _show_state(self, text: str) -> None:
        if self.dialog is not None:
            self.dialog.show_state(text)
