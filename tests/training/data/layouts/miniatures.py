"""Miniatures of twelve public data sets: their folders and tables, synthetic films, the truth.

    miniature = MINIATURES["nih"](folder)     # writes the folder, returns what is true of it

The truth: path -> patient, split, view, sex, age, labels (1, 0, -1, None), boxes in film pixels.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.builders import phantom, write_dicom, write_jsrt
from tests.training.conftest import write_film
from training.data.layouts.names import CHEXPERT, NIH, VINDR


@dataclass(frozen=True)
class Truth:
    patient: str
    split: str
    labels: dict[str, int | None]
    view: str = ""
    sex: str = ""
    age: int | None = None
    boxes: tuple[tuple[str, float, float, float, float], ...] = field(default=())


Truths = dict[str, Truth]


def table(path: Path, *rows: Sequence[object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    data = text.getvalue().encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def film(path: Path) -> None:
    write_film(path, len(path.name), bright=False)


def dicom(path: Path, **tags: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_dicom(path, phantom(48, 40), **tags)


def cells(text: str) -> list[int | None]:
    return [None if cell == "" else int(float(cell)) for cell in text.split(",")]


def nih(root: Path) -> Truths:
    header = ("Image Index", "Finding Labels", "Follow-up #", "Patient ID", "Patient Age",
              "Patient Gender", "View Position", "OriginalImage[Width", "Height]")  # fmt: skip
    rows = [
        ("00000001_000.png", "Cardiomegaly|Emphysema", 0, 1, 57, "M", "PA", 2682, 2749),
        ("00000002_000.png", "No Finding", 0, 2, 413, "F", "AP", 2500, 2048),
        ("00000003_000.png", "Pleural_Thickening", 0, 3, "058Y", "F", "PA", 2500, 2048),
    ]
    table(root / "Data_Entry_2017_v2020.csv", header, *rows)
    (root / "BBox_List_2017.csv").write_text(
        "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
        "00000001_000.png,Cardiomegaly,256,512,64,128\n"
        "00000002_000.png,Infiltrate,1.5,2.5,3,4\n"
    )
    (root / "train_val_list.txt").write_text("00000001_000.png\n00000002_000.png\n")
    (root / "test_list.txt").write_text("00000003_000.png\n")
    truths = {}
    for row, split, age in zip(rows, ("train", "train", "test"), (57, 413, 58), strict=True):
        path = f"images_00{row[3]}/images/{row[0]}"
        film(root / path)
        found = str(row[1]).split("|")
        truths[path] = Truth(
            str(row[3]), split, {name: int(name in found) for name in NIH}, str(row[6]),
            str(row[5]), age,
            # Boxes refer to 1024 x 1024; the film has 40 rows and 48 columns.
            (("Cardiomegaly", 12, 20, 3, 5),) if row[3] == 1 else (),
        )  # fmt: skip
    return truths


def chexpert(root: Path) -> Truths:
    data = {
        "train": [
            ("patient00001/study1/view1_frontal", "Female", 68, "Frontal", "AP",
             "1.0,,,,,,,,,0.0,,,,1.0"),
            ("patient00002/study1/view1_frontal", "Male", 87, "Frontal", "PA",
             ",,-1.0,1.0,,,,,,,,,,"),
            ("patient00002/study1/view2_lateral", "Male", 87, "Lateral", "",
             ",,-1.0,1.0,,,,,,,,,,"),
        ],
        "valid": [("patient64541/study1/view1_frontal", "Unknown", 0, "Frontal", "AP",
                   "0.0,1.0" + ",0.0" * 12)],
    }  # fmt: skip
    truths = {}
    for split, rows in data.items():
        lines = []
        for name, sex, age, frontal, view, values in rows:
            path = f"{split}/{name}.jpg"
            film(root / path)
            lines.append(
                (f"CheXpert-v1.0-small/{path}", sex, age, frontal, view, *values.split(","))
            )
            labels = dict(zip(CHEXPERT, cells(values), strict=True))
            truths[path] = Truth(name.split("/")[0], split, labels, view or frontal, sex, age)
        header = ("Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *CHEXPERT)
        table(root / f"{split}.csv", header, *lines)
    return truths


def mimic(root: Path) -> Truths:
    names = sorted(CHEXPERT)
    studies = {("10000032", "50414267"): "," * 8 + "1.0" + "," * 5,
               ("10046166", "57379357"): ",,0.0,,,,,1.0,,-1.0,,-1.0,0.0,"}  # fmt: skip
    images = [("10000032", "50414267", "02aa804e", "PA", "train"),
              ("10000032", "50414267", "174413ec", "LATERAL", "train"),
              ("10046166", "57379357", "6e511483", "AP", "validate"),
              ("10046166", "99999999", "0b0b0b0b", "", "test")]  # fmt: skip
    truths = {}
    for patient, study, image, view, split in images:
        path = f"files/p{patient[:2]}/p{patient}/s{study}/{image}.jpg"
        film(root / path)
        values = studies.get((patient, study), "," * 13)
        truths[path] = Truth(patient, split, dict(zip(names, cells(values), strict=True)), view)
    table(root / "mimic-cxr-2.0.0-metadata.csv.gz",
          ("dicom_id", "subject_id", "study_id", "ViewPosition"),
          *((i, p, s, v) for p, s, i, v, _ in images))  # fmt: skip
    table(root / "mimic-cxr-2.0.0-split.csv.gz", ("dicom_id", "study_id", "subject_id", "split"),
          *((i, s, p, split) for p, s, i, _, split in images))  # fmt: skip
    for name in ("negbio", "chexpert"):
        table(root / f"mimic-cxr-2.0.0-{name}.csv.gz", ("subject_id", "study_id", *names),
              *((*key, *values.split(",")) for key, values in studies.items()))  # fmt: skip
    return truths


def padchest(root: Path) -> Truths:
    header = ("", "ImageID", "ImageDir", "StudyDate_DICOM", "PatientID", "PatientBirth",
              "PatientSex_DICOM", "ViewPosition_DICOM", "Projection", "MethodLabel",
              "Labels")  # fmt: skip
    rows = [
        (0, "2053_k6ga29.png", 0, 20140915, "8398", "1930.", "F", "POSTEROANTERIOR", "PA",
         "Physician", "['pulmonary fibrosis', ' kyphosis']"),
        (1, "2168_00-059-087.png", 54, 20090202, "12283", "1960.", "M", "LATERAL", "L",
         "RNN_model", "['normal']"),
        (2, "2169_00-059-088.png", 1, 20090202, "12284", "1960.", "M", "", "PA", "Physician",
         "['exclude']"),
        (3, "2170_00-059-089.png", 1, 20090202, "12285", "1940.", "M", "", "AP", "Physician", ""),
    ]  # fmt: skip
    table(root / "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv.gz", header, *rows)
    labels: list[dict[str, int | None]] = [
        {"pulmonary fibrosis": 1, "kyphosis": 1}, {"normal": 1}, {"exclude": 1}, {},
    ]  # fmt: skip
    truths = {}
    for row, own, age in zip(rows, labels, (84, 49, 49, 69), strict=True):
        path = f"images/{row[2]}/{row[1]}"
        film(root / path)
        truths[path] = Truth(str(row[4]), "", own, str(row[8]), str(row[6]), age)
    return truths


def vindr(root: Path) -> Truths:
    votes = {"50a4": [{"No finding"}] * 3,
             "9a50": [{"Cardiomegaly", "ILD"}, {"Cardiomegaly"}, {"No finding"}]}  # fmt: skip
    lines, drawn, truths = [], [], {}
    for image, readers in votes.items():
        dicom(root / f"train/{image}.dicom", PatientSex="O", PatientAge="000Y", PatientID="")
        boxes = []
        for number, found in enumerate(readers):
            lines.append((image, f"R{number}", *(int(name in found) for name in VINDR)))
            for name in sorted(found):
                box = ("", "", "", "") if name == "No finding" else (number, 2, 6 + number, 9)
                drawn.append((image, f"R{number}", name, *box))
                if name != "No finding":
                    boxes.append((name, number, 2, 6, 7))
        counts: dict[str, int | None] = {n: sum(n in found for found in readers) for n in VINDR}
        truths[f"train/{image}.dicom"] = Truth(image, "train", counts, "PA", boxes=tuple(boxes))
    corners = ("x_min", "y_min", "x_max", "y_max")
    table(root / "annotations/image_labels_train.csv", ("image_id", "rad_id", *VINDR), *lines)
    table(root / "annotations/annotations_train.csv",
          ("image_id", "rad_id", "class_name", *corners), *drawn)  # fmt: skip
    dicom(root / "test/002a.dicom", PatientID="")
    table(root / "annotations/image_labels_test.csv",
          ("image_id", *("Other disease" if n == "Other diseases" else n for n in VINDR)),
          ("002a", *(int(name == "Edema") for name in VINDR)))  # fmt: skip
    table(root / "annotations/annotations_test.csv", ("image_id", "class_name", *corners),
          ("002a", "Edema", 5, 6, 30, 40))  # fmt: skip
    truths["test/002a.dicom"] = Truth(
        "002a",
        "test",
        {n: int(n == "Edema") for n in VINDR},
        "PA",
        boxes=(("Edema", 5, 6, 25, 34),),
    )
    return truths


def rsna(root: Path) -> Truths:
    boxes = ((3.0, 9.0, 6.0, 7.0), (20.0, 9.0, 8.0, 6.0))
    films = {
        "0004": ((), "No Lung Opacity / Not Normal", "PA"),
        "0031": ((), "Normal", "PA"),
        "0043": (boxes, "Lung Opacity", "AP"),
    }
    rows, classes, truths = [], [], {}
    for name, (boxes, label, view) in films.items():
        path = f"stage_2_train_images/{name}.dcm"
        dicom(root / path, PatientID=name, PatientSex="F", PatientAge="51", ViewPosition=view)
        for box in boxes or (("",) * 4,):
            rows.append((name, *box, int(bool(boxes))))
            classes.append((name, label))
        truths[path] = Truth(
            name, "train", {"Lung Opacity": int(bool(boxes)), "Normal": int(label == "Normal")},
            view, "F", 51, tuple(("Lung Opacity", *box) for box in boxes),
        )  # fmt: skip
    table(root / "stage_2_train_labels.csv",
          ("patientId", "x", "y", "width", "height", "Target"), *rows)  # fmt: skip
    table(root / "stage_2_detailed_class_info.csv", ("patientId", "class"), *classes)
    table(root / "stage_2_sample_submission.csv", ("patientId", "PredictionString"), ("00aa", ""))
    dicom(root / "stage_2_test_images/00aa.dcm", PatientID="00aa", ViewPosition="PA")
    truths["stage_2_test_images/00aa.dcm"] = Truth("00aa", "test", {}, "PA")
    return truths


def siim(root: Path) -> Truths:
    codes = {"1.2.4.69": ("-1",), "1.2.4.13": ("5243 20 108 22", "9000 5")}
    lines, truths = ["ImageId, EncodedPixels"], {}
    for number, (name, own) in enumerate(codes.items()):
        path = f"dicom-images-train/1.2.2.{number}/1.2.3.{number}/{name}.dcm"
        dicom(
            root / path, PatientID=f"p{number}", PatientSex="M", PatientAge="40", ViewPosition="PA"
        )
        lines += [f"{name},{code}" for code in own]
        label: dict[str, int | None] = {"Pneumothorax": int(own != ("-1",))}
        truths[path] = Truth(f"p{number}", "train", label, "PA", "M", 40)
    (root / "train-rle.csv").write_text("\n".join(lines) + "\n")
    return truths


def jsrt(root: Path) -> Truths:
    (root / "All247images").mkdir(parents=True)
    for name in ("JPCLN001", "JPCNN001"):
        write_jsrt(root / f"All247images/{name}.IMG", len(name))
    (root / "Clinical_Information").mkdir()
    (root / "Clinical_Information/CLNDAT_EN.txt").write_text(
        "JPCLN001.IMG\t5\t15  53\tmale\t1634\t692\tmalignant\tl.upper lobe\tlung cancer "
        "JPCLN002.IMG\t5\t30\t78\tfemale\t1614\t1090\tbenign\tl.upper lobe(S3)\ttuberculoma\n"
    )
    (root / "Clinical_Information/CNNDAT_EN.TXT").write_text(
        "JPCNN001.IMG\tfemale\t54\tnon-nodule\n"
    )
    return {
        "All247images/JPCLN001.IMG": Truth(
            "JPCLN001", "", {"Nodule": 1, "Malignant": 1}, "PA", "M", 53,
            (("Nodule", 1591, 649, 86, 86),),
        ),
        "All247images/JPCNN001.IMG": Truth(
            "JPCNN001", "", {"Nodule": 0, "Malignant": None}, "PA", "F", 54
        ),
    }  # fmt: skip


def nlm_tb(root: Path) -> Truths:
    texts = {"MCUCXR_0001_0": ("Patient's Sex: F\nPatient's Age: 027Y\nnormal\n", "F", 27),
             "CHNCXR_0327_1": ("female 28yrs\nSTB", "F", 28),
             "CHNCXR_0400_1": ("Male , 5 months\nbilateral PTB", "M", 0)}  # fmt: skip
    truths = {}
    for name, (text, sex, age) in texts.items():
        film(root / f"CXR_png/{name}.png")
        film(root / f"ManualMask/leftMask/{name}.png")
        (root / "ClinicalReadings").mkdir(exist_ok=True)
        (root / f"ClinicalReadings/{name}.txt").write_text(text)
        label: dict[str, int | None] = {"Tuberculosis": int(name[-1])}
        truths[f"CXR_png/{name}.png"] = Truth(name[:-2], "", label, "PA", sex, age)
    return truths


def covidx(root: Path) -> Truths:
    data = {"train": [("379", "1-s2.0-gr2 a.jpg", "positive", "cohen"),
                      ("003b", "ee0b.png", "negative", "rsna")],
            "test": [("4196", "MIDRC-4196.png", "positive", "ricord")]}  # fmt: skip
    truths = {}
    for split, rows in data.items():
        (root / split).mkdir(parents=True)
        (root / f"{split}.txt").write_text("".join(" ".join(row) + "\n" for row in rows))
        for patient, name, label, source in rows:
            film(root / split / name)
            positive: dict[str, int | None] = {"COVID-19": int(label == "positive")}
            truths[f"{split}/{name}"] = Truth(f"{source}:{patient}", split, positive)
    return truths


def kermany(root: Path) -> Truths:
    truths = {}
    for path in ("train/NORMAL/IM-0115-0001", "train/PNEUMONIA/person1_bacteria_2",
                 "train/PNEUMONIA/person1_virus_3", "val/NORMAL/NORMAL2-IM-1427-0001",
                 "test/PNEUMONIA/person1_bacteria_475"):  # fmt: skip
        for copy in ("", "chest_xray/"):
            film(root / f"{copy}{path}.jpeg")
        split, label, name = path.split("/")
        patient = "IM-" + name.split("IM-")[1][:4] if "IM-" in name else "person1"
        labels: dict[str, int | None] = {
            "Pneumonia": int(label == "PNEUMONIA"), "Bacterial": int("bacteria" in name),
            "Viral": int("virus" in name),
        }  # fmt: skip
        truths[f"{path}.jpeg"] = Truth(f"{split}:{patient}", split, labels)
    for junk in (".DS_Store", "__MACOSX/chest_xray/train/NORMAL/._IM-0115-0001.jpeg"):
        (root / junk).parent.mkdir(parents=True, exist_ok=True)
        (root / junk).write_bytes(b"\0\5\26\7")
    return truths


def tbx11k(root: Path) -> Truths:
    names = ("ActiveTuberculosis", "ObsoletePulmonaryTuberculosis", "PulmonaryTuberculosis")
    images = {1: "tb/tb0005.png", 2: "tb/tb0007.png", 3: "health/h0001.png", 4: "sick/s0001.png"}
    boxes = [
        (1, 1, (8.2, 2.7, 4.0, 4.5)),
        (2, 2, (1.0, 2.0, 3.0, 4.0)),
        (2, 2, (5.0, 5.0, 3.0, 4.0)),
    ]
    truths = {}
    for number, name in images.items():
        film(root / "imgs" / name)
        own = [(names[kind - 1], *box) for image, kind, box in boxes if image == number]
        kinds = {kind for image, kind, _ in boxes if image == number}
        truths[f"imgs/{name}"] = Truth(
            name, "train",
            {"Tuberculosis": int(bool(own)), "Active": int(1 in kinds), "Latent": int(2 in kinds),
             "Healthy": int(name.startswith("health"))},
            boxes=tuple(own),
        )  # fmt: skip
    for part in ("train", "val", "trainval"):
        coco = {
            "categories": [{"id": k + 1, "name": name} for k, name in enumerate(names)],
            "images": [{"id": i, "file_name": name, "width": 48, "height": 40}
                       for i, name in images.items() if part != "val"],
            "annotations": [{"id": k, "image_id": i, "category_id": c, "bbox": list(box)}
                            for k, (i, c, box) in enumerate(boxes) if part != "val"],
        }  # fmt: skip
        path = root / f"annotations/json/TBX11K_{part}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(coco))
    film(root / "imgs/extra/da/CHNCXR_0001_0.png")
    return truths


def radiography(root: Path) -> Truths:
    classes = ("COVID", "Lung_Opacity", "Normal", "Viral Pneumonia")
    truths = {}
    for label in classes:
        film(root / f"data/{label}/images/{label}-1.png")
        film(root / f"data/{label}/masks/{label}-1.png")
        truths[f"data/{label}/images/{label}-1.png"] = Truth(
            f"{label}-1".casefold(), "", {name: int(name == label) for name in classes}
        )
    return truths


MINIATURES: dict[str, Callable[[Path], Truths]] = {
    "nih": nih, "chexpert": chexpert, "mimic": mimic, "padchest": padchest, "vindr": vindr,
    "rsna": rsna, "siim": siim, "jsrt": jsrt, "nlm-tb": nlm_tb, "covidx": covidx,
    "kermany": kermany, "tbx11k": tbx11k, "covid-radiography": radiography,
}  # fmt: skip
"""Name of the reader -> what writes a miniature and returns the truth."""
