"""Every recipe, on a few tiny films, ends with a bundle that the app's own loader accepts."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision

from tests.training.conftest import write_film, write_table
from training.bundle.card import draft_card
from training.cli import main
from training.config import from_dict, to_dict, with_overrides
from training.recipes import RECIPES, recipe
from training.recipes.sources import MANIFESTS
from training.runs import RunFolder
from xrayview.domain.model import ModelCard, Scope
from xrayview.errors import ExitCode, UsageError
from xrayview.inference import loading
from xrayview.io.model.bundle import card_to_json, read_card

SMALL = (
    "preprocessing.size=32", "optim.batch=4", "optim.epochs=2", "data.validation_fraction=0.4",
    "evaluation.bootstrap=20", "run.device=cpu", "network.stem=4", "network.widths=[4,8]",
    "network.depths=[1,1]", "network.strides=[2,1]", "augment.surroundings=0",
    "augment.placement=0",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """The labels of the test films, and the initial weights of the run."""

    dataset: str
    labels: tuple[str, ...]
    weights: str = "none"
    """`none`, or the torchvision network whose state dict is used."""
    settings: tuple[str, ...] = ()


CASES: dict[str, Case] = {
    "normal-pneumonia-small": Case("kermany", ("normal", "viral pneumonia")),
    "best-pneumonia": Case("kermany", ("normal", "bacterial pneumonia")),
    "normal-bacterial-viral": Case(
        "kermany", ("normal", "bacterial pneumonia", "viral pneumonia")
    ),
    "normal-pneumonia-tb-efficientnet": Case(
        "", ("normal", "pneumonia", "tuberculosis"), "efficientnet_b0",
        ("network.unfreeze_every=1",),
    ),
    "abnormal-resnet50": Case("nih", ("No Finding", "Effusion|Mass"), "resnet50"),
    "backbone-grid": Case("nih", ("No Finding", "Effusion|Mass"), "vgg16"),
    "multilabel-densenet121": Case(
        "nih", ("No Finding", "Effusion|Mass", "Pleural_Thickening"),
        settings=("data.empty_findings=allow",),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """State dicts as a user would have them on disk."""
    folder = tmp_path_factory.mktemp("weights")
    for name in {case.weights for case in CASES.values()} - {"none"}:
        state = torchvision.models.get_model(name, weights=None).state_dict()
        # VGG16's own classifier is half a gigabyte.
        state = {k: v for k, v in state.items() if v.numel() < 10**7}
        torch.save(state, folder / f"{name}.pth")
    return folder


def make_films(folder: Path, case: Case) -> Path:
    """Write films with a labels.csv, or in class folders if the case names no data set."""
    rows = []
    for number in range(30):
        split = "test" if number >= 21 else "train"
        label = case.labels[number % len(case.labels)]
        path = f"{split}-{number}.png" if case.dataset else f"{split}/{label}/{number}.png"
        write_film(folder / path, number, bright=number % len(case.labels) > 0)
        rows.append((path, case.dataset, split, label, f"p{number}", "F", "40", "PA"))
    if case.dataset:
        write_table(folder, rows)
    return folder


Trained = Callable[[str], tuple[RunFolder, ModelCard]]


@pytest.fixture(scope="module")
def trained(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Train a recipe by the command line, once per module."""

    @functools.cache
    def run_of(name: str) -> tuple[RunFolder, ModelCard]:
        case, folder = CASES[name], tmp_path_factory.mktemp(name)
        start = "none" if case.weights == "none" else str(weights / f"{case.weights}.pth")
        data = make_films(folder / "data", case)
        run = train(name, data, folder / "runs", "--initial-weights", start, *sets(*case.settings))
        return run, read_card(run.bundle(run.read_config()))

    return run_of


def train(name: str, data: Path, runs: Path, *options: str) -> RunFolder:
    arguments = ["train", name, "--data", str(data), "--runs", str(runs), "--no-report"]
    assert main([*arguments, *sets(*SMALL), *options]) == ExitCode.OK
    return RunFolder(runs / f"{name}-001")


def sets(*settings: str) -> list[str]:
    return [part for setting in settings for part in ("--set", setting)]


def test_that_every_recipe_has_a_case():
    assert set(CASES) == set(RECIPES)


