"""Make the files of the self-test: a tiny film for each codec, and the default model's scores.

    python -m tests.self_test_samples [codecs] [scores]

Needs `dcmcjpeg` of DCMTK for JPEG lossless and JPEG Extended. Lossless codecs are recorded with the
hash of what was encoded, never of what a decoder returns. Run `scores` after a bundle has changed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from pydicom import dcmread
from pydicom.encaps import generate_frames
from pydicom.pixels import get_encoder
from pydicom.uid import JPEG2000Lossless, JPEGLSNearLossless

from tests.builders import (
    ENCODERS,
    NATIVE_SYNTAXES,
    Array,
    phantom,
    write_dicom,
    write_encapsulated,
    write_raster,
)
from tests.htj2k_frame import HTJ2K_FRAME
from xrayview.domain.radiograph import Radiograph
from xrayview.engine.client import Engine
from xrayview.io.readers import read_film, read_header
from xrayview.services.catalogue import list_models, model_ref
from xrayview.services.resources import resource
from xrayview.services.self_test.codecs import CODECS, pixel_hash
from xrayview.services.self_test.scores import SCORES, recorded

FOLDER = resource("self_test", "codecs")
DEEP, SHALLOW = phantom(48, 40, bits=12), phantom(48, 40, bits=8)
_DICOM = "1.2.840.10008.1.2"
_DCMCJPEG = {f"{_DICOM}.4.51": "+ee", f"{_DICOM}.4.57": "+el", f"{_DICOM}.4.70": "+e1"}
_TAGS = {"PatientName": "Codec^Sample", "PatientID": "CODEC"}


def write_codecs() -> None:
    """Write a film for each codec, and the table of hashes."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    table = {}
    for name, (write, source) in _writers().items():
        path = FOLDER / name
        write(path)
        film = read_film(read_header(path, FOLDER))
        assert isinstance(film, Radiograph)
        decoded = pixel_hash(film.pixels_HW)
        table[name] = decoded if source is None else pixel_hash(source)
        assert table[name] == decoded, f"{name} is not decoded as it was encoded"
    resource(*CODECS).write_text(f"{json.dumps(table, indent=1)}\n", encoding="utf-8")


def _writers() -> dict[str, tuple[Callable[[Path], object], Array | None]]:
    """Each file's writer, and what lossless decoding must return."""
    writers: dict[str, tuple[Callable[[Path], object], Array | None]] = {}
    for uid in (*NATIVE_SYNTAXES, *ENCODERS):
        writers[f"{uid}.dcm"] = lambda path, uid=uid: _write_native(path, uid), DEEP
    for uid, option in _DCMCJPEG.items():
        source = None if option == "+ee" else DEEP
        writers[f"{uid}.dcm"] = lambda path, option=option: _write_by_dcmtk(path, option), source
    for uid in (f"{_DICOM}.4.{n}" for n in (201, 202, 203)):
        writers[f"{uid}.dcm"] = _encapsulated(uid, lambda: HTJ2K_FRAME), DEEP
    writers[f"{_DICOM}.4.91.dcm"] = _encapsulated(f"{_DICOM}.4.91", _jpeg_2000), DEEP
    writers[f"{_DICOM}.4.81.dcm"] = _encapsulated(f"{_DICOM}.4.81", _near_lossless), None
    writers[f"{_DICOM}.4.50.dcm"] = _write_baseline, None
    deep = (DEEP << 4).astype(np.uint16)
    writers["grey.png"] = lambda path: write_raster(path, deep), deep
    writers["grey.tif"] = lambda path: write_raster(path, deep), deep
    writers["grey.jpg"] = lambda path: write_raster(path, SHALLOW), None
    return writers


def _write_native(path: Path, uid: str) -> None:
    write_dicom(path, DEEP, bits_stored=12, transfer_syntax=uid, **_TAGS)


def _write_by_dcmtk(path: Path, option: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder, "plain.dcm")
        write_dicom(plain, DEEP, bits_stored=12, **_TAGS)
        subprocess.run(["dcmcjpeg", option, "+un", plain, path], check=True)


def _encapsulated(uid: str, frame: Callable[[], bytes]) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        write_encapsulated(path, [frame()], DEEP, transfer_syntax=uid, bits_stored=12, **_TAGS)

    return write


def _jpeg_2000() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = write_dicom(Path(folder, "f.dcm"), DEEP, transfer_syntax=JPEG2000Lossless,
                           bits_stored=12)  # fmt: skip
        return next(generate_frames(dcmread(path).PixelData, number_of_frames=1))


def _near_lossless() -> bytes:
    encoder = get_encoder(JPEGLSNearLossless)
    return encoder.encode(
        DEEP, encoding_plugin="pyjpegls", rows=48, columns=40, number_of_frames=1,
        samples_per_pixel=1, photometric_interpretation="MONOCHROME2", bits_allocated=16,
        bits_stored=12, pixel_representation=0, jls_error=2,
    )  # fmt: skip


def _write_baseline(path: Path) -> None:
    _, data = cv2.imencode(".jpg", SHALLOW)
    write_encapsulated(path, [data.tobytes()], SHALLOW, transfer_syntax=f"{_DICOM}.4.50", **_TAGS)


def write_scores() -> None:
    """Record what each shipped bundle scores on the sample study, on the CPU."""
    with Engine(1, spare_workers=0) as engine:
        models = {
            (ref := model_ref(entry.path, "cpu")).sha256: recorded(engine, ref, threading.Event())
            for entry in list_models()
            if entry.shipped
        }
    resource(*SCORES).write_text(f"{json.dumps(models, indent=1)}\n", encoding="utf-8")


def main() -> None:
    names = sys.argv[1:] or ["codecs", "scores"]
    for name in names:
        {"codecs": write_codecs, "scores": write_scores}[name]()


if __name__ == "__main__":
    main()
