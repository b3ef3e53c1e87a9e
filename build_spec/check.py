"""Checks of a frozen program. On Linux also beside the source tree of the same environment.

python -m build_spec.check dist build/frozen/xrayview/inside.json
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from build_spec import recipe
from build_spec.contents import Contents, Layout, layout_in, read_contents
from build_spec.loaded import (
    is_worker,
    module_of,
    python_roots,
    recorded_files,
    recording_environment,
    source_of,
    watch,
)

SELF_TEST_S = 240.0
ROUNDS = 9
FOLDER_MIB = {"cpu": 800, "cuda": 6000}
HELP_RATIO, PAINT_RATIO = 1.5, 1.15

FROM_SYSTEM = (
    "ld-linux*", "lib[cm].so*", "libdl.so*", "libpthread.so*", "librt.so*", "libutil.so*",
    "libresolv.so*", "libmvec.so*", "libnss_*", "libanl.so*",
    "libGL*", "libEGL*", "libOpenGL*", "libgbm*", "libdrm*", "libglapi*", "libgallium*",
    "libLLVM*", "libsensors*", "*_dri.so", "libvulkan*", "libcuda*", "libnvidia*",
    "libwayland-*", "libxcb*", "libX11*", "libXext*", "libXfixes*", "libxshmfence*",
    "libXxf86vm*", "libXau*", "libXdmcp*", "libedit*", "libtinfo*", "libelf*", "libxml2*",
    "libz3*", "libicu*", "libbsd*", "libmd.so*", "libexpat*", "libffi*", "liblzma*",
    "libz.so*", "libzstd*", "libstdc++*", "libgcc_s*", "libatomic*",
)  # fmt: skip
"""Libraries that come from the system: C, and the drivers of the screen with what they link."""


def main() -> int:
    """Run the checks; returns 1 where one fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dist", type=Path)
    parser.add_argument("contents", type=Path)
    options = parser.parse_args()
    layout = layout_in(options.dist.absolute())
    contents = read_contents(options.contents)
    problems: list[str] = []
    if sys.platform == "linux":
        for check in (_self_test, _loaded_by_source):
            problems += check(layout, contents)
        problems += _sizes(layout)
        _ratios(layout)
    elif subprocess.run([_command(layout), "self-test"], check=False).returncode != 0:
        problems.append("the self-test of the frozen program failed")
    for problem in problems:
        print(f"check: {problem}", file=sys.stderr)
    print("Everything checked is as it should be." if not problems else f"{len(problems)} problems")
    return 1 if problems else 0


def _self_test(layout: Layout, _: Contents) -> Iterator[str]:
    """The program checks itself; its workers map no Qt, and no process a library from elsewhere."""
    found = watch([_command(layout), "self-test"], {}, SELF_TEST_S)
    print(found.output)
    if found.returncode != 0:
        yield f"the self-test of the frozen program ended with {found.returncode}"
    workers = {name: files for name, files in found.mapped.items() if is_worker(name)}
    if not workers:
        yield "no worker process was seen during the self-test"
    for name, files in workers.items():
        if any("Qt6" in file.name for file in files):
            yield f"a worker has loaded Qt: {name[:80]}"
    outside = {
        file.name
        for files in found.mapped.values()
        for file in files
        if ".so" in file.name
        and not file.is_relative_to(layout.root)
        and not recipe.matches(file.name, FROM_SYSTEM)
    }
    if outside:
        yield f"loaded from the system, not from the bundle: {', '.join(sorted(outside))}"


