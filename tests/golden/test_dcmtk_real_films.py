"""All grey films of pydicom and pydicom-data that DCMTK can show in the file's own window."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pydicom.data
import pytest

from xrayview.display.picture import displayed_picture
from xrayview.domain.radiograph import Radiograph
from xrayview.errors import UnreadableFilm
from xrayview.io.readers import read_film, read_header

pytestmark = pytest.mark.skipif(shutil.which("dcmj2pnm") is None, reason="needs DCMTK's dcmj2pnm")
ENOUGH = 6
"""pydicom has seven of them, pydicom-data twelve more."""


def folders() -> Iterator[Path]:
    """Yield the folders of the installed files: pydicom's own look-up would download more."""
    yield Path(pydicom.data.__file__).parent / "test_files"
    if (found := importlib.util.find_spec("data_store")) and found.submodule_search_locations:
        yield Path(found.submodule_search_locations[0]) / "data"


def windowed_films() -> Iterator[Radiograph]:
    for path in sorted(path for folder in folders() for path in folder.glob("*.dcm")):
        try:
            film = read_film(read_header(path, path.parent))
        except UnreadableFilm:
            continue  # the readers have their own tests
        monochrome = film.attributes.get("PhotometricInterpretation", "").startswith("MONO")
        if monochrome and (film.greyscale.windows or film.greyscale.voi_luts):
            yield film


def dcmtk(film: Radiograph, picture: Path) -> np.ndarray | None:
    """None where DCMTK has no decoder, as for JPEG 2000."""
    choice = "+Wl" if film.greyscale.voi_luts else "+Wi"
    command = ["dcmj2pnm", choice, "1", "+op", str(film.ref.path), str(picture)]
    if subprocess.run(command, capture_output=True, check=False, timeout=60).returncode:
        return None
    return cv2.imdecode(np.fromfile(picture, np.uint8), cv2.IMREAD_UNCHANGED)


def test_that_real_films_are_nowhere_more_than_one_grey_level_apart(tmp_path: Path) -> None:
    apart = {}
    for film in windowed_films():
        reference = dcmtk(film, tmp_path / "film.pgm")
        if reference is not None:
            difference = displayed_picture(film).astype(int) - reference
            apart[film.ref.path.name] = int(np.abs(difference).max())
    assert len(apart) >= ENOUGH
    assert {name: levels for name, levels in apart.items() if levels > 1} == {}