@pytest.mark.parametrize("name", CASES)
def test_that_a_recipe_ends_with_a_bundle(name: str, trained: Trained):
    run, card = trained(name)
    config = run.read_config()
    loaded = loading.load(run.bundle(config), card, "cpu")
    x_BCHW = np.random.default_rng(0).random(
        (3, config.preprocessing.channels, 32, 32), dtype=np.float32
    )
    features = loaded.features(x_BCHW)
    assert features.ndim == 4
    np.testing.assert_allclose(loaded.head(features), loaded.forward(x_BCHW), atol=1e-4)
    findings = [finding.name for finding in card.findings]
    assert findings[: len(config.target.findings)] == [r.name for r in config.target.findings]
    assert card.task == config.target.task
    assert card.calibration.method == "temperature"
    assert card.metrics["test"]
    _check_initial_weights(card, run, CASES[name], name)


def _check_initial_weights(card: ModelCard, run: RunFolder, case: Case, name: str) -> None:
    facts = run.read_facts()["initial_weights"]
    used = str(card.training["initial_weights"])
    if case.weights == "none":
        assert used == "none"
    else:
        assert f"{case.weights}.pth (sha256 " in used
        assert facts["matched"] >= 26  # VGG16 has the fewest
        assert any(left.startswith(("fc.", "classifier.")) for left in facts["left_out"])
    expected = recipe(name).network.initial_weights
    note = str(card.training.get("initial_weights_of_the_recipe", ""))
    assert note.startswith("imagenet" if expected == "imagenet" else "")
    assert bool(note) == (expected == "imagenet")


def test_that_a_finding_without_films_has_no_made_up_metrics(trained: Trained):
    run, card = trained("multilabel-densenet121")
    assert card.metrics["test"]["Hernia auc"]["value"] is None
    hernia = [p for p in card.operating_points if p.finding == "Hernia"]
    assert [(p.name, p.threshold, p.sensitivity) for p in hernia] == [("balanced", 0.5, None)]
    index = [finding.name for finding in card.findings].index("Hernia")
    assert card.calibration.temperature[index] == 1.0
    report = json.loads((run.path / "test" / "metrics.json").read_text())
    assert set(report["findings"]) == {finding.name for finding in card.findings}


def test_that_a_multiclass_run_has_metrics_of_all_classes_together(trained: Trained):
    run, card = trained("normal-bacterial-viral")
    assert card.metrics["test"]["accuracy"]["n"] == 9
    assert "Viral pneumonia auc" in card.metrics["test"]
    text = (run.path / "test" / "metrics.txt").read_text()
    assert "true, predicted" in text
    assert "class                    precision    recall        F1     films" in text


def test_that_the_card_does_not_cite_sources_that_were_not_used(trained: Trained):
    _, card = trained("normal-pneumonia-tb-efficientnet")
    assert card.training["film_sources"] == {"data": 30}
    assert card.training["sources"] == []
    assert card.limitations.startswith("Trained on films from data:")
    assert "no patient id for 30 of 30 films" in str(card.training["notes"])
    assert card.scope == Scope()


@pytest.mark.parametrize("name", RECIPES)
def test_that_a_recipes_texts_are_for_its_own_films_only(name: str):
    """Films of one's own keep the data set's name in the table; only the manifest's hash counts."""
    config = recipe(name)
    own = draft_card(config, {"film_sources": {"kermany": 9}, "manifest_sha256": "0"}, 8)
    texts = json.dumps(card_to_json(own)["description"]) + own.limitations + own.intended_use
    assert own.name == f"kermany-{name}"
    assert {own.version, own.authors, own.licence, own.intended_use} == {"not stated"}
    assert own.scope == Scope()
    assert own.training["sources"] == []
    assert not any(word in texts for word in ("children", "adult", "Guangzhou", "Clinical Center"))
    known = {"film_sources": {"kermany": 9}, "manifest_sha256": min(MANIFESTS[name])}
    published = draft_card(config, known, 8)
    assert (published.name, published.scope) == (config.bundle.name, config.bundle.scope)
    assert published.limitations == config.bundle.limitations
    stated = with_overrides(config, ["bundle.authors=Us", "bundle.scope.age_years=[18,90]"])
    mine = draft_card(stated, {"film_sources": {"kermany": 9}, "manifest_sha256": "0"}, 8)
    assert (mine.authors, mine.scope.age_years) == ("Us", (18, 90))


