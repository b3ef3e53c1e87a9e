"""What is in the frozen program, on all systems: one table per question.

The specs, the checks of the finished folder and `tests/unit/build_spec` read these tables. Nothing
here imports PyInstaller. Names of modules cover their submodules; names of files are patterns of
`fnmatch` over the path inside the folder of libraries, with `/` on all systems.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).parents[1]
WINDOW = "XrayView"
"""The program of the window, and the folder of both programs."""
IDENTIFIER = "org.xrayview.XrayView"
DEVICES = ("cpu", "cuda")


@dataclass(frozen=True)
class Flavour:
    """What is built: for which device, and whether models can be trained with it."""

    device: str = "cpu"
    train: bool = False

    @property
    def suffix(self) -> str:
        """What packages of this flavour add to their names: `-cuda-train`; empty for the usual."""
        return ("" if self.device == "cpu" else f"-{self.device}") + ("-train" * self.train)


def flavour_of(environment: Mapping[str, str] = os.environ) -> Flavour:
    """Return the flavour that XRAYVIEW_DEVICE and XRAYVIEW_TRAIN name. Raises: ValueError."""
    device = environment.get("XRAYVIEW_DEVICE") or "cpu"
    if device not in DEVICES:
        raise ValueError(f"XRAYVIEW_DEVICE is {device!r}; it may be {' or '.join(DEVICES)}")
    return Flavour(device, environment.get("XRAYVIEW_TRAIN", "") not in ("", "0"))


@dataclass(frozen=True)
class Omission:
    """Modules or files that are left out, and why nothing misses them."""

    names: tuple[str, ...]
    why: str
    trains: bool = False
    """Training needs them: the `train` flavour has them."""


COLLECTED = ("xrayview", "pydicom.pixels", "dicomanonymizer", "unittest", "asyncio")
"""With all their modules, since some are named by a string only, as decoders are."""
COLLECTED_TO_TRAIN = ("training", "lightning_fabric", "torchvision")
HIDDEN = (
    "PySide6.support.deprecated",
    "gdcm",
    "openjpeg",
    "_openjpeg",
    "jpeg_ls",
    "_CharLS",
    "rle",
)
REPLACEABLE = ("pebble", "PySide6", "shiboken6")
"""Python packages under the LGPL: files of their own outside of the archive of modules."""
METADATA = ("xrayview",)
"""Beside the metadata of every distribution of which a file is collected."""

RESOURCES = ROOT / "resources"
RESOURCES_LEFT_OUT = ("screenshots",)
DATA = {
    f"resources/{folder.name}": f"resources/{folder.name}"
    for folder in sorted(RESOURCES.iterdir())
    if folder.is_dir() and folder.name not in RESOURCES_LEFT_OUT
} | {"LICENSE": "resources"}
"""Of the source tree, and where it goes."""
DATA_TO_TRAIN = {"training/report/templates": "training/report/templates"}

# These hooks load Qt in every process, also in workers and for `--help`. Qt finds its plug-ins
# without them, and no process of pyqtgraph's own is used.
RUNTIME_HOOKS_LEFT_OUT = ("pyi_rth_pyside6", "pyi_rth_pyqtgraph_multiprocess")

MODULES_LEFT_OUT = (
    Omission(("readline", "rlcompleter"), "links GNU readline (GPL-3)"),
    Omission(("_gdbm", "dbm.gnu"), "links GNU dbm (GPL-3)"),
    Omission(("tkinter", "_tkinter", "turtle", "idlelib"), "another toolkit"),
    Omission(("curses", "_curses", "_curses_panel"), "nothing draws in the terminal"),
    Omission(
        ("pip", "ensurepip", "setuptools", "pkg_resources", "wheel", "distutils",
         "_distutils_hack", "venv"),
        "for installing",
    ),
    Omission(
        ("pydoc_data", "lib2to3", "test", "IPython", "pytest", "numpy.f2py",
         "numpy.distutils", "pyqtgraph.examples"),
        "for developing",
    ),
    Omission(
        ("PyQt5", "PyQt6", "PySide2", "OpenGL", "cupy", "numba", "h5py"),
        "alternatives that pyqtgraph tries",
    ),
    Omission(
        ("pyqtgraph.opengl", "pyqtgraph.console", "pyqtgraph.jupyter", "pyqtgraph.flowchart",
         "pyqtgraph.canvas", "pyqtgraph.dockarea", "pyqtgraph.multiprocess"),
        "parts of pyqtgraph without use here",
    ),
    Omission(
        ("PySide6.QtNetwork", "PySide6.QtTest", "PySide6.QtOpenGL", "PySide6.QtOpenGLWidgets",
         "PySide6.QtDBus", "PySide6.QtSql", "PySide6.QtQml", "PySide6.QtQuick", "PySide6.QtXml",
         "PySide6.QtPrintSupport", "PySide6.QtHelp", "PySide6.QtDesigner", "PySide6.QtUiTools",
         "PySide6.QtConcurrent"),
        "the window has widgets and local files only",
    ),
    Omission(
        ("torch._inductor", "torch._dynamo", "torch.onnx", "functorch", "triton",
         "torch.utils.tensorboard", "torch.utils.benchmark", "torch.utils.bottleneck",
         "torch.distributed.elastic", "torch.distributed.fsdp", "torch.distributed.pipelining",
         "torch.distributed.checkpoint", "torch.distributed.tensor", "torch.distributed.optim",
         "torch.distributed.launcher", "torch.distributed.run", "torch.distributed.launch"),
        "compiling networks, and training on many machines",
        trains=True,
    ),
    Omission(
        ("sympy", "mpmath", "networkx", "fsspec"),
        "torch needs them to compile networks",
        trains=True,
    ),
    Omission(("sqlite3", "_sqlite3"), "nothing is in a database", trains=True),
    Omission(
        ("training", "torchvision", "matplotlib", "scipy", "sklearn", "pandas",
         "lightning_fabric", "lightning_utilities", "tensorboard", "joblib"),
        "for training",
        trains=True,
    ),
    Omission(("openvino",), "torch gives the same scores, on fewer films per second"),
    Omission(
        ("pyarrow", "distributed", "dask", "dask_jobqueue", "tornado"),
        "Parquet tables and computing clusters, for an installation with pip",
    ),
)  # fmt: skip

FILES_LEFT_OUT = (
    Omission(
        ("*.a", "*.lib", "*.h", "*.hpp", "*.cuh", "*.cmake", "*.pyi", "torch/include/*",
         "torch/share/*"),
        "for compilers",
    ),
    Omission(
        ("torch/bin/protoc*", "torch/bin/test_*", "torch/bin/*Test*", "torch/bin/*_test",
         "torch/bin/*.ptl"),
        "programs of torch's build; its manager of shared memory stays",
    ),
    Omission(
        ("torch/test/*", "torch/testing/*.py", "*/tests/*", "pydicom/data/test_files/*"),
        "tests of packages",
    ),
    Omission(("PySide6/Qt/translations/*", "PySide6/translations/*"), "the window is in English"),
    Omission(
        ("*/platformthemes/*gtk3*", "*/platforms/*eglfs*", "*/platforms/*linuxfb*",
         "*/platforms/*minimal*", "*/platforms/*vnc*", "*/platforms/*vkkhrdisplay*",
         "*/egldeviceintegrations/*", "*/generic/*", "*/networkinformation/*", "*/tls/*",
         "*/qmltooling/*", "*/sqldrivers/*", "*/printsupport/*"),
        "plug-ins for other screens than a desktop's, and for parts of Qt that are left out",
    ),
    Omission(
        ("*/wayland-shell-integration/*fullscreen*", "*/wayland-shell-integration/*ivi*",
         "*/wayland-shell-integration/*qt-shell*", "*/wayland-graphics-integration-client/*"),
        "for kiosks and for drawing by the graphics card",
    ),
    Omission(
        ("*/imageformats/*icns*", "*/imageformats/*tga*", "*/imageformats/*tiff*",
         "*/imageformats/*wbmp*", "*/imageformats/*webp*", "*/imageformats/*gif*"),
        "pictures of films are decoded by workers without Qt",
    ),
    Omission(("*/platforminputcontexts/*virtualkeyboard*", "*VirtualKeyboard*"), "GPL-3"),
    Omission(
        ("*.dist-info/RECORD", "*.dist-info/INSTALLER", "*.dist-info/REQUESTED",
         "*.dist-info/direct_url.json", "*.dist-info/uv_*"),
        "how the build machine was set up",
    ),
)  # fmt: skip

STRIPPED = ("torch/lib/libtorch_cpu.so", "torch/lib/libtorch_python.so", "libpython3*",
            "_CharLS*.so", "_openjpeg*.so")  # fmt: skip
"""Libraries that lose their symbols, on Linux. Stripping all of them breaks numpy's OpenBLAS."""

