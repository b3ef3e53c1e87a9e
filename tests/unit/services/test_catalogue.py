"""The catalogue of models and the trust in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bundles import write_bundle
from xrayview.errors import ModelError, ModelNotTrusted
from xrayview.io.model.bundle import sha256_of
from xrayview.services import catalogue
from xrayview.services.catalogue import find_model, list_models, model_ref, trust_model


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "resources"
    (folder / "models").mkdir(parents=True)
    monkeypatch.setattr(catalogue, "resource", folder.joinpath)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return folder / "models"


def test_that_shipped_models_come_first_and_broken_ones_have_an_error(
    shipped: Path, tmp_path: Path
) -> None:
    write_bundle(shipped / "small.pt")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "a-text.pt").write_text("no model")
    entries = list_models([mine])
    assert [(e.name, e.shipped) for e in entries] == [("small", True), ("a-text", False)]
    assert entries[0].card is not None
    assert entries[0].card.name == "tiny"
    assert entries[1].card is None
    assert isinstance(entries[1].error, ModelError)


def test_that_a_model_is_found_by_path_by_name_or_as_the_default(
    shipped: Path, tmp_path: Path
) -> None:
    write_bundle(shipped / "small-er.pt")
    small = write_bundle(shipped / "small.pt")
    elsewhere = write_bundle(tmp_path / "elsewhere.pt")
    assert find_model() == small
    assert find_model("small") == small
    assert find_model("small.pt") == small
    assert find_model(str(elsewhere)) == elsewhere
    assert find_model("elsewhere", [tmp_path]) == elsewhere


def test_that_the_error_of_a_missing_model_lists_the_known_ones(shipped: Path) -> None:
    with pytest.raises(ModelError, match="known models: none"):
        find_model()
    write_bundle(shipped / "small.pt")
    with pytest.raises(ModelError, match="known models: small"):
        find_model("large")


def test_that_a_shipped_model_is_trusted_by_its_hash(shipped: Path) -> None:
    small = write_bundle(shipped / "small.pt")
    (shipped / "SHA256SUMS").write_text(f"{sha256_of(small)}  small.pt\n")
    ref = model_ref(small, "cpu")
    assert (ref.path, ref.sha256, ref.device) == (small, sha256_of(small), "cpu")
    write_bundle(small, version="1.1")
    with pytest.raises(ModelNotTrusted):
        model_ref(small)


def test_that_any_other_model_must_be_trusted_once_per_hash(shipped: Path, tmp_path: Path) -> None:
    mine = write_bundle(tmp_path / "mine.pt")
    with pytest.raises(ModelNotTrusted, match=sha256_of(mine)):
        model_ref(mine)
    trust_model(mine)
    assert model_ref(mine).sha256 == sha256_of(mine)
    with mine.open("ab") as stream:
        stream.write(b"\0")
    with pytest.raises(ModelNotTrusted):
        model_ref(mine)


def test_that_trust_that_cannot_be_saved_names_the_file_and_the_reason(
    shipped: Path, tmp_path: Path
) -> None:
    mine = write_bundle(tmp_path / "mine.pt")
    (tmp_path / "config").write_text("a file where the folder would be")
    with pytest.raises(ModelError, match=r"mine\.pt.*trusted_models\.json.*writable") as caught:
        trust_model(mine)
    assert str(tmp_path / "config") in caught.value.hint
    with pytest.raises(ModelNotTrusted):
        model_ref(mine)


def test_that_a_damaged_trust_file_trusts_nothing(shipped: Path, tmp_path: Path) -> None:
    mine = write_bundle(tmp_path / "mine.pt")
    trust_model(mine)
    (tmp_path / "config" / "xrayview" / "trusted_models.json").write_text("{")
    with pytest.raises(ModelNotTrusted):
        model_ref(mine)


def test_that_a_damaged_trust_file_is_copied_before_it_is_replaced(
    shipped: Path, tmp_path: Path
) -> None:
    mine = write_bundle(tmp_path / "mine.pt")
    trust_model(mine)
    folder = tmp_path / "config" / "xrayview"
    (folder / "trusted_models.json").write_text('{"abc": ')
    trust_model(mine)
    model_ref(mine)
    (copy,) = folder.glob("trusted_models.2*.json")
    assert copy.read_text() == '{"abc": '
