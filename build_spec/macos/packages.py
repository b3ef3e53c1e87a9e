"""The disk image for macOS.

    python -m build_spec.macos.packages dist

Signing is off. XRAYVIEW_SIGN turns it on: the name of a "Developer ID Application" certificate.
XRAYVIEW_NOTARISE then also has it notarised: the name of a profile that was stored by
`xcrun notarytool store-credentials`.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from build_spec.contents import layout_in
from build_spec.recipe import ROOT, WINDOW, flavour_of
from xrayview import __version__

ENTITLEMENTS = ROOT / "build_spec/macos/entitlements.plist"


def main() -> int:
    """Sign where that is on, make the image, and notarise it where that is on."""
    dist = Path(sys.argv[1]).absolute()
    layout = layout_in(dist)
    name = f"xrayview-{__version__}{flavour_of().suffix}-macos-{platform.machine()}"
    image = dist / f"{name}.dmg"
    with tempfile.TemporaryDirectory(prefix="xrayview-image-") as stage:
        for command in commands(layout.root, image, Path(stage), os.environ):
            subprocess.run(command, check=True)
    sbom = next(layout.root.rglob("XrayView.cdx.json"))
    shutil.copyfile(sbom, dist / f"{name}.cdx.json")
    return 0


def commands(
    app: Path, image: Path, stage: Path, environment: Mapping[str, str]
) -> list[list[str]]:
    """Return the commands that make the image of what is put into `stage`, in order."""
    sign, profile = (environment.get(name, "") for name in ("XRAYVIEW_SIGN", "XRAYVIEW_NOTARISE"))
    rows = []
    if sign:
        rows.append(["codesign", "--force", "--deep", "--options", "runtime", "--timestamp",
                     "--entitlements", str(ENTITLEMENTS), "--sign", sign, str(app)])  # fmt: skip
    else:  # files were added after PyInstaller's own signature without a certificate
        rows.append(["codesign", "--force", "--deep", "--sign", "-", str(app)])
    rows += [
        ["ditto", str(app), str(stage / app.name)],
        ["ln", "-s", "/Applications", str(stage / "Applications")],
        ["hdiutil", "create", "-volname", WINDOW, "-srcfolder", str(stage), "-ov",
         "-format", "ULMO", str(image)],
    ]  # fmt: skip
    if sign:
        rows.append(["codesign", "--timestamp", "--sign", sign, str(image)])
    if sign and profile:
        rows += [
            ["xcrun", "notarytool", "submit", str(image), "--keychain-profile", profile, "--wait"],
            ["xcrun", "stapler", "staple", str(image)],
        ]
    return rows


if __name__ == "__main__":
    sys.exit(main())
