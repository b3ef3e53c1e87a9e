"""The training tensor equals, bit for bit, the one that the app computes."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydicom.data import get_testdata_file

from training.data.batches import FilmSet, evaluation_batches
from training.data.cache import load_greys
from training.data.manifest import FilmRow
from training.recipes import RECIPES, recipe
from xrayview.io.readers import read_film, read_header
from xrayview.preprocessing.pipeline import Preprocessor


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real DICOM radiograph, and the same film as a JPEG and as a 16-bit PNG."""
    folder = tmp_path_factory.mktemp("films")
    dicom = get_testdata_file("RG1_UNCR.dcm", download=False)
    assert dicom, "pydicom-data is not installed"
    shutil.copy(dicom, folder / "film.dcm")
    radiograph = read_film(read_header(folder / "film.dcm", folder))
    values = radiograph.modality_values()
    share = (values - values.min()) / np.ptp(values)
    pictures = {
        "film.jpeg": (share * 255).astype(np.uint8)[::4, ::4],
        "film.png": (share * 65535).astype(np.uint16)[::4, ::3],
    }
    for name, pixels in pictures.items():
        (folder / name).write_bytes(cv2.imencode(Path(name).suffix, pixels)[1].tobytes())
    return folder


@pytest.mark.parametrize("name", ["film.dcm", "film.jpeg", "film.png"])
@pytest.mark.parametrize("recipe_name", RECIPES)
def test_that_training_tensor_equals_app_tensor(
    folder: Path, name: str, recipe_name: str, tmp_path: Path
):
    preprocessor = Preprocessor(recipe(recipe_name).preprocessing)
    app = preprocessor(read_film(read_header(folder / name, folder))).x_CHW
    row = FilmRow(name, "test", "p", ("normal",), "train", split="train")
    for _ in ("decoded", "read from the cache"):
        films = load_greys([row], folder, preprocessor, tmp_path)
        part = FilmSet(films.greys_NHW, np.array([0]), np.zeros((1, 1), np.float32), (name,))
        (batch,) = evaluation_batches(part, preprocessor, size=4)
        assert batch.x_BCHW.dtype.is_floating_point
        assert np.array_equal(batch.x_BCHW[0].numpy(), app)
    assert app.dtype == np.float32
    assert app.std() > 0.1  # not a blank film
