"""Files chosen as a model that are not one are called what they are."""

from __future__ import annotations

import io
import pickle
import tarfile
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from tests.bundles import write_bundle
from xrayview.errors import ModelError
from xrayview.io.model import bundle
from xrayview.io.model.bundle import require_torchscript
from xrayview.services.catalogue import model_ref, trust_model


def picture(suffix: str) -> bytes:
    return cv2.imencode(suffix, np.zeros((8, 8), np.uint8))[1].tobytes()


def archive(**entries: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as written:
        for name, data in entries.items():
            written.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return stream.getvalue()


def tarred() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as written:
        written.addfile(tarfile.TarInfo("storages"), io.BytesIO())
    return stream.getvalue()


def weights(**how: bool) -> bytes:
    stream = io.BytesIO()
    torch.save(nn.Linear(2, 2).state_dict(), stream, **how)
    return stream.getvalue()


def pickled_network() -> bytes:
    stream = io.BytesIO()
    torch.save(nn.Linear(2, 2), stream)
    return stream.getvalue()


HEADER = b'{"weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
FILES = {
    "JPEG": (picture(".jpg"), "a JPEG picture"),
    "PNG": (picture(".png"), "a PNG picture"),
    "DICOM": (bytes(128) + b"DICM" + bytes(64), "a DICOM file"),
    "pickle": (pickle.dumps({"weight": [1.0]}), "a pickle"),
    "weights": (weights(), "torch.save"),
    "old weights": (weights(_use_new_zipfile_serialization=False), "before 1.6"),
    "network": (pickled_network(), "a pickled network"),
    "ONNX": (b"\x08\x07\x12\x07pytorch\x1a\x052.1.0:\x00", "an ONNX model"),
    "safetensors": (len(HEADER).to_bytes(8, "little") + HEADER + bytes(8), "a safetensors file"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(64), "HDF5"),
    "tar": (tarred(), "a tar archive"),
    "page": (b"<!DOCTYPE html><html>404</html>", "a web page"),
    "LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
    "empty": (b"", "an empty file"),
    "text": (b"epoch,loss\n1,0.5\n", "a text"),
    "export": (archive(m__archive_format=b"pt2", m__models__model_dot_json=b"{}"), "torch.export"),
    "arrays": (archive(a_dot_npy=b"x"), "NumPy arrays"),
    "zipped model": (archive(net_dot_pt=b"x"), "unpack it first; net.pt"),
    "zip": (archive(a_dot_txt=b"x"), "a zip archive with other content"),
}


@pytest.mark.parametrize("kind", FILES)
def test_that_a_file_that_is_no_model_is_named_before_trust_is_asked(
    kind: str, tmp_path: Path
) -> None:
    content, text = FILES[kind]
    path = tmp_path / "net.pt"
    path.write_bytes(content)
    for ask in (require_torchscript, model_ref, trust_model):
        with pytest.raises(ModelError) as caught:
            ask(path)
        assert text in caught.value.why
        assert caught.value.hint
        assert caught.value.path == path


def test_that_a_truncated_archive_is_damaged(tmp_path: Path) -> None:
    path = write_bundle(tmp_path / "net.pt")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelError, match="damaged"):
        trust_model(path)


def test_that_an_archive_that_unpacks_to_far_more_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "MAX_UNPACKED", 1 << 20)
    path = tmp_path / "net.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr("m/constants.pkl", b"")
        written.writestr("m/data/0", bytes(4 << 20))
    with pytest.raises(ModelError, match="unpacks to far more than its size"):
        trust_model(path)
    monkeypatch.setattr(bundle, "MAX_UNPACKED", 8 << 20)
    require_torchscript(path)
