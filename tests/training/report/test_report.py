"""The report: one self-contained page in which no text from outside becomes markup."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from jinja2 import UndefinedError

from tests.training.conftest import TINY, write_film, write_table
from training.bundle.card import draft_card
from training.bundle.export import export
from training.cli import main
from training.config import FindingRule, TrainingConfig
from training.evaluation.models import EvaluatedModel
from training.networks import build as networks
from training.report import plots
from training.report.build import render_report
from training.report.data import ReportData, collect
from training.report.pages import interval, render
from training.runs import RunFolder
from xrayview.domain.model import OperatingPoint
from xrayview.errors import ExitCode
from xrayview.evaluation.intervals import Estimate
from xrayview.io.model.bundle import read_card

NASTY = "<script>alert('$x_1$')</script>"


class Page(HTMLParser):
    """A page as a browser parses it: tags, attributes and text, and whether tags close."""

    VOID = frozenset({"meta", "img", "br", "link", "path", "use", "line"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.parts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [v or "" for k, v in attrs if k in {"src", "href", "xlink:href"}]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.parts)


@pytest.fixture(scope="module")
def many_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough films for a subgroup, with sex and age."""
    folder = tmp_path_factory.mktemp("many")
    rows = []
    for number in range(80):
        split = "train" if number < 32 else "test"
        label = ("normal", "viral pneumonia")[number % 2]
        path = f"films/{split}-{number:02d}.png"
        write_film(folder / path, number, bright=bool(number % 2))
        sex = "M" if number % 8 == 0 else "F"
        patient = f"secret-{split}-{number}"
        rows.append((path, "kermany", split, label, patient, sex, "057Y", "AP"))
    write_table(folder, rows)
    return folder


