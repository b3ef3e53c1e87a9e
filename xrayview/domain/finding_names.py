"""Names of findings in tables of labels: which spellings mean the same finding.

A label names a finding if it is the finding's name, one of the synonyms that the model card
declares, or one of the names below. Nothing is recognised inside a longer text: "no pneumonia",
"pneumonia?" and "pneumonia vs atelectasis" all contain a name and do not say that it is present.
"""

from __future__ import annotations

from collections.abc import Iterable

NO_FINDING = "No Finding"
"""NIH's label for a film whose findings are all absent."""

NEGATIVE = ("no finding", "no findings", "normal")
"""Labels that say that every finding is absent."""

SYNONYMS: tuple[tuple[str, ...], ...] = (
    ("atelectasis", "atelectases"),
    ("cardiomegaly", "enlarged heart"),
    ("consolidation", "consolidations"),
    ("covid-19", "covid", "covid19"),
    ("edema", "oedema", "pulmonary edema", "pulmonary oedema", "lung edema", "lung oedema"),
    ("effusion", "pleural effusion", "pleural effusions"),
    ("emphysema",),
    ("enlarged cardiomediastinum",),
    ("fibrosis", "pulmonary fibrosis", "lung fibrosis"),
    ("fracture",),
    ("hernia", "hiatal hernia", "hiatus hernia"),
    ("infiltration", "infiltrate", "infiltrates"),
    ("lung lesion",),
    ("lung opacity", "airspace opacity", "lung opacities"),
    ("mass",),
    ("nodule", "lung nodule", "pulmonary nodule"),
    ("pleural other",),
    ("pleural thickening",),
    ("pneumonia",),
    ("pneumothorax",),
    ("support devices",),
    ("tuberculosis", "tb", "pulmonary tuberculosis"),
)
"""Names of one finding, in lower case: those of NIH ChestX-ray14, CheXpert and the recipes."""

KINDS: dict[str, tuple[str, ...]] = {
    "fracture": ("rib fracture", "clavicle fracture"),
    "pneumonia": (
        "bacterial pneumonia", "viral pneumonia", "lobar pneumonia", "bronchopneumonia"
    ),
}  # fmt: skip
"""Finding -> labels for a kind of it; the finding's name does not mean one of its kinds."""


def normalise(label: str) -> str:
    """Unify case, blanks and underscores: `Pleural_Thickening`, `pleural  thickening`."""
    return " ".join(label.casefold().replace("_", " ").split())


_GROUP_OF = {name: names[0] for names in SYNONYMS for name in names}
_FINDING_OF_KIND = {kind: finding for finding, kinds in KINDS.items() for kind in kinds}


def is_known(label: str) -> bool:
    """Tell whether a label is one of the names above, or says that there is no finding."""
    text = normalise(label)
    return text in _GROUP_OF or text in _FINDING_OF_KIND or text in NEGATIVE


def names_finding(label: str, name: str, synonyms: Iterable[str] = ()) -> bool:
    """Tell whether a label names a finding: by its name, a declared synonym, or one of above."""
    text, finding = normalise(label), normalise(name)
    if text == finding or text in map(normalise, synonyms):
        return True
    group = _GROUP_OF.get(finding)
    return group is not None and group in (_GROUP_OF.get(text), _FINDING_OF_KIND.get(text))
