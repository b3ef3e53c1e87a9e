"""Every text that a user reads, with file and line, for a review from top to bottom.

    python -m tests.texts [PATH ...]

Without paths: the window, the command line and its commands, the settings table, the texts drawn
on films and figures, and the messages of every error that is raised elsewhere. A placeholder of an
f-string is shown as {name}. What no user reads is left out: docstrings, identifiers, keys,
style sheets, paths.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
WHOLE = (
    "xrayview/ui",
    "xrayview/commands",
    "xrayview/cli.py",
    "xrayview/app.py",
    "xrayview/errors.py",
    "xrayview/services/settings.py",
    "xrayview/display",
    "xrayview/io/model/card.py",
)
"""Files and folders whose strings all count."""
PACKAGES = ("xrayview", "training")
"""Where else only the messages of errors count."""
NO_TEXT_CALLS = frozenset({
    "app_icon", "cast", "compile", "connect", "findChild", "fromisoformat", "getattr", "hasattr",
    "icon", "IconLabel", "import_module", "pixmap", "property", "resource", "setattr",
    "setObjectName", "setProperty", "setStyleSheet", "startswith", "strftime", "TypeVar",
})  # fmt: skip
"""Functions whose arguments a user never reads."""
TEXT_CALLS = frozenset({
    "addAction", "addItem", "addMenu", "addTab", "label", "QAction", "QCheckBox", "QLabel",
    "QPushButton", "setAccessibleDescription", "setAccessibleName", "setPlaceholderText",
    "setText", "setToolTip", "setWindowTitle",
})  # fmt: skip
"""Functions whose arguments a user reads, also where they are one lower-case word."""
_IDENTIFIER = re.compile(r"[a-z0-9_]*([._:/#-][a-z0-9_*]*)*|[A-Z0-9_]+|--?[a-z][a-z-]*")
_KEYWORD = re.compile(r"([A-Z][a-z]+){2,}(UID|ID|LUT)?|[\s0-9a-f]{64,}")
"""A DICOM keyword, or a table of digits."""
_STYLE = re.compile(r"[\w\]\"-]\s*\{[^{}]*:[^{}]*;|<style>|^\s*[\w-]+:\s*[\w#$%. ]+;")


@dataclass(frozen=True)
class Text:
    """One text and where it is written."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}\t{self.text!r}"


def texts_of(path: Path) -> list[Text]:
    """All texts of a module, in the order of its lines."""
    finder = _Finder(path)
    finder.visit(ast.parse(path.read_text(encoding="utf-8")))
    return finder.found


def error_texts(path: Path, errors: frozenset[str]) -> list[Text]:
    """The messages of the errors that a module makes, and the constants that they are made of."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    calls = [
        node
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and _name(node.func) in errors
    ]
    names = {n.id for call in calls for n in ast.walk(call) if isinstance(n, ast.Name)}
    constants = [node for node in module.body if _assigned(node) in names]
    finder = _Finder(path)
    for node in (*constants, *calls):
        finder.visit(node)
    return sorted(dict.fromkeys(finder.found), key=lambda text: text.line)


def error_names() -> frozenset[str]:
    """The classes of errors that a user may see, by name."""
    names = {"XrayViewError"}
    classes = [
        node
        for path in _modules(PACKAGES)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    ]
    while more := {c.name for c in classes if names & set(map(_name, c.bases))} - names:
        names |= more
    return frozenset(names)


class _Finder(ast.NodeVisitor):
    def __init__(self, path: Path) -> None:
        self.found: list[Text] = []
        self._path = path.resolve().relative_to(ROOT)
        self._is_text = False

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for part in (*node.args.defaults, *filter(None, node.args.kw_defaults), *node.body):
            self.visit(part)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.visit(node.value)  # a key, or a Literal

    def visit_Compare(self, node: ast.Compare) -> None:
        pass

    def visit_Call(self, node: ast.Call) -> None:
        name = _name(node.func)
        if name in NO_TEXT_CALLS:
            return
        before, self._is_text = self._is_text, name in TEXT_CALLS
        if name == "label":  # its second argument is the text's role
            for argument in node.args[:1]:
                self.visit(argument)
        else:
            self.generic_visit(node)
        self._is_text = before

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._add(node, node.value, node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        shown = [_shown(part) for part in node.values]
        fixed = [p.value for p in node.values if isinstance(p, ast.Constant)]
        self._add(node, "".join(shown), " ".join(map(str, fixed)))
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)

    def _add(self, node: ast.expr, text: str, fixed: str) -> None:
        if not re.search(r"[A-Za-z]", fixed) or _STYLE.search(fixed):
            return
        is_key = _IDENTIFIER.fullmatch(fixed.strip()) or _KEYWORD.fullmatch(fixed)
        if is_key and not self._is_text:
            return
        self.found.append(Text(self._path, node.lineno, text))


def _shown(part: ast.expr) -> str:
    if isinstance(part, ast.FormattedValue):
        return f"{{{ast.unparse(part.value)}}}"
    return str(part.value) if isinstance(part, ast.Constant) else ""


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _assigned(node: ast.stmt) -> str:
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        return _name(node.targets[0])
    return _name(node.target) if isinstance(node, ast.AnnAssign) else ""


def _modules(paths: tuple[str, ...]) -> list[Path]:
    tops = [ROOT / path for path in paths]
    return [
        file for top in tops for file in ([top] if top.is_file() else sorted(top.rglob("*.py")))
    ]


def review(paths: tuple[str, ...] = ()) -> Iterator[Text]:
    """The texts of these files and folders, or of all."""
    whole = _modules(paths or WHOLE)
    for path in whole:
        yield from texts_of(path)
    if not paths:
        errors = error_names()
        for path in _modules(PACKAGES):
            if path not in whole:
                yield from error_texts(path, errors)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files or folders; all by default")
    paths = parser.parse_args().paths
    for text in review(tuple(str(Path(path).resolve().relative_to(ROOT)) for path in paths)):
        print(text)


if __name__ == "__main__":
    main()