@pytest.fixture(scope="module")
def run(many_data: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    runs = tmp_path_factory.mktemp("runs")
    settings = [part for setting in TINY for part in ("--set", setting)]
    arguments = ["train", "normal-pneumonia-small", "--data", str(many_data), "--runs", str(runs)]
    assert main([*arguments, *settings, "--no-report"]) == ExitCode.OK
    return RunFolder(runs / "normal-pneumonia-small-001")


@pytest.fixture(scope="module")
def written(run: RunFolder, many_data: Path) -> str:
    """The page of a run, written by the command line after its audit."""
    cache = ["--cache", str(run.path / "cache")]
    assert main(["audit", str(run.path), "--data", str(many_data), *cache]) == ExitCode.OK
    arguments = ["report", str(run.path), "--data", str(many_data), "--heat-films", "3"]
    assert main(arguments) == ExitCode.OK
    return (run.path / "report.html").read_text(encoding="utf-8")


def test_that_the_page_has_all_sections(written: str):
    page = Page(written)
    assert page.open == []
    for text in (
        "Model", "limitations", "Films", "Metrics on test films", "ROC", "Precision and recall",
        "Reliability", "Confusion", "Subgroups", "Shortcut audit", "outer frame only",
        "Mean heat maps", "Worst errors", "Gate", "caution beyond", "Confidence",
        "most confident 80%", "Training", "Origin", "python -m training", "torch",
        "Research use only", "Flow of films", "Table 1", "Calibration and use", "Decision curve",
        "calibration slope", "CLAIM 2024", "TRIPOD+AI", "you write", "Settings", "optim.rate",
    ):  # fmt: skip
        assert text in page.text, text
    assert "of another bundle" not in page.text
    assert page.tags.count("svg") == 5


def test_that_the_page_fetches_nothing(written: str):
    page = Page(written)
    assert page.sources
    assert all(source.startswith(("data:image/png;base64,", "#")) for source in page.sources)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    assert "default-src 'none'" in written
    assert not re.search(r"url\((?!#)|@import", written)


def test_that_two_plots_share_no_id(written: str):
    defined = re.findall(r'<(?:path|clipPath|g) id="([mp][0-9a-f]{10})"', written)
    assert defined
    assert len(defined) == len(set(defined))


def test_that_the_plots_are_files_beside_the_page(written: str, run: RunFolder):
    figures = sorted((run.path / "report-figures").iterdir())
    assert [figure.stem for figure in figures] == [
        "decision", "gate", "reliability", "roc", "training"
    ]  # fmt: skip
    for figure in figures:
        root = ET.parse(figure).getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "secret" not in "".join(figure.read_text() for figure in figures)


def test_that_no_patient_id_is_on_the_page(written: str):
    assert "secret" not in written
    assert "films/test-" in written or "None." in written


def test_that_a_small_subgroup_has_no_values(written: str):
    row = re.search(r"<tr><td>Pneumonia</td><td>sex</td><td>M</td>(.*?)</tr>", written)
    assert row
    assert "fewer than 20 films" in row[1]
    row = re.search(r"<tr><td>Pneumonia</td><td>age band</td><td>40-59</td>(.*?)</tr>", written)
    assert row
    assert ">48<" in row[1]


def test_that_four_percent_of_the_validation_films_are_in_caution_on_the_page(written: str):
    rows = dict(re.findall(r"<tr><td>(validation|test)</td>(.*?)</tr>", gate_of(written)))
    assert re.findall(r">([\d.%]+)<", rows["validation"])[1:] == ["96.0%", "4.0%", "0.0%"]
    assert re.findall(r">([\d.%]+)<", rows["test"])[0] == "48"


def gate_of(written: str) -> str:
    return written.partition("<h2>Gate</h2>")[2].partition("</section>")[0]


def test_that_the_metrics_include_groups_and_confidence(run: RunFolder):
    text = (run.path / "test" / "metrics.txt").read_text()
    assert re.search(r"sex +M +fewer than 20 films", text)
    assert re.search(r"sex +F +42 +24 ", text)
    assert re.search(r"mean confidence [\d.]+ when right", text)
    results = json.loads((run.path / "test" / "metrics.json").read_text())["findings"]["Pneumonia"]
    groups = {(group["by"], group["group"]): group for group in results["subgroups"]}
    assert groups["sex", "M"] == {"by": "sex", "group": "M", "suppressed": "fewer than 20 films"}
    assert groups["sex", "F"]["films"] == 42
    assert {"age band", "view", "source"} <= {by for by, _ in groups}
    shares = [(part["share"], part["films"]) for part in results["confidence"]["surest"]]
    assert shares == [(0.5, 24), (0.8, 38), (0.9, 43), (1.0, 48)]


def test_that_a_bundle_without_statistics_has_no_gate(hostile: ReportData):
    assert "has no statistics of its training films" in gate_of(render_report(hostile))


def test_that_a_report_without_an_audit_says_so(run: RunFolder, many_data: Path, tmp_path: Path):
    """A bundle without its run folder: no log, no run.json, no audit."""
    bundle = tmp_path / "alone.pt"
    bundle.write_bytes(run.bundle(run.read_config()).read_bytes())
    model = EvaluatedModel(bundle, read_card(bundle), run.read_config())
    written = render_report(collect(model, many_data, None, tmp_path, 2, "cpu", lambda _line: None))
    assert "There is no audit." in Page(written).text
    assert "Training" not in re.findall(r"<h2>(.*?)</h2>", written)


@pytest.fixture(scope="module")
def hostile(
    tiny_config: TrainingConfig, many_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> ReportData:
    """Markup in every text that can come from a file."""
    folder = tmp_path_factory.mktemp("hostile")
    rule = FindingRule(NASTY, ("viral pneumonia",), NASTY)
    config = replace(tiny_config, target=replace(tiny_config.target, findings=(rule,)))
    config = replace(config, bundle=replace(config.bundle, name=NASTY, limitations=NASTY))
    network = networks.build(config.network, 1, 1, seed=0).eval()
    card = draft_card(config, {"commit": NASTY, "counts": {NASTY: {NASTY: 1}}}, network.stride)
    card = replace(card, operating_points=(OperatingPoint(NASTY, NASTY, 0.5, NASTY),))
    bundle = folder / "hostile.pt"
    export(network, card, bundle)
    report = collect(
        EvaluatedModel(bundle, card, config), many_data, None, folder, 2, "cpu", lambda _line: None
    )
    row = {"key": NASTY, "title": NASTY, "finding": NASTY, "meaning": NASTY,
           "auc": {"value": 0.5, "low": None, "high": None, "n": 3}}  # fmt: skip
    audit = {"rows": [row], "notes": [NASTY], "command": NASTY, "model_sha256": "another"}
    result = report.results[0]
    mistakes = tuple(replace(m, path=NASTY) for m in result.false_negatives)
    result = replace(result, false_negatives=mistakes, false_positives=mistakes)
    return replace(report, audit=audit, results=(result,), facts={"command": NASTY})


def test_that_no_text_from_outside_becomes_markup(hostile: ReportData):
    written = render_report(hostile)
    page = Page(written)
    assert "script" not in page.tags
    assert NASTY not in written
    assert page.text.count(NASTY) > 10
    assert "of another bundle" in page.text


def test_that_a_multiclass_model_has_its_matrix_and_its_metrics(hostile: ReportData):
    truth_N = hostile.results[0].truth_N.astype(np.int64)
    other = replace(hostile.results[0], finding="Other", groups=())
    classes = (truth_N, np.roll(truth_N, 3))
    report = replace(hostile, results=(other, *hostile.results), classes=classes)
    text = Page(render_report(report)).text
    assert "the finding with the highest score" in text
    assert "Accuracy of all classes: 0.000 (0.000-0.000)" in text


def test_that_a_missing_value_is_an_error_and_not_an_empty_page():
    with pytest.raises(UndefinedError):
        render("grid.html", title="<b>")
    assert "<title>&lt;b&gt;</title>" in render("base.html", title="<b>")


def test_that_an_estimate_without_an_interval_shows_none():
    nan = float("nan")
    assert interval(Estimate(0.5, 0.25, 0.75, 9)) == "0.500 (0.250-0.750)"
    assert interval(Estimate(0.5, nan, nan, 1)) == "0.500"
    assert interval(Estimate(nan, nan, nan, 0)) == "-"
    assert interval(None) == "-"


def test_that_a_log_of_other_columns_is_drawn_as_far_as_it_goes(tmp_path: Path):
    log = tmp_path / "log.csv"
    log.write_text("epoch,loss,validation_auc,strange\n1,0.5,,word\n2,0.4,0.9,word\n")
    plot = plots.training_curves(log)
    assert plot
    assert "validation auc" in plot
    assert "strange" not in plot
    log.write_text("epoch\n")
    assert plots.training_curves(log) is None