def test_that_what_a_person_states_stays_also_if_the_recipe_says_the_same():
    recipes = recipe("normal-pneumonia-small")
    of_recipe = recipes.bundle
    stated = [f"bundle.licence={of_recipe.licence}", "bundle.scope.age_years=[1,5]"]
    card = draft_card(
        with_overrides(recipes, stated), {"film_sources": {"ours": 9}, "manifest_sha256": "0"}, 8
    )
    assert card.licence == of_recipe.licence
    assert card.authors == "not stated"
    # The view of the recipe's films was not stated for these.
    assert card.scope == Scope(age_years=(1.0, 5.0))


def test_that_what_is_stated_is_in_the_config_of_the_run():
    config = with_overrides(recipe("best-pneumonia"), ["bundle.licence=MIT", "optim.rate=1e-3"])
    config = with_overrides(config, ["bundle.scope.age_years=[1,5]"])
    assert config.bundle.stated == ("licence", "scope.age_years")
    assert from_dict(to_dict(config)) == config


def test_that_the_metrics_name_initial_weights_that_differ_from_the_recipes(trained: Trained):
    run, _ = trained("abnormal-resnet50")
    text = (run.path / "test" / "metrics.txt").read_text()
    assert "initial weights: state dict resnet50.pth (sha256 " in text
    assert "recipe: imagenet, which this run did not start from" in text


@pytest.mark.parametrize("name", ["resnet18", "efficientnet_b0"])
def test_that_another_architecture_is_an_option(name: str, tmp_path: Path):
    data = make_films(tmp_path / "data", CASES["normal-pneumonia-small"])
    # The logits of a random EfficientNet hardly vary; small steps would leave them all alike.
    options = ("--architecture", name, *sets("optim.rate=5e-2"))
    run = train("normal-pneumonia-small", data, tmp_path / "runs", *options)
    card = read_card(run.bundle(run.read_config()))
    assert card.training["architecture"] == name
    assert {"accuracy", "precision", "sensitivity", "f1"} <= set(
        json.loads((run.path / "test" / "metrics.json").read_text())["findings"]["Pneumonia"][
            "figures"
        ]
    )
    text = (run.path / "test" / "metrics.txt").read_text()
    assert "score >= 0.500     below" in text
    assert [line.split()[0] for line in text.partition("F1     films\n")[2].splitlines()[:3]] == [
        "Pneumonia", "Normal", "mean",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["abnormal-resnet50", "normal-pneumonia-tb-efficientnet"])
def test_that_a_frozen_recipe_refuses_a_random_start(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    arguments = ["train", name, "--data", str(tmp_path), "--initial-weights", "none"]
    assert main(arguments) == ExitCode.USAGE
    assert "frozen over random weights" in capsys.readouterr().err


def test_that_a_run_starts_from_another_run_of_the_same_architecture(
    trained: Trained, tmp_path: Path
):
    first, _ = trained("normal-pneumonia-small")
    data = make_films(tmp_path / "data", CASES["best-pneumonia"])
    run = train("best-pneumonia", data, tmp_path / "runs", "--initial-weights", str(first.path))
    card = read_card(run.bundle(run.read_config()))
    assert str(card.training["initial_weights"]).startswith("run normal-pneumonia-small-001")
    assert str(first.path.parent) not in str(card.training["initial_weights"])


def test_that_a_plateau_lowers_the_rate_also_after_resuming():
    from training.loop.optimisation import rate_at
    from training.loop.progress import Progress

    optim = recipe("multilabel-densenet121").optim
    assert rate_at(5, 10, optim, 1.0) == optim.rate
    assert rate_at(5, 10, optim, 0.1) == pytest.approx(optim.rate / 10)
    progress = Progress.start(["loss"])
    assert progress.rate_scale == 1.0
    progress.rate_scale = 0.1
    assert Progress.from_state(progress.as_state(), ["loss"]).rate_scale == 0.1


def test_that_l2_on_the_head_is_a_group_of_its_own_and_is_refused_with_adamw():
    from training.loop.optimisation import optimizer
    from training.networks import build as networks

    config = recipe("abnormal-resnet50")
    network = networks.build(config.network, 3, config.target.outputs, seed=0)
    groups = optimizer(network, config.optim).param_groups
    assert [group["weight_decay"] for group in groups] == [0.0, 0.0, pytest.approx(0.02)]
    assert [tuple(p.shape) for p in groups[2]["params"]] == [(256, 2048), (128, 256)]
    assert sum(len(g["params"]) for g in groups) == len(list(network.parameters()))
    with pytest.raises(UsageError, match="head_l2 is set with adamw"):
        with_overrides(config, ["optim.optimizer=adamw"])
    assert isinstance(optimizer(network, config.optim), torch.optim.Adam)
