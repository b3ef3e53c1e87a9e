"""The tables of what is in the frozen program."""

from __future__ import annotations

import subprocess
import tomllib
from fnmatch import fnmatchcase

import pytest

from build_spec import recipe, requirements
from build_spec.recipe import ROOT, Flavour, flavour_of
from build_spec.system_licences import SYSTEM_LICENCES
from xrayview.services.parts import is_gpl_only

PLAIN, TRAIN = Flavour(), Flavour(train=True)


def test_that_the_flavour_comes_from_the_environment() -> None:
    assert flavour_of({}) == PLAIN
    assert flavour_of({"XRAYVIEW_DEVICE": "cuda", "XRAYVIEW_TRAIN": "1"}) == Flavour("cuda", True)
    assert flavour_of({"XRAYVIEW_TRAIN": "0"}) == PLAIN


def test_that_an_unknown_device_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match="'rocm'; it may be cpu or cuda"):
        flavour_of({"XRAYVIEW_DEVICE": "rocm"})


def test_that_packages_of_a_flavour_have_a_name_of_their_own() -> None:
    names = {Flavour(d, t).suffix for d in recipe.DEVICES for t in (False, True)}

    assert names == {"", "-train", "-cuda", "-cuda-train"}


@pytest.mark.parametrize(
    "module",
    ["readline", "torch._dynamo", "torch._dynamo.config", "sympy.core", "PySide6.QtNetwork", "pip"],
)
def test_that_a_module_is_left_out_with_its_submodules(module: str) -> None:
    assert recipe.is_left_out(module, PLAIN)


@pytest.mark.parametrize(
    "module",
    ["torch", "torch.distributed.rpc", "torch.testing._internal", "torch.ao", "PySide6.QtWidgets",
     "pipeline", "unittest", "jinja2"],
)  # fmt: skip
def test_that_what_is_needed_stays(module: str) -> None:
    assert not recipe.is_left_out(module, PLAIN)


@pytest.mark.parametrize("module", ["training.cli", "torchvision", "scipy.stats", "sympy"])
def test_that_only_the_train_flavour_has_what_training_needs(module: str) -> None:
    assert recipe.is_left_out(module, PLAIN)
    assert not recipe.is_left_out(module, TRAIN)


@pytest.mark.parametrize("module", ["readline", "_gdbm"])
def test_that_no_flavour_has_what_is_under_the_gpl(module: str) -> None:
    assert recipe.is_left_out(module, TRAIN)


@pytest.mark.parametrize(
    "file",
    [
        "torch/include/ATen/ATen.h",
        "torch/lib/libprotobuf.a",
        "torch/test/test_api",
        "torch/testing/_internal/common_methods_invocations.py",
        "torch/bin/protoc",
        "torch/_inductor/kernel/templates/triton_mm.py.jinja",
        "PySide6/Qt/translations/qt_de.qm",
        "PySide6/Qt/plugins/platformthemes/libqgtk3.so",
        "PySide6\\plugins\\sqldrivers\\qsqlite.dll",
        "torch-2.13.0.dist-info/RECORD",
        "numpy/_core/tests/data.csv",
    ],
)
def test_that_files_are_left_out(file: str) -> None:
    assert recipe.is_file_left_out(file, PLAIN)


@pytest.mark.parametrize(
    "file",
    [
        "torch/lib/libtorch_cpu.so",
        "torch/bin/torch_shm_manager",
        "torch/nn/functional.py",
        "PySide6/Qt/plugins/platforms/libqxcb.so",
        "PySide6/Qt/plugins/platforms/libqoffscreen.so",
        "PySide6/Qt/plugins/platforms/libqwayland.so",
        "PySide6/Qt/plugins/imageformats/libqsvg.so",
        "torch-2.13.0.dist-info/licenses/LICENSE",
        "resources/models/paediatric-pneumonia.pt",
    ],
)
def test_that_files_stay(file: str) -> None:
    assert not recipe.is_file_left_out(file, PLAIN)


def test_that_all_that_ships_is_inside_but_the_screenshots() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "resources"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    folders = {name.split("/")[1] for name in listed.stdout.splitlines()}
    inside = {name.split("/")[1] for name in recipe.data(PLAIN) if name.startswith("resources/")}

    assert inside == folders - {"screenshots"}


def test_that_the_recipe_names_what_exists() -> None:
    assert all((ROOT / source).exists() for source in recipe.data(TRAIN))


def test_that_each_omission_has_a_reason_and_no_row_repeats_another() -> None:
    rows = (*recipe.MODULES_LEFT_OUT, *recipe.FILES_LEFT_OUT)
    names = [name for row in rows for name in row.names]

    assert all(row.why for row in rows)
    assert len(names) == len(set(names))


def test_that_data_files_of_our_packages_are_inside() -> None:
    """Pages made from templates, for example: PyInstaller collects modules only."""
    found = {
        path.parent.relative_to(ROOT).as_posix()
        for package in ("xrayview", "training")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc", ".md", ".so")
    }

    assert found <= recipe.data(TRAIN).keys()


def test_that_no_system_library_is_under_the_gpl() -> None:
    assert not [name for name, licence in SYSTEM_LICENCES.items() if is_gpl_only(licence)]


@pytest.mark.parametrize(
    "file",
    ["opencv_python_headless.libs/libx264-1.so", "libreadline.so.8",
     "PySide6/Qt/plugins/platforminputcontexts/libqtvirtualkeyboardplugin.so",
     "PySide6/Qt/lib/libQt6VirtualKeyboard.so.6"],
)  # fmt: skip
def test_that_libraries_under_the_gpl_are_known(file: str) -> None:
    assert any(fnmatchcase(file, pattern) for pattern in recipe.GPL_LIBRARIES)


def test_that_the_requirements_are_those_of_the_project_without_torch() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    plain = requirements.requirements(PLAIN)

    assert {requirements.name_of(row) for row in project["dependencies"]} - {"torch"} <= {
        requirements.name_of(row) for row in plain
    }
    assert not {"torch", "torchvision"} & {requirements.name_of(row) for row in plain}
    assert "torchvision" in {requirements.name_of(row) for row in requirements.requirements(TRAIN)}
