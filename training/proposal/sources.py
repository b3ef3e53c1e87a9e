"""The public data sets as a card cites them, and whom their films show."""

from __future__ import annotations

from dataclasses import dataclass

from training.recipes.sources import KERMANY, NIH


@dataclass(frozen=True)
class Source:
    """Citation and population of a public data set."""

    citation: str
    population: str
    ages: tuple[float, ...] = ()
    caution: str = ""


_TEXT = "Labels were mined from reports and are wrong for some films. "

SOURCES: dict[str, Source] = {
    "nih": Source(NIH, "adults of one hospital (NIH Clinical Center), PA and AP", (), _TEXT),
    "chexpert": Source(
        "Irvin et al., CheXpert, AAAI 2019, Stanford, research use agreement",
        "in- and outpatients of one hospital (Stanford)", (), _TEXT,
    ),
    "mimic": Source(
        "Johnson et al., MIMIC-CXR-JPG 2.1.0, PhysioNet 2024, credentialed access",
        "emergency patients of one hospital (Beth Israel Deaconess, Boston)", (), _TEXT,
    ),
    "padchest": Source(
        "Bustos et al., PadChest, Medical Image Analysis 2020, research use",
        "patients of one hospital (San Juan, Alicante)", (),
        "Most labels come from a network that read reports. ",
    ),
    "vindr": Source(
        "Nguyen et al., VinDr-CXR 1.0.0, PhysioNet 2021, credentialed access",
        "adults of two hospitals in Hanoi, PA", (),
        "Patients are not known: films of one patient may be in different splits. ",
    ),
    "rsna": Source(
        "Shih et al., RSNA Pneumonia Detection Challenge, 2018; films of NIH ChestX-ray14",
        "adults of one hospital (NIH Clinical Center), PA and AP",
    ),
    "siim": Source(
        "SIIM-ACR Pneumothorax Segmentation, 2019; films of NIH ChestX-ray14",
        "adults of one hospital (NIH Clinical Center), PA and AP",
    ),
    "jsrt": Source(
        "Shiraishi et al., AJR 174:71-74, 2000 (JSRT)",
        "adults of 14 hospitals, digitised film, PA",
    ),
    "nlm-tb": Source(
        "Jaeger et al., Quant Imaging Med Surg 4(6):475-477, 2014 (Montgomery, Shenzhen)",
        "screening in Montgomery County and patients in Shenzhen, PA",
    ),
    "covidx": Source(
        "Wang et al., COVID-Net, Scientific Reports 2020 (COVIDx); licences differ by source",
        "patients of several collections", (),
        "Nearly every source has one class only, so a model can win by recognising the source. ",
    ),
    "covid-radiography": Source(
        "Chowdhury et al., IEEE Access 2020; Rahman et al., Comput Biol Med 2021",
        "patients of several collections", (),
        "Classes come from different sources, so a model can win by recognising the source. ",
    ),
    "tbx11k": Source(
        "Liu et al., Rethinking computer-aided tuberculosis diagnosis, CVPR 2020",
        "patients of hospitals in China", (),
        "Patients are not known: films of one patient may be in different splits. ",
    ),
    "kermany": Source(KERMANY, "children of 1 to 5 years of one hospital (Guangzhou), AP", (1, 5)),
}  # fmt: skip
"""Row of `READERS` -> its source."""