GPL_LIBRARIES = (
    "*libx264*", "*libx265*", "*libxvid*", "*libreadline*", "*libgdbm*", "*libpoppler*",
    "*libfftw3*", "*libgsl*", "*libpostproc*", "*librubberband*", "*libvidstab*",
    "*VirtualKeyboard*", "*virtualkeyboard*", "*Qt6Charts*", "*Qt6NetworkAuth*",
    "*Qt6DataVisualization*", "*libjpeg.cpython*", "*_libjpeg*",
)  # fmt: skip
"""Files of libraries under the GPL without an exception; none may be inside."""


def modules_left_out(flavour: Flavour) -> tuple[str, ...]:
    """Return the names of modules that are left out with all their submodules."""
    return _names(MODULES_LEFT_OUT, flavour)


def files_left_out(flavour: Flavour) -> tuple[str, ...]:
    """Return the patterns of files that are left out."""
    return _names(FILES_LEFT_OUT, flavour)


def is_left_out(module: str, flavour: Flavour) -> bool:
    """True for a module that is left out, by its own name or by a package that it is in."""
    return any(
        module == name or module.startswith(f"{name}.") for name in modules_left_out(flavour)
    )


def is_file_left_out(path: str, flavour: Flavour) -> bool:
    """True for a file that is left out, by its pattern or with the package that it is in."""
    package = ".".join(Path(path).parent.parts)
    return is_left_out(package, flavour) or matches(path, files_left_out(flavour))


def collected(flavour: Flavour) -> tuple[str, ...]:
    """Return the packages that are collected with all their modules."""
    return COLLECTED + (COLLECTED_TO_TRAIN if flavour.train else ())


def data(flavour: Flavour) -> dict[str, str]:
    """Return the files and folders of the source tree that are inside, and their folders there."""
    return DATA | (DATA_TO_TRAIN if flavour.train else {})


def matches(path: str, patterns: Iterable[str]) -> bool:
    """True where a path inside the folder of libraries matches one of the patterns."""
    plain = path.replace("\\", "/")
    return any(fnmatchcase(plain, pattern) for pattern in patterns)


def _names(table: Iterable[Omission], flavour: Flavour) -> tuple[str, ...]:
    return tuple(name for row in table if not (row.trains and flavour.train) for name in row.names)
