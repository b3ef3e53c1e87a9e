"""The bill of materials (CycloneDX) and the licences of everything inside."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from fnmatch import fnmatchcase
from importlib.metadata import distribution
from pathlib import Path

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from build_spec.contents import Contents, debian_package
from build_spec.system_licences import SYSTEM_LICENCES
from xrayview.services.parts import Part, part_of

_BOOTLOADER = "pyinstaller"


def parts_of(contents: Contents) -> tuple[Part, ...]:
    """Return everything that is inside, by name. Raises: LookupError: a licence is not known."""
    parts = [part_of(distribution(name)) for name in contents.distributions()]
    parts = [_with_exception(p) if p.name == _BOOTLOADER else p for p in parts]
    parts.append(Part("Python", contents.python, "PSF-2.0", "https://www.python.org", "runtime"))
    for row in contents.files():
        if row.is_of_system:
            package, version = debian_package(row.source)
            library = Path(row.name).name
            licence = _system_licence(library)
            parts.append(Part(library, version, licence, package, "system"))
    return tuple(sorted(set(parts), key=lambda part: (part.kind != "python", part.name.lower())))


def collect_licences(contents: Contents, folder: Path) -> None:
    """Copy the licence texts of the system's libraries; those of packages are in their metadata."""
    folder.mkdir(parents=True, exist_ok=True)
    for row in contents.files():
        if row.is_of_system:
            package, _ = debian_package(row.source)
            text = Path("/usr/share/doc", package, "copyright")
            if package and text.is_file():
                shutil.copyfile(text, folder / f"{package}.txt")


def write_sbom(file: Path, version: str, parts: Iterable[Part]) -> None:
    """Write the bill of materials. Raises: OSError."""
    licences = LicenseFactory()
    bom = Bom()
    bom.metadata.component = root = Component(
        name="XrayView",
        version=version,
        type=ComponentType.APPLICATION,
        licenses=[licences.make_from_string("Apache-2.0")],
        bom_ref="xrayview",
    )
    for part in parts:
        if part.name.lower() == "xrayview":
            continue
        component = Component(
            name=part.name,
            version=part.version,
            type=ComponentType.LIBRARY,
            licenses=[licences.make_from_string(part.licence)],
            purl=_purl(part),
            bom_ref=f"{part.kind}:{part.name}@{part.version}",
            external_references=[
                ExternalReference(type=ExternalReferenceType.WEBSITE, url=XsUri(part.url))
            ]
            if part.url.startswith("http")
            else (),
        )
        bom.components.add(component)
        bom.register_dependency(root, [component])
    file.write_text(JsonV1Dot6(bom).output_as_string(indent=1), encoding="utf-8")


def _purl(part: Part) -> PackageURL | None:
    if part.kind == "python":
        return PackageURL("pypi", name=part.name.lower().replace("_", "-"), version=part.version)
    if part.kind == "system" and part.url:
        return PackageURL("deb", "debian", part.url, part.version)
    return None


def _system_licence(library: str) -> str:
    for pattern, licence in SYSTEM_LICENCES.items():
        if fnmatchcase(library, pattern):
            return licence
    raise LookupError(
        f"{library}: add its licence to build_spec/system_licences.py, or leave it out"
    )


def _with_exception(part: Part) -> Part:
    """PyInstaller's start program may be in programs of any licence, by an exception."""
    licence = "GPL-2.0-or-later WITH Bootloader-exception"
    return Part(part.name, part.version, licence, part.url, part.kind)
