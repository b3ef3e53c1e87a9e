"""The report: one page that stands alone, in which nothing from outside becomes markup."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from tests.training.conftest import TINY, write_film, write_table
from training.bundle.card import draft_card
from training.bundle.export import export
from training.cli import main
from training.config import FindingRule, TrainingConfig
from training.evaluation.evaluate import EvaluatedModel
from training.networks import build as networks
from training.report import plots
from training.report.build import rendered
from training.report.markup import Markup, element, interval, page, table
from training.report.material import Material, gather
from training.runs import RunFolder
from xrayview.domain.model import OperatingPoint
from xrayview.errors import ExitCode
from xrayview.evaluation.intervals import Estimate
from xrayview.io.model.bundle import read_card

NASTY = "<script>alert('$x_1$')</script>"


class Page(HTMLParser):
    """What a browser would make of it: tags, attributes and text, and whether tags close."""

    VOID = frozenset({"meta", "img", "br", "link", "path", "use", "line"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.words: list[str] = []
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
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)


@pytest.fixture(scope="module")
def many_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Films enough for a subgroup, with sex and age."""
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
    settings = [word for setting in TINY for word in ("--set", setting)]
    arguments = ["train", "normal-pneumonia-small", "--data", str(many_data), "--runs", str(runs)]
    assert main([*arguments, *settings, "--no-report"]) == ExitCode.OK
    return RunFolder(runs / "normal-pneumonia-small-001")


@pytest.fixture(scope="module")
def written(run: RunFolder, many_data: Path) -> str:
    """The page of a run, made by the command line with its audit before it."""
    cache = ["--cache", str(run.path / "cache")]
    assert main(["audit", str(run.path), "--data", str(many_data), *cache]) == ExitCode.OK
    arguments = ["report", str(run.path), "--data", str(many_data), "--heat-films", "3"]
    assert main(arguments) == ExitCode.OK
    return (run.path / "report.html").read_text(encoding="utf-8")


def test_that_the_page_holds_all_that_was_asked(written: str):
    found = Page(written)
    assert found.open == []
    for words in (
        "Model", "limitations", "Films", "Figures on test films", "ROC", "Precision and recall",
        "Reliability", "Confusion", "Subgroups", "Shortcut audit", "outer frame only",
        "Mean heat maps", "Worst errors", "Gate", "doubted beyond", "Confidence", "surest 80%",
        "Training", "Origin", "python -m training", "torch",
        "Research use only",
    ):  # fmt: skip
        assert words in found.text, words
    assert "Made of another bundle" not in found.text
    assert found.tags.count("svg") == 4


def test_that_the_page_fetches_nothing(written: str):
    found = Page(written)
    assert found.sources
    assert all(source.startswith(("data:image/png;base64,", "#")) for source in found.sources)
    assert not {"script", "link", "iframe", "object"} & set(found.tags)
    assert "default-src 'none'" in written
    assert not re.search(r"url\((?!#)|@import", written)


def test_that_two_drawings_share_no_reference(written: str):
    defined = re.findall(r'<(?:path|clipPath|g) id="([mp][0-9a-f]{10})"', written)
    assert defined
    assert len(defined) == len(set(defined))


def test_that_no_patient_id_stands_on_the_page(written: str):
    assert "secret" not in written
    assert "films/test-" in written or "None." in written


def test_that_a_small_subgroup_has_no_number(written: str):
    row = re.search(r"<tr><td>Pneumonia</td><td>sex</td><td>M</td>(.*?)</tr>", written)
    assert row
    assert "fewer than 20 films" in row[1]
    row = re.search(r"<tr><td>Pneumonia</td><td>age band</td><td>40-59</td>(.*?)</tr>", written)
    assert row
    assert ">48<" in row[1]


def test_that_no_validation_film_is_doubted_on_the_page(written: str):
    rows = dict(re.findall(r"<tr><td>(validation|test)</td>(.*?)</tr>", gate_of(written)))
    assert re.findall(r">([\d.%]+)<", rows["validation"])[1:] == ["100.0%", "0.0%", "0.0%"]
    assert re.findall(r">([\d.%]+)<", rows["test"])[0] == "48"


def gate_of(written: str) -> str:
    return written.partition("<h2>Gate</h2>")[2].partition("</section>")[0]


def test_that_the_figures_name_groups_and_confidence(run: RunFolder):
    text = (run.path / "test" / "metrics.txt").read_text()
    assert re.search(r"sex +M +fewer than 20 films", text)
    assert re.search(r"sex +F +42 +24 ", text)
    assert re.search(r"mean confidence [\d.]+ when right", text)
    found = json.loads((run.path / "test" / "metrics.json").read_text())["findings"]["Pneumonia"]
    groups = {(group["by"], group["group"]): group for group in found["subgroups"]}
    assert groups["sex", "M"] == {"by": "sex", "group": "M", "suppressed": "fewer than 20 films"}
    assert groups["sex", "F"]["films"] == 42
    assert {"age band", "view", "source"} <= {by for by, _ in groups}
    shares = [(surest["share"], surest["films"]) for surest in found["confidence"]["surest"]]
    assert shares == [(0.5, 24), (0.8, 38), (0.9, 43), (1.0, 48)]


