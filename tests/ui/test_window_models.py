"""Models in the window: trusted, refused, broken, and on a missing device."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PySide6.QtWidgets import QPushButton, QStyle, QStyleOptionComboBox
from pytestqt.qtbot import QtBot

from tests.bundles import write_bundle
from tests.ui.conftest import WAIT_MS
from xrayview.services.catalogue import trust_model, trusted_hashes
from xrayview.services.settings import Settings
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.shell.toolbar import TopBar


def wait(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: not window.workspace.model_controller.loading, timeout=WAIT_MS)


def message_texts(window: MainWindow) -> str:
    return "\n".join(f"{m.title} {m.text}" for m in window.banners.messages())


def chosen(bar: TopBar) -> str:
    return bar.models.currentText()


def test_that_the_status_bar_names_the_real_device_and_precision(ready: MainWindow) -> None:
    assert ready.status.right_text().startswith("CPU · float32")
    assert chosen(ready.bar) == "bright 1.0"


def test_that_a_listed_model_is_the_chosen_one_and_is_listed_once(
    qtbot: QtBot, ready: MainWindow, settings: Settings, bundle: Path
) -> None:
    settings["model_folders"] = [str(bundle.parent)]
    ready.open_model(bundle)
    wait(qtbot, ready)
    assert chosen(ready.bar) == "bright 1.0"
    texts = [ready.bar.models.itemText(n) for n in range(ready.bar.models.count())]
    assert texts.count("bright 1.0") == 1


@pytest.mark.parametrize("content", [b"", b"no model at all", b"PK\x05\x06" + b"\0" * 18])
def test_that_a_file_that_is_not_a_model_keeps_the_old_one_in_force(
    qtbot: QtBot, ready: MainWindow, tmp_path: Path, content: bytes
) -> None:
    before = ready.workspace.session.model
    path = tmp_path / "broken.pt"
    path.write_bytes(content)
    ready.open_model(path)
    wait(qtbot, ready)
    trust = ready.banners.findChildren(QPushButton)
    if trust:  # a trusted model must keep its contract too
        trust[0].click()
        wait(qtbot, ready)
    assert "broken.pt" in message_texts(ready)
    assert ready.workspace.session.model is before
    assert chosen(ready.bar) == "bright 1.0"


def test_that_the_menu_of_models_says_what_is_loading(
    qtbot: QtBot, ready: MainWindow, bundle: Path, tmp_path: Path
) -> None:
    ready.open_model(trusted_copy(bundle, tmp_path))
    assert ready.bar.models.currentIndex() == -1
    assert ready.bar.models.placeholderText().startswith("Loading ")
    wait(qtbot, ready)
    assert chosen(ready.bar) == "bright 1.0"


def test_that_a_banner_asks_once_about_an_unknown_model(
    qtbot: QtBot, ready: MainWindow, tmp_path: Path
) -> None:
    path = write_bundle(tmp_path / "other.pt", name="other")
    before = ready.workspace.session.model
    ready.open_model(path)
    wait(qtbot, ready)
    assert ready.workspace.session.model is before
    assert "other.pt" in message_texts(ready)
    (trust,) = ready.banners.findChildren(QPushButton)
    trust.click()
    qtbot.waitUntil(lambda: ready.workspace.session.model is not before, timeout=WAIT_MS)
    assert ready.workspace.session.model.card.name == "other"
    assert ready.workspace.session.model_sha256 in trusted_hashes()
    assert message_texts(ready) == ""


def test_that_a_missing_device_is_reported_and_not_replaced(
    qtbot: QtBot, ready: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    if Path("/proc/driver/nvidia").exists() or shutil.which("nvidia-smi"):
        pytest.skip("this machine has a CUDA device")
    before = ready.workspace.session.model
    ready.bar.device_chosen.emit("cuda")
    wait(qtbot, ready)
    assert "CUDA" in message_texts(ready)
    assert ready.workspace.session.model is before
    assert ready.bar.devices.currentData() == "cpu"


def test_that_a_device_chosen_while_a_model_loads_is_for_that_model(
    qtbot: QtBot, ready: MainWindow, bundle: Path, tmp_path: Path
) -> None:
    other = trusted_copy(bundle, tmp_path)
    ready.open_model(other)
    ready.bar.device_chosen.emit("auto")
    wait(qtbot, ready)
    model = ready.workspace.session.model.model
    assert (model.path, model.device) == (other, "auto")
    ready.bar.device_chosen.emit("cpu")
    ready.open_model(bundle)
    wait(qtbot, ready)
    model = ready.workspace.session.model.model
    assert (model.path, model.device) == (bundle, "cpu")


def test_that_a_model_whose_device_is_missing_loads_with_another_device(
    qtbot: QtBot, window: MainWindow, bundle: Path
) -> None:
    if Path("/proc/driver/nvidia").exists() or shutil.which("nvidia-smi"):
        pytest.skip("this machine has a CUDA device")
    window.workspace.model_controller.device = "cuda"
    window.open_model(bundle)
    wait(qtbot, window)
    assert window.workspace.session.model is None
    window.bar.device_chosen.emit("cpu")
    wait(qtbot, window)
    assert window.workspace.session.model.model.path == bundle


def trusted_copy(bundle: Path, folder: Path) -> Path:
    """A trusted copy of the bundle."""
    copy = folder / "copy.pt"
    shutil.copyfile(bundle, copy)
    trust_model(copy)
    return copy


def test_that_scores_of_the_earlier_model_are_not_shown_for_the_new_one(
    qtbot: QtBot, ready: MainWindow, tmp_path: Path
) -> None:
    workspace = ready.workspace
    workspace.model_controller.classify()
    qtbot.waitUntil(lambda: workspace.findings.state.kind == "classified", timeout=WAIT_MS)
    before = workspace.session.model
    ready.open_model(write_bundle(tmp_path / "other.pt", name="other"))
    wait(qtbot, ready)
    ready.banners.findChildren(QPushButton)[0].click()
    qtbot.waitUntil(lambda: workspace.session.model is not before, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: workspace.findings.state.kind == "unclassified", timeout=WAIT_MS)
    assert workspace.findings.findings_in_order() == ()


def test_that_the_page_of_the_card_escapes_texts_of_the_file(
    qtbot: QtBot, ready: MainWindow
) -> None:
    from dataclasses import replace

    from xrayview.ui.findings.card_text import card_html

    model = ready.workspace.session.model
    evil = replace(model.card, name="<script>x</script>", limitations="fails on <b>adults</b>")
    page = card_html(replace(model, card=evil))
    assert "<script>" not in page
    assert "fails on &lt;b&gt;adults" in page
    assert model.model.sha256 in page


def test_that_the_combo_boxes_of_the_toolbar_show_their_current_text(window: MainWindow) -> None:
    models, devices = window.bar.models, window.bar.devices
    assert models.currentIndex() == -1
    without = models.grab().toImage()
    models.setPlaceholderText("")
    assert models.grab().toImage() != without  # the text was visible
    option = QStyleOptionComboBox()
    devices.initStyleOption(option)
    field = devices.style().subControlRect(
        QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, devices
    )
    texts = [devices.itemText(i) for i in range(devices.count())]
    assert max(map(devices.fontMetrics().horizontalAdvance, texts)) < field.width()
