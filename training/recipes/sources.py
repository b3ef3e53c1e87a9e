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

_CHILDREN = frozenset({"cd6a399956a1ef73205397c3c16a961a2d9b7b5452832052676c98b1aee83e6f"})
_ADULTS = frozenset({"1cc58ad6f12ee2ee783e77058f56d8dc345ce5bb8f0afbbcf35d43877b3eabaf"})
MANIFESTS: dict[str, frozenset[str]] = {
    "normal-pneumonia-small": _CHILDREN,
    "best-pneumonia": _CHILDREN,
    "normal-bacterial-viral": _CHILDREN,
    "normal-pneumonia-tb-efficientnet": frozenset(
        {"ca4e5f5f71abe16bc2291cbba96b736a0f3515d7e24b8a2e0ff6f7cdaea6a5ed"}
    ),
    "abnormal-resnet50": _ADULTS,
    "backbone-grid": _ADULTS,
    "multilabel-densenet121": frozenset(
        {"f9a4a621184421101f89fc40c71ab6d10f42eea0e4dabdcfe9f287c22276d8f3"}
    ),
}
"""Recipe -> hashes of the manifests of the films that its card's texts were written for."""