def test_that_a_bundle_without_statistics_has_no_gate(hostile: Material):
    assert "has no statistics of its training films" in gate_of(rendered(hostile))


def test_that_a_report_without_an_audit_says_so(run: RunFolder, many_data: Path, tmp_path: Path):
    """The bundle alone: no log, no run.json, no audit."""
    bundle = tmp_path / "alone.pt"
    bundle.write_bytes(run.bundle(run.read_config()).read_bytes())
    model = EvaluatedModel(bundle, read_card(bundle), run.read_config())
    found = gather(model, many_data, None, tmp_path, 2, "cpu", lambda _line: None)
    text = Page(rendered(found)).text
    assert "Not made." in text
    assert "Training" not in re.findall(r"<h2>(.*?)</h2>", rendered(found))


@pytest.fixture(scope="module")
def hostile(
    tiny_config: TrainingConfig, many_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Material:
    """Markup in every place that a file from elsewhere can put it."""
    folder = tmp_path_factory.mktemp("hostile")
    rule = FindingRule(NASTY, ("viral pneumonia",), NASTY)
    config = replace(tiny_config, target=replace(tiny_config.target, findings=(rule,)))
    config = replace(config, bundle=replace(config.bundle, name=NASTY, limitations=NASTY))
    network = networks.build(config.network, 1, 1, seed=0).eval()
    card = draft_card(config, {"commit": NASTY, "counts": {NASTY: {NASTY: 1}}}, network.stride)
    card = replace(card, operating_points=(OperatingPoint(NASTY, NASTY, 0.5, NASTY),))
    bundle = folder / "hostile.pt"
    export(network, card, bundle)
    found = gather(
        EvaluatedModel(bundle, card, config), many_data, None, folder, 2, "cpu", lambda _line: None
    )
    row = {"key": NASTY, "title": NASTY, "finding": NASTY, "meaning": NASTY,
           "auc": {"value": 0.5, "low": None, "high": None, "n": 3}}  # fmt: skip
    audit = {"rows": [row], "notes": [NASTY], "command": NASTY, "model_sha256": "another"}
    mistakes = tuple(replace(m, path=NASTY) for m in found.judged[0].misses)
    judged = replace(found.judged[0], misses=mistakes, false_alarms=mistakes)
    return replace(found, audit=audit, judged=(judged,), facts={"command": NASTY})


def test_that_nothing_from_outside_becomes_markup(hostile: Material):
    written = rendered(hostile)
    found = Page(written)
    assert "script" not in found.tags
    assert NASTY not in written
    assert found.text.count(NASTY) > 10
    assert "Made of another bundle" in found.text


def test_that_a_multiclass_model_has_its_matrix_and_its_figures(hostile: Material):
    truth_N = hostile.judged[0].truth_N.astype(np.int64)
    other = replace(hostile.judged[0], finding="Other", groups=())
    classes = (truth_N, np.roll(truth_N, 3))
    text = Page(rendered(replace(hostile, judged=(other, *hostile.judged), classes=classes))).text
    assert "the highest score is named" in text
    assert "Accuracy of all classes: 0.000 (0.000-0.000)" in text


def test_that_text_is_escaped_and_markup_is_not():
    assert element("p", "<b>", Markup("<i></i>"), class_='"x"') == (
        '<p class="&quot;x&quot;">&lt;b&gt;<i></i></p>'
    )
    assert "<td>&lt;b&gt;</td>" in table(("a",), [("<b>",)])
    assert "<title>&lt;b&gt;</title>" in page("<b>")


def test_that_a_figure_without_an_interval_shows_none():
    nan = float("nan")
    assert interval(Estimate(0.5, 0.25, 0.75, 9)) == "0.500 (0.250-0.750)"
    assert interval(Estimate(0.5, nan, nan, 1)) == "0.500"
    assert interval(Estimate(nan, nan, nan, 0)) == "-"
    assert interval(None) == "-"


def test_that_a_log_of_other_columns_is_drawn_as_far_as_it_goes(tmp_path: Path):
    log = tmp_path / "log.csv"
    log.write_text("epoch,loss,validation_auc,strange\n1,0.5,,word\n2,0.4,0.9,word\n")
    drawing = plots.training_curves(log)
    assert drawing
    assert "validation auc" in drawing
    assert "strange" not in drawing
    log.write_text("epoch\n")
    assert plots.training_curves(log) is None
