"""Sources of films, as cards cite them, and other values that several recipes share."""

from __future__ import annotations

KERMANY = (
    "Kermany, Zhang, Goldbaum, Labeled OCT and Chest X-Ray Images, Mendeley Data, "
    "doi 10.17632/rscbjbr9sj, CC BY 4.0"
)
NIH = (
    "Wang et al., ChestX-ray8, CVPR 2017, NIH Clinical Center, free use with attribution; "
    "labels text-mined from reports"
)
TUBERCULOSIS = (
    "A copy of a public tuberculosis collection without a stated origin; licence not established"
)
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Normalisation of the three channels with which torchvision's weights were trained."""
NIH_FINDINGS = (
    "Atelectasis", "Cardiomegaly", "Effusion", "Infiltration", "Mass", "Nodule", "Pneumonia",
    "Pneumothorax", "Consolidation", "Edema", "Emphysema", "Fibrosis", "Pleural_Thickening",
    "Hernia",
)  # fmt: skip
TEXT_MINED = (
    "Labels were mined from reports and are wrong for about one in ten films; the reports were "
    "based on more than the film. "
)
