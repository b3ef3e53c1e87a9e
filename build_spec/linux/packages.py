"""What people on Linux install: an archive with install.sh, and a Debian package.

python -m build_spec.linux.packages dist
"""

from __future__ import annotations

import gzip
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from build_spec import icons, man_page
from build_spec.recipe import IDENTIFIER, ROOT, WINDOW, flavour_of
from xrayview import __version__

HERE = ROOT / "build_spec/linux"
MAINTAINER = os.environ.get("XRAYVIEW_MAINTAINER") or "XrayView developers <xrayview@localhost>"
"""Name and address that the Debian package gives for questions."""
FAST = os.environ.get("XRAYVIEW_FAST", "") not in ("", "0")
"""Larger packages in a fraction of the time, to try them."""
COMMANDS = ("xrayview", "xrayview-train")
PACKAGE_MB = {"cpu": 250}
DEBIAN_ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}
# What the program links of the system: C, the screen's drivers, fonts and keyboard layouts.
DEPENDS = ("libc6 (>= {glibc})", "libegl1", "libgl1", "libxcb1", "fontconfig-config",
           "fonts-dejavu-core | fonts-liberation | fonts-noto-core", "xkb-data",
           "libwayland-client0", "libwayland-cursor0", "libwayland-egl1")  # fmt: skip
TEXT = """Workbench for chest-radiograph research
 Read chest radiographs with correct grey-scale, classify one film or a folder
 with a TorchScript model, see on the film where the evidence for a score lies,
 measure, compare with a prior, and export figures, tables and de-identified
 copies. It runs offline and brings its own Python and libraries.
 .
 For research and teaching. Not a medical device."""


def main() -> int:
    """Make both packages; returns 1 where one is larger than its limit."""
    dist = Path(sys.argv[1]).absolute()
    name = f"xrayview-{__version__}{flavour_of().suffix}-linux-{platform.machine()}"
    with tempfile.TemporaryDirectory(prefix="xrayview-packages-", dir=dist) as folder:
        share = Path(folder, "share")
        write_share(share)
        with ThreadPoolExecutor() as pool:  # each waits for its compressor
            archive = pool.submit(make_archive, dist, Path(folder, name), share)
            deb = pool.submit(make_deb, dist, Path(folder, "deb"), share)
        made = (archive.result(), deb.result())
    sbom = dist / f"{name}.cdx.json"
    shutil.copyfile(dist / WINDOW / "_internal/resources/licences/XrayView.cdx.json", sbom)
    limit = 0 if FAST else PACKAGE_MB.get(flavour_of().device, 0)
    for path in (*made, sbom):
        print(f"{path.name:48}{path.stat().st_size / 1e6:8.1f} MB")
    too_large = [path.name for path in made if limit and path.stat().st_size > limit * 1e6]
    for name in too_large:
        print(f"packages: {name} has more than {limit} MB", file=sys.stderr)
    return 1 if too_large else 0


def write_share(share: Path) -> None:
    """Write the entry of the menu, icons, AppStream metadata and the manual page."""
    texts = {
        f"metainfo/{IDENTIFIER}.metainfo.xml": (
            (HERE / f"{IDENTIFIER}.metainfo.xml")
            .read_text(encoding="utf-8")
            .replace("@VERSION@", __version__)
            .replace("@DATE@", time.strftime("%Y-%m-%d", time.gmtime(_date())))
        ),
        "applications/xrayview.desktop": (HERE / "xrayview.desktop").read_text(encoding="utf-8"),
    }
    for name, text in texts.items():
        path = share / name
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    drawn = icons.draw(share.parent / "icons")
    for size in icons.SIZES_PX:
        folder = share / f"icons/hicolor/{size}x{size}/apps"
        folder.mkdir(parents=True)
        shutil.copyfile(drawn[size], folder / "xrayview.png")
    scalable = share / "icons/hicolor/scalable/apps"
    scalable.mkdir(parents=True)
    shutil.copyfile(icons.SOURCE, scalable / "xrayview.svg")
    page = share / "man/man1/xrayview.1.gz"
    page.parent.mkdir(parents=True)
    page.write_bytes(gzip.compress(man_page.man_page().encode(), 9, mtime=0))
    page.with_name(f"{WINDOW}.1.gz").symlink_to(page.name)