def _loaded_by_source(_: Layout, contents: Contents) -> Iterator[str]:
    """Everything that the source tree's self-test loads is inside."""
    with tempfile.TemporaryDirectory(prefix="xrayview-loaded-") as name:
        folder = Path(name)
        command = [sys.executable, "-m", "xrayview", "self-test"]
        hidden = recipe.modules_left_out(recipe.flavour_of())
        found = watch(command, recording_environment(folder, hidden), SELF_TEST_S)
        if found.returncode != 0:
            print(found.output)
            yield f"the self-test of the source tree ended with {found.returncode}"
        files = recorded_files(folder)
    roots, inside = python_roots(), contents.modules()
    sources = {os.path.realpath(row.source) for row in contents.files()}
    missing = set()
    for file in map(source_of, files):
        module = module_of(file, roots)
        if os.path.realpath(file) in sources or (module and _is_inside(module, inside)):
            continue
        if module or _is_data(file):
            missing.add(module or str(file))
    if missing:
        yield f"loaded by the source tree, but not inside: {', '.join(sorted(missing))}"
    print(f"{len(files)} files that the source tree loads: {len(missing)} of them not inside")
    mapped = {
        file for files in found.mapped.values() for file in files if "site-packages" in str(file)
    }
    absent = {str(f) for f in mapped if ".so" in f.name and os.path.realpath(f) not in sources}
    if absent:
        yield f"libraries that the source tree maps, but not inside: {', '.join(sorted(absent))}"
    print(f"{len(mapped)} libraries that it maps: {len(absent)} of them not inside")


def _command(layout: Layout) -> str:
    """The program of the command line."""
    name = {"linux": "xrayview", "win32": "xrayview-cli.exe"}.get(sys.platform, "xrayview-cli")
    return str(layout.programs / name)


def _is_inside(module: str, inside: frozenset[str]) -> bool:
    standard = module.split(".")[0] in sys.stdlib_module_names and module not in inside
    return module in inside or standard or module in ("sitecustomize", "xrayview.__main__")


def _is_data(file: Path) -> bool:
    """True for a file of the source tree or of a package, which is not program text."""
    is_ours = file.is_relative_to(recipe.ROOT) or "site-packages" in file.parts
    ignored = (".py", ".pyc", ".pth")
    return is_ours and file.suffix not in ignored and ".dist-info" not in str(file)


def _sizes(layout: Layout) -> Iterator[str]:
    seen = {
        s.st_ino: s.st_size
        for p in layout.root.rglob("*")
        if p.is_file() and not p.is_symlink() and (s := p.lstat())
    }
    mib = sum(seen.values()) / 2**20
    limit = FOLDER_MIB[recipe.flavour_of().device]
    print(f"folder {mib:.0f} MiB, limit {limit}")
    if mib > limit:
        yield f"the folder has {mib:.0f} MiB; the limit is {limit}"


def _ratios(layout: Layout) -> None:
    """Print how fast both programs start; a busy machine is no reason to fail."""
    frozen, source = _command(layout), (sys.executable, "-m", "xrayview")
    for name, measure, limit, arguments in (
        ("--help, CPU seconds", _cpu_seconds, HELP_RATIO, "--help"),
        ("window on screen", _seconds_to_window, PAINT_RATIO, "app"),
    ):
        rounds = [
            (measure((frozen, arguments)), measure((*source, arguments))) for _ in range(ROUNDS + 1)
        ]
        ours, theirs = (statistics.median(row[i] for row in rounds[1:]) for i in (0, 1))
        ratio = ours / theirs
        print(f"{name}: {ours:.2f} s, source {theirs:.2f} s, ratio {ratio:.2f}, aim {limit}")


def _cpu_seconds(command: Sequence[str]) -> float:
    """The CPU seconds of a program: a busy machine changes them least."""
    from resource import RUSAGE_CHILDREN, getrusage  # not on Windows

    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _seconds_to_window(command: Sequence[str]) -> float:
    """From the start of the program until the X server shows its window."""
    find = ("xdotool", "search", "--sync", "--onlyvisible", "--name", "XrayView")
    with tempfile.TemporaryDirectory(prefix="xrayview-start-") as home:
        start_s = time.perf_counter()
        environment = os.environ | {"XRAYVIEW_HOME": home}
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
            try:
                subprocess.run(find, check=True, timeout=60, stdout=subprocess.DEVNULL)
                return time.perf_counter() - start_s
            finally:
                process.kill()


if __name__ == "__main__":
    sys.exit(main())
