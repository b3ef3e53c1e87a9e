"""What the checks of a frozen folder read: the list of contents, sizes, and forbidden files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from build_spec.contents import Contents, Inside, Layout, components, read_contents, total
from build_spec.loaded import is_worker, module_of, source_of


def folder_with(root: Path, files: dict[str, int]) -> Layout:
    for name, size in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
    return Layout(root, root, root / "_internal")


def test_that_sizes_are_by_component_largest_first_and_links_count_once(tmp_path: Path) -> None:
    layout = folder_with(
        tmp_path,
        {
            "XrayView": 50,
            "_internal/torch/lib/libtorch.so": 400,
            "_internal/torch/lib/libc10.so": 100,
            "_internal/libxcb.so.1": 30,
            "_internal/resources/models/a.pt": 60,
            "_internal/python3.11/lib-dynload/math.so": 20,
        },
    )
    (tmp_path / "xrayview").hardlink_to(tmp_path / "XrayView")
    (tmp_path / "_internal/libc10.so").symlink_to("torch/lib/libc10.so")
    contents = Contents(
        "3.11.7",
        (
            Inside("torch/lib/libtorch.so", "BINARY", "/x/libtorch.so", "torch"),
            Inside("torch/lib/libc10.so", "BINARY", "/x/libc10.so", "torch"),
            Inside("libxcb.so.1", "BINARY", "/usr/lib/libxcb.so.1", ""),
        ),
    )

    rows = components(layout, contents)

    assert [(row.name, row.bytes, row.files) for row in rows] == [
        ("torch", 500, 2),
        ("XrayView: models", 60, 1),
        ("XrayView: programs and their modules", 50, 1),
        ("system libraries", 30, 1),
        ("Python", 20, 1),
    ]
    assert total(rows) == 660


def test_that_the_list_of_contents_is_read_with_modules_that_are_libraries(tmp_path: Path) -> None:
    rows = [
        {"name": "xrayview.cli", "kind": "MODULE", "source": "/s/cli.py", "distribution": ""},
        {"name": "python3.11/lib-dynload/_json.cpython-311-x86_64-linux-gnu.so",
         "kind": "EXTENSION", "source": "/p/_json.so", "distribution": ""},
        {"name": "PySide6/QtCore.abi3.so", "kind": "EXTENSION", "source": "/p/q.so",
         "distribution": "PySide6_Essentials"},
        {"name": "resources/LICENSE", "kind": "DATA", "source": "/s/LICENSE", "distribution": ""},
    ]  # fmt: skip
    file = tmp_path / "inside.json"
    file.write_text(json.dumps({"python": "3.11.7", "inside": rows}), encoding="utf-8")

    contents = read_contents(file)

    assert contents.modules() == {"xrayview.cli", "_json", "PySide6.QtCore"}
    assert contents.distributions() == {"PySide6_Essentials"}


@pytest.mark.parametrize(
    ("file", "module"),
    [
        ("/env/pydicom/uid.py", "pydicom.uid"),
        ("/env/pydicom/__init__.py", "pydicom"),
        ("/env/PIL/_imaging.cpython-311-x86_64-linux-gnu.so", "PIL._imaging"),
        ("/env/pydicom/data/charset.json", ""),
        ("/elsewhere/pydicom/uid.py", ""),
    ],
)
def test_that_a_loaded_file_is_known_by_its_module(file: str, module: str) -> None:
    assert module_of(Path(file), (Path("/env"),)) == module


def test_that_a_compiled_file_leads_to_its_source() -> None:
    cached = Path("/env/pydicom/__pycache__/uid.cpython-311.pyc")

    assert source_of(cached) == Path("/env/pydicom/uid.py")
    assert source_of(Path("/env/a.json")) == Path("/env/a.json")


def test_that_workers_are_known_by_their_command_line() -> None:
    assert is_worker("/opt/xrayview/xrayview --multiprocessing-fork tracker_fd=5 pipe_handle=7")
    assert not is_worker("/opt/xrayview/xrayview classify folder")
