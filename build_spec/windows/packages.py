"""The installer for Windows, by Inno Setup.

    python -m build_spec.windows.packages dist

Signing is off. XRAYVIEW_SIGN turns it on: the command line of a signing tool with `$f` for the
file, for example `signtool sign /fd sha256 /tr http://timestamp.acs.microsoft.com /a $f`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from build_spec.contents import layout_in
from build_spec.recipe import ROOT, flavour_of
from build_spec.windows.version_resource import numbers
from xrayview import __version__

_NAME = "xrayview"
_WHERE = ("iscc", r"C:\Program Files (x86)\Inno Setup 6\ISCC.exe")


def main() -> int:
    """Sign the programs where that is on, and make the installer; returns the exit code."""
    dist = Path(sys.argv[1]).absolute()
    layout = layout_in(dist)
    sign = os.environ.get("XRAYVIEW_SIGN", "")
    if sign:
        for program in sorted(layout.programs.glob("*.exe")):
            subprocess.run(sign.replace("$f", f'"{program}"'), check=True)
    compiler = next((found for name in _WHERE if (found := shutil.which(name))), None)
    if compiler is None:
        print(
            "packages: Inno Setup (iscc) is not installed: https://jrsoftware.org", file=sys.stderr
        )
        return 1
    subprocess.run([compiler, *arguments(dist, sign)], check=True)
    sbom = layout.libraries / "resources/licences/XrayView.cdx.json"
    shutil.copyfile(sbom, dist / f"{_NAME}-{__version__}{flavour_of().suffix}-windows-x64.cdx.json")
    return 0


def arguments(dist: Path, sign: str) -> list[str]:
    """Return the arguments of the compiler of Inno Setup."""
    defined = {
        "Version": __version__,
        "Numbers": ".".join(map(str, numbers())),
        "Suffix": flavour_of().suffix,
        "Source": str(layout_in(dist).root),
        "Out": str(dist),
    }
    signing = ["/DSign=xrayview", f"/Sxrayview={sign}"] if sign else []
    script = ROOT / "build_spec/windows/xrayview.iss"
    return [*(f"/D{name}={value}" for name, value in defined.items()), *signing, str(script)]


if __name__ == "__main__":
    sys.exit(main())
