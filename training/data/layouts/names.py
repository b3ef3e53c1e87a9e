"""Findings of the public data sets, and columns that name them in other spellings."""

from __future__ import annotations

from collections.abc import Sequence

from training.data.table_file import canonical

NIH = (
    "Atelectasis", "Cardiomegaly", "Effusion", "Infiltration", "Mass", "Nodule", "Pneumonia",
    "Pneumothorax", "Consolidation", "Edema", "Emphysema", "Fibrosis", "Pleural_Thickening",
    "Hernia",
)  # fmt: skip
"""Wang et al., ChestX-ray8, CVPR 2017."""
CHEXPERT = (
    "No Finding", "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion",
    "Edema", "Consolidation", "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion",
    "Pleural Other", "Fracture", "Support Devices",
)  # fmt: skip
"""Irvin et al., CheXpert, AAAI 2019; MIMIC-CXR-JPG has the same in another order."""
VINDR = (
    "Aortic enlargement", "Atelectasis", "Calcification", "Cardiomegaly", "Clavicle fracture",
    "Consolidation", "Edema", "Emphysema", "Enlarged PA", "ILD", "Infiltration", "Lung Opacity",
    "Lung cavity", "Lung cyst", "Mediastinal shift", "Nodule/Mass", "Pleural effusion",
    "Pleural thickening", "Pneumothorax", "Pulmonary fibrosis", "Rib fracture", "Other lesion",
    "COPD", "Lung tumor", "Pneumonia", "Tuberculosis", "Other diseases", "No finding",
)  # fmt: skip
"""Nguyen et al., VinDr-CXR, Scientific Data 2022."""
SPELLINGS = {
    "airspace opacity": "Lung Opacity",
    "infiltrate": "Infiltration",
    "no findings": "No Finding",
    "other disease": "Other diseases",
}
"""Other spellings in tables of the same data set -> the usual one."""


def finding_columns(header: Sequence[str], findings: Sequence[str]) -> dict[str, str]:
    """Return the columns that name one of these findings: the finding's name -> the column's."""
    names = {canonical(name): name for name in findings}
    found: dict[str, str] = {}
    for column in header:
        folded = canonical(column)
        usual = canonical(SPELLINGS.get(folded, folded))
        if usual in names:
            found.setdefault(names[usual], column)
    return {name: found[name] for name in findings if name in found}