def make_archive(dist: Path, folder: Path, share: Path) -> Path:
    """Pack the program with install.sh for users without root."""
    folder.mkdir()
    _link_tree(dist / WINDOW, folder / WINDOW)
    shutil.copytree(share, folder / "share", symlinks=True)
    shutil.copy(HERE / "install.sh", folder)
    (folder / "install.sh").chmod(0o755)
    archive = dist / f"{folder.name}.tar.zst"
    compress = "zstd -3 -T0 -q" if FAST else "zstd -15 --long=27 -T0 -q"
    _run("tar", "--create", f"--file={archive}", f"--use-compress-program={compress}",
         "--owner=0", "--group=0", "--sort=name", "-C", folder.parent, folder.name)  # fmt: skip
    return archive


def make_deb(dist: Path, root: Path, share: Path) -> Path:
    """Make the Debian package: the program in /usr/lib, links in /usr/bin."""
    package = f"xrayview{flavour_of().suffix}"
    architecture = DEBIAN_ARCHITECTURE[platform.machine()]
    app = root / "usr/lib" / package
    app.parent.mkdir(parents=True)
    _run("cp", "--archive", dist / WINDOW, app)  # modes change, and the archive is being packed
    (root / "usr/bin").mkdir()
    for name in (WINDOW, *COMMANDS[: 1 + flavour_of().train]):
        (root / "usr/bin" / name).symlink_to(f"../lib/{package}/{name}")
    shutil.copytree(share, root / "usr/share", symlinks=True)
    doc = root / f"usr/share/doc/{package}"
    doc.mkdir(parents=True)
    shutil.copyfile(HERE / "copyright", doc / "copyright")
    changes = f"{package} ({__version__}) stable; urgency=medium\n\n  * See CHANGELOG.md.\n\n"
    date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(_date()))
    changes += f" -- {MAINTAINER}  {date}\n"
    (doc / "changelog.gz").write_bytes(gzip.compress(changes.encode(), 9, mtime=0))
    overrides = root / f"usr/share/lintian/overrides/{package}"
    overrides.parent.mkdir(parents=True)
    text = (HERE / "lintian-overrides").read_text(encoding="utf-8")
    overrides.write_text(text.replace("@PACKAGE@", package), encoding="utf-8")
    _set_modes(root, app)
    control = root / "DEBIAN"
    control.mkdir()
    size = sum(p.lstat().st_size for p in _files(root)) // 1024
    fields = {
        "Package": package,
        "Version": __version__,
        "Architecture": architecture,
        "Maintainer": MAINTAINER,
        "Installed-Size": str(size),
        "Depends": ", ".join(DEPENDS).format(glibc=platform.libc_ver()[1]),
        "Section": "science",
        "Priority": "optional",
        "Description": TEXT,
    }
    text = "".join(f"{name}: {value}\n" for name, value in fields.items())
    (control / "control").write_text(text, encoding="utf-8")
    sums = "".join(f"{_md5(p)}  {p.relative_to(root)}\n" for p in _files(root / "usr"))
    (control / "md5sums").write_text(sums, encoding="utf-8")
    deb = dist / f"{package}_{__version__}_{architecture}.deb"
    _run(
        "dpkg-deb",
        "--root-owner-group",
        *(("-Zzstd", "-z3") if FAST else ("-Zxz", "-z6")),
        "--build",
        root,
        deb,
    )
    return deb


def _link_tree(source: Path, target: Path) -> None:
    """Copy a folder by hard links, symbolic links as they are."""
    _run("cp", "--archive", "--link", source, target)


def _set_modes(root: Path, app: Path) -> None:
    """Folders and programs are executable, libraries are not; everybody may read everything."""
    programs = {app / name for name in (WINDOW, *COMMANDS)} | set(app.rglob("torch_shm_manager"))
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path in programs else 0o644)


def _files(root: Path) -> Iterator[Path]:
    """The files that are not links, by name."""
    return (p for p in sorted(root.rglob("*")) if p.is_file() and not p.is_symlink())


def _md5(path: Path) -> str:
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _date() -> int:
    """The date of the source, for packages that do not differ from build to build."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or (ROOT / "CHANGELOG.md").stat().st_mtime)


def _run(*command: str | Path) -> None:
    subprocess.run([str(part) for part in command], check=True)


if __name__ == "__main__":
    sys.exit(main())
