"""The settings dialog: every row of the table has a field, and a bad value changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui.conftest import WAIT_MS, SharedEngine
from xrayview.engine.client import Engine
from xrayview.services.catalogue import find_model
from xrayview.services.settings import SETTINGS, Settings
from xrayview.ui.keys import shortcuts
from xrayview.ui.keys.keymap import Keymap
from xrayview.ui.settings_dialog.checks import CHECKS
from xrayview.ui.settings_dialog.dialog import KEYS_PAGE, SettingsDialog
from xrayview.ui.settings_dialog.fields import FoldersField
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.shell.model_status import _stored_name
from xrayview.ui.style import theme
from xrayview.ui.style.colours import LIGHT, C

SHOWN = [row for row in SETTINGS if row.group]


@pytest.fixture(autouse=True)
def _as_before(qapp: QApplication):
    yield
    theme.apply(qapp, "dark")
    shortcuts.use({})


@pytest.fixture
def dialog(qtbot: QtBot, settings: Settings) -> SettingsDialog:
    settings.reset("model")
    dialog = SettingsDialog(settings, Keymap(), CHECKS)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def page_of(dialog: SettingsDialog, key: str):
    return next(page for page in dialog.pages.values() if key in page.fields)


@pytest.mark.parametrize("row", SHOWN, ids=lambda row: row.key)
def test_that_every_row_with_a_group_has_a_field_named_by_its_description(
    dialog: SettingsDialog, row
) -> None:
    page = dialog.pages[row.group]
    field = page.fields[row.key]
    assert field.focusProxy().accessibleName() == row.description
    waits = "next start" in page.notes[row.key].text()
    assert waits == (row.takes_effect != "at once")


def test_that_rows_without_a_group_are_not_shown(dialog: SettingsDialog) -> None:
    fields = {key for page in dialog.pages.values() for key in page.fields}
    assert fields == {row.key for row in SHOWN}


@pytest.mark.parametrize(
    "row",
    [row for row in SHOWN if row.choices or row.kind in (bool, int, float)],
    ids=lambda row: row.key,
)
def test_that_a_field_changes_its_setting_and_emits_its_key(
    qtbot: QtBot, dialog: SettingsDialog, settings: Settings, row
) -> None:
    page = dialog.pages[row.group]
    before = settings[row.key]
    others = [choice for choice in row.choices if choice != before]
    step = 1 if row.kind is int else 0.25
    value = others[0] if others else not before if row.kind is bool else before + step
    if row.high is not None and not row.choices and value > row.high:
        value = before - step
    with qtbot.waitSignal(dialog.changed) as changed:
        page.fields[row.key].edited.emit(value)
    assert changed.args == [row.key]
    assert settings[row.key] == value
    page.restore_defaults()
    assert settings[row.key] == row.default


def test_that_a_number_is_set_with_the_keyboard(
    qtbot: QtBot, dialog: SettingsDialog, settings: Settings
) -> None:
    dialog.turn_to("Reading")
    spin = page_of(dialog, "decode_timeout_s").fields["decode_timeout_s"].spin
    spin.setFocus()
    spin.selectAll()
    qtbot.keyClicks(spin, "45")
    qtbot.keyClick(spin, Qt.Key.Key_Return)
    assert settings["decode_timeout_s"] == 45
    assert dialog.isVisible()  # Enter confirms the number, it does not close the dialog


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("model", "/nowhere/model.pt", "There is no model"),
        ("model_folders", ["/nowhere"], "The folder /nowhere does not exist"),
        ("device", "tpu", "is not one of auto, cpu, cuda"),
        ("decode_timeout_s", 0, "is not between 1 and 600"),
    ],
)
def test_that_an_invalid_value_shows_the_reason_and_changes_nothing(
    dialog: SettingsDialog, settings: Settings, key: str, value: object, why: str
) -> None:
    page, before = page_of(dialog, key), settings[key]
    changes: list[str] = []
    dialog.changed.connect(changes.append)
    page.fields[key].edited.emit(value)
    assert why in page.notes[key].text()
    assert page.notes[key].property("role") == "error"
    assert (settings[key], changes) == (before, [])
    page.fields[key].edited.emit(before)
    assert page.notes[key].property("role") == "quiet"


def test_that_folders_are_added_and_removed(
    dialog: SettingsDialog, settings: Settings, tmp_path: Path
) -> None:
    field = page_of(dialog, "model_folders").fields["model_folders"]
    assert isinstance(field, FoldersField)
    field.add(str(tmp_path))
    field.add(str(tmp_path))
    assert settings["model_folders"] == [str(tmp_path)]
    field.list.setCurrentRow(0)
    field._remove()
    assert settings["model_folders"] == []


def test_that_the_keys_have_a_page(dialog: SettingsDialog) -> None:
    dialog.turn_to(KEYS_PAGE)
    assert dialog.stack.currentWidget() is dialog.keys


# In the window


def test_that_the_theme_changes_while_the_window_is_open(
    window: MainWindow, settings: Settings
) -> None:
    window.preferences.show("Window")
    dialog = window.preferences.dialog
    page_of(dialog, "theme").fields["theme"].edited.emit("light")
    assert C.window == LIGHT.window
    dialog.close()
    assert Settings(settings.path)["theme"] == "light"


def test_that_settings_take_effect_at_once(window: MainWindow) -> None:
    window.preferences.show()
    dialog, workspace = window.preferences.dialog, window.workspace
    for key, value in (
        ("hide_identity", True),
        ("heat_map_opacity", 0.8),
        ("heat_map_cutoff", 0.35),
        ("max_megapixels", 50.0),
    ):
        page_of(dialog, key).fields[key].edited.emit(value)
    heat = workspace.findings.heat
    assert workspace.hides_identity
    assert (heat.opacity.value(), heat.cutoff.value()) == (80, 35)
    assert workspace.films._engine.limits.max_megapixels == 50
    dialog.close()


def test_that_a_message_stays_until_settings_can_be_saved(
    window: MainWindow, settings: Settings, tmp_path: Path
) -> None:
    def save() -> list[str]:
        window.preferences.show("Window")
        window.preferences.dialog.close()
        return [message.title for message in window.banners.messages()]

    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder would be")
    settings.path = blocked / "settings.json"
    assert save() == ["settings.json: the settings were not saved"]
    assert str(blocked) in window.banners.messages()[0].text
    blocked.unlink()
    assert save() == []
    assert settings.path.is_file()


def test_that_heat_maps_start_with_the_method_of_the_settings(
    qtbot: QtBot, settings: Settings, engine: Engine, films: Path, bundle: Path, tmp_path: Path
) -> None:
    settings["heat_map_method"] = "input-gradient"
    settings["model"] = str(bundle)
    window = MainWindow(settings, tmp_path / "results")
    qtbot.addWidget(window)
    window.show()
    window.build_panels(SharedEngine(engine))
    workspace = window.workspace
    workspace.heat_maps.set_on(True)  # before a model offers findings
    window.open_paths([films])
    session = workspace.session
    qtbot.waitUntil(lambda: session.radiograph is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: session.model is not None, timeout=WAIT_MS)
    with qtbot.waitSignal(workspace.model_controller.heat_map_ready, timeout=WAIT_MS) as first:
        workspace.model_controller.classify()
    assert first.args[0].method == "input-gradient"
    assert workspace.findings.heat.chosen()[1] == "input-gradient"
    window.preferences.show()
    field = page_of(window.preferences.dialog, "heat_map_method").fields["heat_map_method"]
    with qtbot.waitSignal(workspace.model_controller.heat_map_ready, timeout=WAIT_MS) as second:
        field.edited.emit("occlusion")
    assert second.args[0].method == "occlusion"
    assert workspace.findings.heat.chosen()[1] == "occlusion"
    window.preferences.dialog.close()


def test_that_the_dialog_shows_changes_made_in_the_window(window: MainWindow) -> None:
    window.workspace.findings.heat.opacity.setValue(90)
    window.preferences.show()
    field = page_of(window.preferences.dialog, "heat_map_opacity").fields["heat_map_opacity"]
    assert field.spin.value() == 0.9
    window.preferences.dialog.close()


def test_that_a_changed_key_works_is_shown_and_saved(
    qtbot: QtBot, opened: MainWindow, settings: Settings
) -> None:
    opened.preferences.show(KEYS_PAGE)
    editor = opened.preferences.dialog.keys
    editor.select("invert")
    editor.wait()
    editor.press("Y")
    opened.preferences.dialog.close()
    assert opened.bar.buttons["invert"].toolTip() == "Invert (Y)"
    viewer = opened.workspace.viewer
    qtbot.keyClick(opened, Qt.Key.Key_I)
    assert not viewer.inverted
    qtbot.keyClick(opened, Qt.Key.Key_Y)
    assert viewer.inverted
    assert Settings(settings.path)["shortcuts"] == {"invert": "Y"}


def test_that_a_model_chosen_in_the_dialog_is_loaded(
    qtbot: QtBot, window: MainWindow, bundle: Path
) -> None:
    window.preferences.show("Model")
    page_of(window.preferences.dialog, "model").fields["model"].edited.emit(str(bundle))
    qtbot.waitUntil(lambda: window.workspace.session.model is not None, timeout=WAIT_MS)
    assert window.workspace.session.model.model.path == bundle
    window.preferences.dialog.close()


def test_that_the_sheet_of_keys_opens_the_editor(qtbot: QtBot, window: MainWindow) -> None:
    from xrayview.ui.keys.shortcut_sheet import ShortcutSheet

    window._show_shortcuts()
    sheet = window.findChild(ShortcutSheet)
    sheet._edit()
    assert window.preferences.dialog.stack.currentWidget() is window.preferences.dialog.keys
    window.preferences.dialog.close()


# Values that are requested and values in force


def test_that_a_number_out_of_range_is_refused_with_a_reason(
    qtbot: QtBot, dialog: SettingsDialog, settings: Settings
) -> None:
    dialog.turn_to("Reading")
    page = dialog.pages["Reading"]
    spin, note = page.fields["decode_timeout_s"].spin, page.notes["decode_timeout_s"]
    for typed, why in {
        "9999": "9999 is not between 1 and 600; the value stays 15.",
        "0": "0 is not between 1 and 600; the value stays 15.",
        "-3": "-3 is not between 1 and 600; the value stays 15.",
        "1.5": "1.5 has too many decimals; the value stays 15.",
    }.items():
        spin.selectAll()
        qtbot.keyClicks(spin, typed)
        qtbot.keyClick(spin, Qt.Key.Key_Return)
        assert (note.text(), note.property("role")) == (why, "error")
        assert (settings["decode_timeout_s"], spin.value()) == (15, 15)


def test_that_a_bundle_in_a_listed_folder_is_found_by_its_name(
    dialog: SettingsDialog, settings: Settings, bundle: Path
) -> None:
    page = dialog.pages["Model"]
    page.fields["model_folders"].add(str(bundle.parent))
    page.fields["model"].edited.emit(bundle.stem)
    assert (page.notes["model"].text(), settings["model"]) == ("", bundle.stem)


def test_that_a_missing_folder_is_marked_and_does_not_block_others(
    dialog: SettingsDialog, settings: Settings, tmp_path: Path
) -> None:
    page = dialog.pages["Model"]
    field = page.fields["model_folders"]
    missing, existing = tmp_path / "missing", tmp_path / "existing"
    assert isinstance(field, FoldersField)
    for folder in (missing, existing):
        folder.mkdir()
    field.add(str(missing))
    missing.rmdir()
    field.add(str(existing))
    assert settings["model_folders"] == [str(missing), str(existing)]
    dialog.show_missing("model_folders", [str(missing)])
    assert field.list.item(0).text().endswith("(not found)")
    assert field.remove.isEnabled() is False
    field.list.setCurrentRow(1)
    field.remove.click()
    assert settings["model_folders"] == [str(missing)]


def test_that_the_open_dialog_marks_folders_that_do_not_exist(
    qtbot: QtBot, window: MainWindow, settings: Settings, tmp_path: Path
) -> None:
    settings["model_folders"] = [str(tmp_path / "missing")]
    window.preferences.show("Model")
    field = page_of(window.preferences.dialog, "model_folders").fields["model_folders"]
    qtbot.waitUntil(lambda: "not found" in field.list.item(0).text(), timeout=WAIT_MS)
    window.preferences.dialog.close()


def test_that_an_untrusted_model_asks_a_question_and_is_not_shown_as_in_force(
    qtbot: QtBot, ready: MainWindow, settings: Settings, bundle: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.pt"
    other.write_bytes(bundle.read_bytes() + b"\0")
    ready.preferences.show("Model")
    page = page_of(ready.preferences.dialog, "model")
    page.fields["model"].edited.emit(str(other))
    note = page.notes["model"]
    qtbot.waitUntil(lambda: note.property("role") == "error", timeout=WAIT_MS)
    assert note.text().endswith("Answer the question in the main window.")
    assert (settings["model"], page.fields["model"].text.text()) == (str(bundle), str(bundle))
    ready.preferences.dialog.close()


def test_that_a_missing_device_is_reported_and_the_one_in_force_shown(
    qtbot: QtBot, ready: MainWindow, settings: Settings
) -> None:
    if torch_has_cuda():
        pytest.skip("this machine has the device")
    ready.preferences.show("Model")
    page = page_of(ready.preferences.dialog, "device")
    before = settings["device"]
    page.fields["device"].edited.emit("cuda")
    note = page.notes["device"]
    qtbot.waitUntil(lambda: note.property("role") == "error", timeout=WAIT_MS)
    assert settings["device"] == before
    assert page.fields["device"].list.currentData() == before
    ready.preferences.dialog.close()


def test_that_the_open_dialog_follows_changes_made_in_the_window(
    window: MainWindow,
) -> None:
    window.preferences.show("Heat map")
    dialog = window.preferences.dialog
    window.workspace.findings.heat.opacity.setValue(90)
    window.workspace.set_identity_hidden(True)
    QApplication.sendEvent(dialog, QEvent(QEvent.Type.WindowActivate))
    opacity = page_of(dialog, "heat_map_opacity").fields["heat_map_opacity"]
    hidden = page_of(dialog, "hide_identity").fields["hide_identity"]
    assert (opacity.spin.value(), hidden.box.isChecked()) == (0.9, True)
    dialog.close()


def test_that_the_bundled_model_is_stored_as_an_empty_name() -> None:
    shipped = find_model()
    assert _stored_name(shipped) == ""
    others = [path for path in sorted(shipped.parent.glob("*.pt")) if path != shipped]
    assert [_stored_name(path) for path in others] == [path.stem for path in others]


def torch_has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


def test_that_the_defaults_of_the_model_page_are_restored_together(
    qtbot: QtBot, ready: MainWindow, settings: Settings
) -> None:
    ready.preferences.show("Model")
    page = page_of(ready.preferences.dialog, "model")
    page.restore_defaults()
    model_controller = ready.workspace.model_controller
    qtbot.waitUntil(lambda: not model_controller.loading, timeout=WAIT_MS)
    model = ready.workspace.session.model.model
    assert (model.path, model.device) == (find_model(), "auto")
    assert (settings["model"], settings["device"]) == ("", "auto")
    ready.preferences.dialog.close()
