"""Masks of data sets: run-length codes, pictures of both lungs, one file for each film."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.training.data.layouts.miniatures import MINIATURES
from training import cli
from training.data.lung_masks import LungMasks
from training.data.mask_files import decode_runs
from xrayview.errors import ExitCode, UsageError


def test_that_runs_go_down_the_columns_from_the_end_of_the_last_run():
    # 4 rows x 3 columns: 1 free, 2 set; 3 free, 4 set; the rest is free.
    expected = [[0, 0, 1], [1, 0, 1], [1, 1, 0], [0, 1, 0]]
    np.testing.assert_array_equal(decode_runs("1 2 3 4", 4, 3), np.array(expected, bool))
    assert not decode_runs("", 4, 3).any()


@pytest.mark.parametrize("code", ["1", "1 2 3", "-1 2", "a b", "5 8", "1.5 2"])
def test_that_a_code_that_does_not_fit_is_refused(code: str):
    with pytest.raises(UsageError, match="does not fit 4 x 3"):
        decode_runs(code, 4, 3)


def films(data: Path, *more: str) -> int:
    return cli.main(["films", "--data", str(data), *more])


def test_that_both_lungs_become_one_mask_that_training_finds(tmp_path: Path):
    MINIATURES["nlm-tb"](tmp_path / "data")
    name = "MCUCXR_0001_0"
    for side, columns in (("left", slice(0, 10)), ("right", slice(30, 40))):
        mask = np.zeros((40, 48), np.uint8)
        mask[:, columns] = 255
        path = tmp_path / f"data/ManualMask/{side}Mask/{name}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(cv2.imencode(".png", mask)[1].tobytes())
    assert films(tmp_path / "data", "--masks", str(tmp_path / "masks")) == ExitCode.OK
    lungs = LungMasks(tmp_path / "masks").load_mask(f"CXR_png/{name}.png")
    assert lungs is not None
    assert lungs.sum() == 40 * 20
    assert lungs[:, :10].all()


def test_that_lesions_are_written_and_nothing_is_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    MINIATURES["siim"](tmp_path / "data")
    options = ("--masks", str(tmp_path / "masks"), "--of", "pneumothorax")
    assert films(tmp_path / "data", *options) == ExitCode.OK
    assert "1 masks written" in capsys.readouterr().out
    (file,) = (tmp_path / "masks").iterdir()
    assert file.name == "1.2.4.13.png"
    mask = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    assert mask.shape == (1024, 1024)
    assert (mask > 0).sum() == 20 + 22 + 5
    assert films(tmp_path / "data", *options) == ExitCode.USAGE
    assert "already exists" in capsys.readouterr().err
    assert films(tmp_path / "data", "--masks", str(tmp_path / "m")) == ExitCode.USAGE
    assert "there are masks of Pneumothorax" in capsys.readouterr().err
