"""Recipes: named full training configs. A recipe is a function; the table builds the menu."""

from __future__ import annotations

from collections.abc import Callable

from training.config import (
    BundleConfig,
    DataConfig,
    FindingRule,
    TargetConfig,
    TrainingConfig,
)
from xrayview.domain.model import PreprocessSpec
from xrayview.errors import UsageError

KERMANY = (
    "Kermany, Zhang, Goldbaum, Labeled OCT and Chest X-Ray Images, Mendeley Data, "
    "doi 10.17632/rscbjbr9sj, CC BY 4.0"
)


def normal_pneumonia_small() -> TrainingConfig:
    """Pneumonia on children's films: a small residual network trained from nothing."""
    return TrainingConfig(
        recipe="normal-pneumonia-small",
        summary="pneumonia on children's films, a small residual network trained from nothing",
        data=DataConfig(dataset="kermany"),
        target=TargetConfig(
            findings=(
                FindingRule(
                    name="Pneumonia",
                    labels=("bacterial pneumonia", "viral pneumonia"),
                    description="Bacterial or viral pneumonia, as graded by the data's authors.",
                ),
            ),
            negative_labels=("normal",),
            complement="Normal",
        ),
        # The stored copies are squashed to squares; stretching gives films with their true
        # aspect the same shape, where a letterbox would show the model what it never saw.
        preprocessing=PreprocessSpec(size=(160, 160), fit="stretch", standardize="film"),
        bundle=BundleConfig(
            name="paediatric-pneumonia-small",
            version="1.0.0",
            description=(
                "Scores pneumonia on frontal chest films of children with a small residual "
                "network trained from nothing on the Kermany films."
            ),
            intended_use=(
                "Research and teaching with this workbench: a first real model to try reading, "
                "scoring and heat maps on. Not for diagnosis, triage or any care of a patient."
            ),
            limitations=(
                "Trained on anteroposterior films of children of 1 to 5 years from one hospital "
                "(Guangzhou): adults, other views, other hospitals and other diseases were never "
                "seen, and every film is forced onto the one finding it knows. "
                "The training copies are 224 x 224 JPEG (quality 75), squashed to a square; films "
                "are stretched to a square here too, and fine detail was never seen. "
                "On these films a linear model that sees only the outer frame, no lung, reaches "
                "an AUC of 0.91: collimation, markers and scanner give the label away, and high "
                "figures prove little. "
                "The official test films are of another distribution than the training films: a "
                "threshold that holds its specificity on validation loses much of it there, as "
                "the metrics of both parts show. Expect the same or worse on films of your own. "
                "The loss counted presence and absence alike, so a score is not the probability "
                "of pneumonia among your patients."
            ),
            sources=(KERMANY,),
        ),
    )


RECIPES: dict[str, Callable[[], TrainingConfig]] = {
    "normal-pneumonia-small": normal_pneumonia_small,
}


def recipe(name: str) -> TrainingConfig:
    """The config of a recipe.

    Raises:
        UsageError: no recipe has this name.
    """
    if name not in RECIPES:
        raise UsageError(f"There is no recipe {name}", hint=f"Known: {', '.join(RECIPES)}.")
    return RECIPES[name]()
