"""Build the wheel and the sdist, and check what is in them.

    python build_spec/wheel.py [--out dist] [--install] [--reuse]

The wheel is built twice, from this tree and from the sdist: both must be equal, file by file.
`--install` puts it into an environment of its own and runs its self-test outside of this tree;
`--reuse` takes the dependencies from the environment of this Python instead of installing them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
MUST_HAVE = (
    "xrayview/cli.py",
    "xrayview/resources/icons/xrayview.svg",
    "xrayview/resources/licences/NOTICE.txt",
    "xrayview/resources/models/SHA256SUMS",
    "xrayview/resources/models/paediatric-pneumonia.pt",
    "xrayview/resources/samples/sample-study/child-1/current.dcm",
    "xrayview/resources/samples/README.md",
    "xrayview/resources/samples/LICENSE-pydicom-data",
    "xrayview/resources/self_test/scores.json",
    "xrayview/resources/templates/evaluation.html",
    "training/cli.py",
    "training/report/templates/report.html",
)
MUST_NOT_HAVE = ("tests/", "docs/", "xrayview/resources/screenshots/", "build_spec/")


def main() -> int:
    """Build, check, and return 0, or end with the first thing that is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--reuse", action="store_true")
    options = parser.parse_args()
    out = options.out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="xrayview-wheel-") as folder:
        by_sdist, by_tree = Path(folder, "sdist"), Path(folder, "tree")
        _run(sys.executable, "-m", "build", "--outdir", by_sdist, ROOT)
        _run(sys.executable, "-m", "build", "--wheel", "--outdir", by_tree, ROOT)
        wheel, sdist = next(by_sdist.glob("*.whl")), next(by_sdist.glob("*.tar.gz"))
        _require_equal(wheel, next(by_tree.glob("*.whl")))
        _require_contents(wheel)
        _run(sys.executable, "-m", "twine", "check", "--strict", wheel, sdist)
        for old in (*out.glob("xrayview-*.whl"), *out.glob("xrayview-*.tar.gz")):
            old.unlink()
        built = [Path(shutil.copy(path, out)) for path in (wheel, sdist)]
        for path in built:
            print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")
        _print_sizes(wheel)
        if options.install:
            _install(built[0], Path(folder), reuse=options.reuse)
    return 0


def _require_equal(one: Path, other: Path) -> None:
    contents = [
        {name: archive.read(name) for name in archive.namelist()}
        for archive in map(zipfile.ZipFile, (one, other))
    ]
    names = contents[0].keys() | contents[1].keys()
    differing = sorted(name for name in names if contents[0].get(name) != contents[1].get(name))
    if differing:
        raise SystemExit(f"The wheel of the sdist differs from that of the tree: {differing[:10]}")


def _require_contents(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    missing = [name for name in MUST_HAVE if name not in names]
    extra = [name for name in names if name.startswith(MUST_NOT_HAVE)]
    if missing or extra:
        raise SystemExit(f"{wheel.name}: missing {missing}, not expected {extra[:10]}")


def _print_sizes(wheel: Path) -> None:
    sizes: Counter[str] = Counter()
    for info in zipfile.ZipFile(wheel).infolist():
        parts = info.filename.split("/")
        depth = 3 if parts[:2] == ["xrayview", "resources"] else 1
        sizes["/".join(parts[:depth])] += info.compress_size
    for name, size in sizes.most_common():
        print(f"{size / 1e6:8.2f} MB  {name}")


def _install(wheel: Path, folder: Path, *, reuse: bool) -> None:
    environment, elsewhere = folder / "environment", folder / "elsewhere"
    elsewhere.mkdir()
    venv.create(environment, with_pip=True)
    windows = os.name == "nt"
    programs = environment / ("Scripts" if windows else "bin")
    python = programs / ("python.exe" if windows else "python")
    pip = (python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    if reuse:
        _run(*pip, "--no-deps", wheel, cwd=elsewhere)
        packages = Path(
            subprocess.check_output(
                [python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
                text=True,
            ).strip()
        )
        # After the wheel's own folder on the path, and without this Python's editable installs.
        (packages / "reuse.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n")
    else:
        _run(*pip, wheel, cwd=elsewhere)
    plain = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    where = "import xrayview; print(xrayview.__file__)"
    found = subprocess.check_output([python, "-c", where], cwd=elsewhere, env=plain, text=True)
    if not Path(found.strip()).resolve().is_relative_to(environment.resolve()):
        raise SystemExit(f"Not the wheel was imported, but {found.strip()}")
    _run(programs / "xrayview", "--version", cwd=elsewhere, env=plain)
    _run(programs / "xrayview", "--self-test", cwd=elsewhere, env=plain)


def _run(*command: object, **options: object) -> None:
    subprocess.run([str(part) for part in command], check=True, **options)


if __name__ == "__main__":
    sys.exit(main())
