"""Films of the JSRT database, which have no header."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.builders import write_jsrt
from xrayview.domain.radiograph import SpacingKind
from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.io.raster.jsrt import FILE_BYTES
from xrayview.io.readers import read_film, read_header, read_stored_values


def test_that_a_film_has_the_values_spacing_and_greyscale_of_the_database(tmp_path: Path) -> None:
    path = write_jsrt(tmp_path / "JPCLN001.IMG")
    film = read_film(read_header(path, tmp_path))
    assert (film.ref.rows, film.ref.columns, film.ref.format) == (2048, 2048, "jsrt")
    expected_HW = np.fromfile(path, ">u2").reshape(2048, 2048)
    np.testing.assert_array_equal(film.pixels_HW, expected_HW)
    assert film.greyscale.inverted
    assert film.greyscale.bits_stored == 12
    assert (film.spacing.row_mm, film.spacing.kind) == (0.175, SpacingKind.SCANNER)
    assert read_stored_values(path).shape == (2048, 2048)


@pytest.mark.parametrize(
    "content", [bytes(FILE_BYTES - 2), bytes(FILE_BYTES + 2), b"\x10" * FILE_BYTES, b"\x00\x01" * 9]
)
def test_that_other_binary_files_are_no_films(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "film.IMG"
    path.write_bytes(content)
    with pytest.raises(UnreadableFilm) as caught:
        read_header(path, tmp_path)
    assert caught.value.code is StatusCode.NOT_AN_IMAGE
    assert "DICOM, PNG, JPEG or TIFF" in caught.value.hint
