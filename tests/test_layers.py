"""The drawing of the layers, held against every import of the code, lazy ones included."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Imports point down only; packages in one row do not see each other.
ROWS: tuple[frozenset[str], ...] = (
    frozenset({"__main__"}),
    frozenset({"cli"}),
    frozenset({"app"}),
    frozenset({"ui", "commands"}),
    frozenset({"services"}),
    frozenset({"batch"}),
    frozenset({"engine"}),
    frozenset({"inference", "evaluation"}),
    frozenset({"io", "preprocessing", "display"}),
    frozenset({"domain"}),
    frozenset({"errors"}),
    frozenset({"__init__"}),
)
DEPTH = {package: depth for depth, row in enumerate(ROWS) for package in row}
TRAINING_MAY_USE = {
    "errors", "domain", "io", "preprocessing", "inference", "evaluation", "__init__",
}  # fmt: skip
QT = {"PySide6", "shiboken6", "pyqtgraph"}
SOURCES = sorted(p for top in ("xrayview", "training") for p in (ROOT / top).rglob("*.py"))


def package_of(path: Path) -> str:
    parts = path.relative_to(ROOT / "xrayview").with_suffix("").parts
    return parts[0]


def imports_of(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            module = node.module or ""
            if module == "xrayview":
                yield from ((f"xrayview.{alias.name}", node.lineno) for alias in node.names)
            else:
                yield module, node.lineno


def broken_rules(path: Path) -> Iterator[str]:
    top = path.relative_to(ROOT).parts[0]
    for module, line in imports_of(path):
        where = f"{path.relative_to(ROOT)}:{line}: {module}"
        root, *rest = module.split(".")
        target = rest[0] if rest and rest[0] in DEPTH else "__init__"
        if root in QT and (top != "xrayview" or package_of(path) not in {"ui", "app"}):
            yield f"{where}: Qt stops at ui/"
        if root == "training" and top == "xrayview":
            yield f"{where}: the app never imports training"
        if root == "xrayview" and top == "training" and target not in TRAINING_MAY_USE:
            yield f"{where}: training may not use {target}"
        if root == "xrayview" and top == "xrayview":
            source = package_of(path)
            if source != target and DEPTH[target] <= DEPTH[source]:
                yield f"{where}: {source} may not see {target}"
        if (
            root in {"torch", "torchvision"}
            and top == "xrayview"
            and package_of(path) != "inference"
        ):
            yield f"{where}: torch lives in inference/"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_that_imports_point_down(path: Path) -> None:
    assert list(broken_rules(path)) == []


def test_that_only_the_runtime_names_torchscript() -> None:
    naming = {
        str(p.relative_to(ROOT))
        for p in SOURCES
        if p.is_relative_to(ROOT / "xrayview") and "torch.jit" in p.read_text(encoding="utf-8")
    }
    assert naming == {"xrayview/inference/torchscript.py"}


@pytest.mark.parametrize(
    "module", ["xrayview.cli", "xrayview.app", "xrayview.ui.shell.main_window"]
)
def test_that_importing_the_program_does_not_load_torch(module: str) -> None:
    loaded = modules_after_import(module)
    assert not {"torch", "torchvision"} & loaded


def test_that_the_command_line_starts_without_qt() -> None:
    assert not QT & modules_after_import("xrayview.cli")


def modules_after_import(module: str) -> set[str]:
    code = f"import sys, {module}; print(' '.join(sys.modules))"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return {name.split(".")[0] for name in out.stdout.split()}
