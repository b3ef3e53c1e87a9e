"""Reading a model file without running it; other files are refused with the reason."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bundles import export, network_for, tiny_card, write_bundle
from xrayview.domain.model import ModelCard
from xrayview.errors import ExitCode, ModelError
from xrayview.io.model import bundle
from xrayview.io.model.bundle import card_to_json, read_card, read_extra, sha256_of, sidecar_of


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("bundle") / "good.pt")


def without_card(path: Path) -> Path:
    return export(network_for(tiny_card()), path, tiny_card(), extra={})


def test_that_the_card_of_a_bundle_is_read(good: Path) -> None:
    assert read_card(good) == tiny_card()


def test_that_reading_a_card_does_not_import_torch(good: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from xrayview.io.model.bundle import read_card;"
        "read_card(Path(sys.argv[1])); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(good)], check=True)


def test_that_a_bundle_may_be_renamed(good: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "Name mit Umlaut ä.pt"
    renamed.write_bytes(good.read_bytes())
    assert read_card(renamed) == tiny_card()


def test_that_the_hash_is_that_of_the_bytes(good: Path) -> None:
    assert sha256_of(good) == hashlib.sha256(good.read_bytes()).hexdigest()


def test_that_extra_files_are_read_by_name(tmp_path: Path) -> None:
    path = export(
        network_for(tiny_card()), tmp_path / "a.pt", tiny_card(), extra={"gate.npz": b"x"}
    )
    assert read_extra(path, "gate.npz") == b"x"
    assert read_extra(path, "other") is None


def refusal(path: Path) -> ModelError:
    with pytest.raises(ModelError) as caught:
        read_card(path)
    error = caught.value
    assert error.path is not None
    assert error.path.name in str(error)
    assert error.why
    assert error.hint
    assert error.exit_code == ExitCode.MODEL
    return error


def test_that_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "missing" in refusal(tmp_path / "none.pt").what
    with pytest.raises(ModelError, match="missing"):
        sha256_of(tmp_path / "none.pt")


def test_that_a_folder_is_not_a_model(tmp_path: Path) -> None:
    assert "missing" in refusal(tmp_path).what


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs on this platform")
def test_that_a_fifo_does_not_hang_the_reader(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pt")
    assert "missing" in refusal(tmp_path / "pipe.pt").what


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"", "an empty file"), (b"hello", "a text"), (b"\x00" * 4096, "not a zip archive")],
)
def test_that_a_file_that_is_not_an_archive_is_refused(
    tmp_path: Path, content: bytes, kind: str
) -> None:
    path = tmp_path / "text.pt"
    path.write_bytes(content)
    assert refusal(path).why == f"it is {kind}"


def test_that_an_archive_with_other_content_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "films.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("films/extra/model_card.json", "{}")
    assert "archive with other content" in refusal(path).why


def test_that_an_empty_archive_is_refused(tmp_path: Path) -> None:
    zipfile.ZipFile(tmp_path / "empty.pt", "w").close()
    assert "an empty archive" in refusal(tmp_path / "empty.pt").why


def test_that_weights_without_a_model_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    torch.save({"weight": torch.zeros(3)}, path)
    assert "weights" in refusal(path).what


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_that_a_truncated_bundle_is_refused(good: Path, tmp_path: Path, share: float) -> None:
    path = tmp_path / "cut.pt"
    content = good.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert "damaged" in refusal(path).what


def test_that_a_model_without_a_card_is_refused_naming_the_sidecar(tmp_path: Path) -> None:
    error = refusal(without_card(tmp_path / "described.pt"))
    assert "no card" in error.what
    assert "described.card.json" in error.hint


def test_that_a_sidecar_is_the_card_of_a_model_without_one(tmp_path: Path) -> None:
    path = without_card(tmp_path / "described.pt")
    sidecar_of(path).write_text(json.dumps(card_to_json(tiny_card(name="described"))))
    assert read_card(path).name == "described"


def test_that_the_card_inside_takes_precedence_over_a_sidecar(good: Path, tmp_path: Path) -> None:
    path = tmp_path / "good.pt"
    path.write_bytes(good.read_bytes())
    sidecar_of(path).write_text(json.dumps(card_to_json(tiny_card(name="other"))))
    assert read_card(path).name == "tiny"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ('{"schema": NaN}', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not valid"),
        ("null", "not valid"),
    ],
)
def test_that_a_card_that_is_not_a_json_object_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    extra = {"model_card.json": text}
    path = export(network_for(tiny_card()), tmp_path / "a.pt", tiny_card(), extra=extra)
    assert message in refusal(path).what


def test_that_a_card_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = without_card(tmp_path / "a.pt")
    sidecar_of(path).write_bytes(b'{"name": "\xff"}')
    assert "not JSON" in refusal(path).what


def test_that_problems_of_a_sidecar_are_reported_with_its_path(tmp_path: Path) -> None:
    path = without_card(tmp_path / "a.pt")
    sidecar_of(path).write_text("{}")
    error = refusal(path)
    assert error.path == sidecar_of(path)
    assert "findings: missing" in error.why


def test_that_a_card_is_not_read_beyond_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "MAX_CARD_BYTES", 100)
    assert "too large" in refusal(write_bundle(tmp_path / "a.pt")).what
    path = without_card(tmp_path / "b.pt")
    sidecar_of(path).write_text(" " * 101)
    assert "too large" in refusal(path).what


def test_that_a_decompression_bomb_is_not_expanded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/constants.pkl", "")
        archive.writestr("m/extra/model_card.json", b" " * (bundle.MAX_CARD_BYTES * 4))
    assert "too large" in refusal(path).what


@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150
)
@given(st.data())
def test_that_a_damaged_bundle_is_read_or_refused(
    good: Path, tmp_path: Path, data: st.DataObject
) -> None:
    content = bytearray(good.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.pt"
    path.write_bytes(content)
    with suppress(ModelError):
        assert isinstance(read_card(path), ModelCard)
