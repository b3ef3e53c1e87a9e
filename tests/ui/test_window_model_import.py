"""A TorchScript file from elsewhere, without a card, dropped into the window."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from tests.bundles import (
    BROKEN,
    Tiny,
    export,
    network_for,
    tiny_card,
    write_like_torchxrayvision,
)
from tests.ui.conftest import WAIT_MS
from tests.ui.test_accessible import mute, without_a_tip
from xrayview.domain.model import Finding, ModelCard
from xrayview.ui.findings.card_text import card_html
from xrayview.ui.model_import.dialog import ModelImportDialog
from xrayview.ui.shell.main_window import MainWindow

TWO = (Finding("Normal", abnormal=False), Finding("Mass"))


def without_card(folder: Path, kind: type[Tiny] = Tiny) -> Path:
    """A file with only `forward`, for two findings on 64 x 64 pixels, without a card."""
    card = tiny_card(task="multilabel", findings=TWO)
    methods = ("forward",)
    return export(network_for(card, kind), folder / "bare.pt", card, extra={}, methods=methods)


def open_dialog(qtbot: QtBot, window: MainWindow, path: Path) -> ModelImportDialog:
    """Open the dialog by the button of the banner."""
    window.open_model(path)
    qtbot.waitUntil(lambda: window.banners.messages() != (), timeout=WAIT_MS)
    (message,) = window.banners.messages()
    assert "bare.pt has no model card" in message.title
    (button,) = window.banners.findChildren(QPushButton)
    button.click()
    dialog = window.panels.model_import.dialog
    assert dialog is not None
    return dialog


def fill(dialog: ModelImportDialog) -> None:
    dialog.findings.add(["Normal", "Mass"])
    dialog.findings.item(0, 1).setCheckState(Qt.CheckState.Unchecked)
    dialog.height_px.setValue(64)
    dialog.width_px.setValue(64)
    choose(dialog.fit, "letterbox")
    choose(dialog.scale.names, "plain")


def choose(box: QComboBox, value: str) -> None:
    box.setCurrentIndex(box.findData(value))


def trust(qtbot: QtBot, dialog: ModelImportDialog) -> None:
    qtbot.waitUntil(lambda: dialog.questions.messages() != (), timeout=WAIT_MS)
    (message,) = dialog.questions.messages()
    assert "Do you know where it comes from?" in message.title
    dialog.questions.findChildren(QPushButton)[0].click()


def wait_until_tested(qtbot: QtBot, dialog: ModelImportDialog) -> None:
    qtbot.waitUntil(lambda: dialog.save.isEnabled(), timeout=WAIT_MS)


def test_that_a_file_without_a_card_is_described_tested_saved_and_loaded(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path
) -> None:
    path = without_card(tmp_path)
    dialog = open_dialog(qtbot, opened, path)
    fill(dialog)
    dialog.save.click()
    trust(qtbot, dialog)
    session = opened.workspace.session
    qtbot.waitUntil(lambda: session.model is not None, timeout=WAIT_MS)
    assert session.model is not None
    assert session.model.card.findings == TWO
    assert session.model.explain_methods[0] == "grad-cam"
    assert opened.panels.model_import.dialog is None
    written = json.loads((tmp_path / "bare.card.json").read_text(encoding="utf-8"))
    assert written["preprocessing"]["size"] == [64, 64]
    assert opened.banners.messages() == ()
    opened.workspace.model_controller.classify()
    panel = opened.workspace.findings
    qtbot.waitUntil(lambda: panel.state.kind == "classified", timeout=WAIT_MS)
    assert "is split after its last feature map of 2 x 8 x 8" in panel.heat.method.toolTip()
    assert "is split after" in card_html(session.model)


def test_that_a_wrong_description_is_shown_at_its_field_and_not_saved(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path
) -> None:
    path = without_card(tmp_path, BROKEN["sigmoid"][0])
    dialog = open_dialog(qtbot, opened, path)
    fill(dialog)
    dialog.findings.add(["One too many"])
    dialog.channels.setCurrentIndex(1)
    dialog.save.click()
    trust(qtbot, dialog)
    for field, text, correct in (
        ("channels", "It takes inputs with 1 channel", lambda: dialog.channels.setCurrentIndex(0)),
        ("findings", "Forward returned shape (1, 2)", lambda: _remove(dialog, 2)),
        ("outputs", "probabilities", lambda: dialog.outputs.setCurrentIndex(1)),
    ):
        qtbot.waitUntil(lambda f=field: dialog.error_text(f) != "", timeout=WAIT_MS)
        wait_until_tested(qtbot, dialog)
        assert text in dialog.error_text(field)
        assert not (tmp_path / "bare.card.json").exists()
        correct()
        assert dialog.error_text(field) == ""
        dialog.save.click()
    session = opened.workspace.session
    qtbot.waitUntil(lambda: session.model is not None, timeout=WAIT_MS)
    assert session.model is not None
    assert session.model.card.outputs == "probabilities"


def _remove(dialog: ModelImportDialog, row: int) -> None:
    dialog.findings.setCurrentCell(row, 0)
    dialog.findings.remove_chosen()


@pytest.fixture
def dialog(qtbot: QtBot, tmp_path: Path) -> ModelImportDialog:
    dialog = ModelImportDialog(tmp_path / "net.pt")
    qtbot.addWidget(dialog)
    return dialog


def test_that_an_invalid_description_is_shown_at_its_fields(dialog: ModelImportDialog) -> None:
    cards: list[object] = []
    dialog.described.connect(cards.append)
    dialog.save.click()
    assert "in the order of the network's outputs" in dialog.error_text("findings")
    dialog.findings.add(["Mass", "Mass"])
    choose(dialog.fit, "stretch")
    dialog.scale.names.setCurrentIndex(dialog.scale.names.findData("imagenet"))
    assert dialog.channels.currentData() == 3
    dialog.channels.setCurrentIndex(0)
    dialog.save.click()
    assert "Two have the same name" in dialog.error_text("findings")
    assert "one for each channel" in dialog.error_text("scale")
    assert dialog.scale.accessibleDescription() == dialog.error_text("scale")
    assert cards == []


def test_that_fit_and_scale_are_asked(dialog: ModelImportDialog) -> None:
    cards: list[ModelCard] = []
    dialog.described.connect(cards.append)
    dialog.findings.add(["Mass"])
    assert (dialog.fit.currentData(), dialog.scale.names.currentData()) == (None, None)
    dialog.save.click()
    assert "how the training films were fitted" in dialog.error_text("fit")
    assert "scale of the training films" in dialog.error_text("scale")
    assert cards == []
    choose(dialog.fit, "center_crop")
    choose(dialog.scale.names, "film")
    dialog.save.click()
    (card,) = cards
    assert (card.preprocessing.fit, card.preprocessing.standardize) == ("center_crop", "film")


def test_that_a_recognised_network_is_proposed(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = ModelImportDialog(write_like_torchxrayvision(tmp_path / "net.pt"))
    qtbot.addWidget(dialog)
    assert dialog.scale.names.currentData() == "torchxrayvision"
    assert dialog.fit.currentData() == "center_crop"
    assert dialog.channels.currentData() == 1
    assert any("looks like TorchXRayVision" in text.text() for text in dialog.findChildren(QLabel))


def test_that_a_custom_scale_takes_only_numbers(dialog: ModelImportDialog) -> None:
    cards: list[object] = []
    dialog.described.connect(cards.append)
    dialog.findings.add(["Mass"])
    choose(dialog.fit, "stretch")
    names, numbers = dialog.scale.names, dialog.scale.numbers
    assert not numbers["mean"].isEnabled()
    names.setCurrentIndex(names.findData("own"))
    for text in ("nan", "a", ""):
        numbers["mean"].setText(text)
        dialog.save.click()
        assert "Mean: must be" in dialog.error_text("scale")
    numbers["mean"].setText("0.5")
    numbers["value_range"].setText("0, 255")
    dialog.save.click()
    (card,) = cards
    spec = card.preprocessing
    assert (spec.mean, spec.std, spec.value_range) == ((0.5,), (1.0,), (0.0, 255.0))


def test_that_findings_are_typed_pasted_moved_and_removed_by_the_keyboard(
    qtbot: QtBot, dialog: ModelImportDialog
) -> None:
    dialog.show()
    table = dialog.findings
    table.setFocus()
    table.item(0, 0).setText("Edema")
    QApplication.clipboard().setText("Mass\n\n  Nodule \n")
    QTest.keyClick(table, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert [f.name for f in table.findings()] == ["Edema", "Mass", "Nodule"]
    table.setCurrentCell(2, 0)
    table.move_chosen(-1)
    assert [f.name for f in table.findings()] == ["Edema", "Nodule", "Mass"]
    table.setCurrentCell(0, 1)
    QTest.keyClick(table, Qt.Key.Key_Space)
    QTest.keyClick(table, Qt.Key.Key_Down)
    QTest.keyClick(table, Qt.Key.Key_Delete)
    assert table.findings() == (Finding("Edema", abnormal=False), Finding("Mass"))
    assert table.rowCount() == 3


def test_that_every_control_of_the_dialog_has_a_name_and_a_tip(dialog: ModelImportDialog) -> None:
    assert (mute(dialog), without_a_tip(dialog)) == ([], [])
