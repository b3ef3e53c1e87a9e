"""Recipes on children's films: pneumonia, and which kind."""

from __future__ import annotations

from training.config import (
    AugmentConfig,
    BundleConfig,
    DataConfig,
    EvaluationConfig,
    FindingRule,
    NetworkConfig,
    OptimConfig,
    StoppingConfig,
    TargetConfig,
    TrainingConfig,
)
from training.recipes.sources import KERMANY
from xrayview.domain.model import PreprocessSpec, Scope

PNEUMONIA = FindingRule(
    name="Pneumonia",
    labels=("bacterial pneumonia", "viral pneumonia", "pneumonia"),
    description="Bacterial or viral pneumonia, as graded by the data's authors.",
)
CHILDREN = Scope(age_years=(1, 5), view_positions=("AP",))
_STORED = (
    "The training copies are 224 x 224 JPEG (quality 75), squashed to a square; films are "
    "stretched to a square here too, and fine detail was never seen. "
)
_CHILDREN = (
    "Trained on anteroposterior films of children of 1 to 5 years from one hospital (Guangzhou): "
    "adults, other views, other hospitals and other diseases were never seen, and every film is "
    "forced onto what the model knows. "
)
_FRAME = (
    "On the official test films a linear model that sees only the outer frame, no lung, reaches an "
    "AUC of 0.84 (the shortcut audit tells): collimation, markers and scanner give the label away, "
    "and high figures prove little. "
)
_SHIFT = (
    "The official test films are of another distribution than the training films: a threshold "
    "that holds its specificity on validation loses much of it there, as the metrics of both "
    "parts show. Expect the same or worse on films of your own. "
)
_ALIKE = (
    "The loss counted presence and absence alike, so a score is not the probability of pneumonia "
    "among your patients."
)
_LENT_LOOKS = AugmentConfig(
    rotate_deg=10.0,
    blur=0.0,
    collimate=0.0,
    mirrored=0.5,
    tone=0.5,
    sharpness=0.5,
    placement=0.5,
    surroundings=0.5,
)
"""Half of the films have what tells the label without the lungs from another film."""


def normal_pneumonia_small() -> TrainingConfig:
    """Pneumonia on children's films: a small residual network trained from nothing."""
    return TrainingConfig(
        recipe="normal-pneumonia-small",
        summary="pneumonia on children's films, a small residual network trained from nothing",
        data=DataConfig(dataset="kermany", lung_masks="kermany_lungs"),
        target=TargetConfig(
            findings=(PNEUMONIA,),
            negative_labels=("normal",),
            complement="Normal",
        ),
        # The stored copies are squashed to squares; stretching gives films with their true
        # aspect the same shape, where a letterbox would show the model what it never saw.
        preprocessing=PreprocessSpec(size=(160, 160), fit="stretch", standardize="film"),
        augment=_LENT_LOOKS,
        network=NetworkConfig(widths=(24, 48, 96, 232)),
        # Films in foreign surroundings and greys are harder: the loss falls for longer.
        optim=OptimConfig(epochs=22, label_smoothing=0.0),
        # The one-cycle rate gains most at its end: a run that stops before has gained nothing.
        stopping=StoppingConfig(patience=22),
        bundle=BundleConfig(
            name="paediatric-pneumonia-small",
            version="1.4.0",
            description=(
                "Scores pneumonia on frontal chest films of children with a small residual "
                "network trained from nothing on the Kermany films."
            ),
            intended_use=(
                "Research and teaching with this workbench: a first real model to try reading, "
                "scoring and heat maps on. Not for diagnosis, triage or any care of a patient."
            ),
            limitations=_CHILDREN + _STORED + _FRAME + _SHIFT + _ALIKE,
            sources=(KERMANY,),
            scope=CHILDREN,
        ),
    )


def best_pneumonia() -> TrainingConfig:
    """Pneumonia on children's films: wider and deeper than the small recipe, averaged weights."""
    return TrainingConfig(
        recipe="best-pneumonia",
        summary="pneumonia on children's films, wider and deeper than the small recipe",
        data=DataConfig(dataset="kermany", lung_masks="kermany_lungs"),
        target=TargetConfig(
            findings=(PNEUMONIA,), negative_labels=("normal",), complement="Normal"
        ),
        preprocessing=PreprocessSpec(size=(160, 160), fit="stretch", standardize="film"),
        augment=_LENT_LOOKS,
        network=NetworkConfig(stem=24, widths=(32, 64, 128, 256), depths=(2, 2, 2, 2), dropout=0.3),
        optim=OptimConfig(epochs=20, label_smoothing=0.0, ema_decay=0.998),
        # The one-cycle rate gains most at its end: a run that stops before has gained nothing.
        stopping=StoppingConfig(patience=20),
        bundle=BundleConfig(
            name="paediatric-pneumonia",
            version="1.0.0",
            description=(
                "Scores pneumonia on frontal chest films of children with a residual network on "
                "the Kermany films; the mean of a film and its mirror image."
            ),
            intended_use=(
                "Research and teaching with this workbench. Not for diagnosis, triage or any care "
                "of a patient."
            ),
            limitations=_CHILDREN + _STORED + _FRAME + _SHIFT + _ALIKE,
            sources=(KERMANY,),
            scope=CHILDREN,
        ),
    )


def normal_bacterial_viral() -> TrainingConfig:
    """Three classes on children's films; patients stay on one side."""
    return TrainingConfig(
        recipe="normal-bacterial-viral",
        summary="normal, bacterial or viral pneumonia on children's films, ResNet-18",
        data=DataConfig(dataset="kermany"),
        target=TargetConfig(
            findings=(
                FindingRule("Normal", ("normal",), "No pneumonia.", abnormal=False),
                FindingRule("Bacterial pneumonia", ("bacterial pneumonia", "bacteria")),
                FindingRule("Viral pneumonia", ("viral pneumonia", "virus")),
            ),
            negative_labels=(),
            task="multiclass",
            activation="softmax",
        ),
        preprocessing=PreprocessSpec(size=(224, 224), fit="stretch", standardize="film"),
        augment=AugmentConfig(rotate_deg=10.0, zoom=0.15, gamma=0.0, noise=0.0, blur=0.0),
        network=NetworkConfig(architecture="resnet18", initial_weights="imagenet", dropout=0.3),
        optim=OptimConfig(epochs=20, rate=5e-4, weight_decay=0.02),
        evaluation=EvaluationConfig(flip_average=True),
        bundle=BundleConfig(
            name="paediatric-normal-bacterial-viral",
            version="1.0.0",
            description=(
                "Tells normal, bacterial and viral pneumonia apart on frontal chest films of "
                "children; every film gets one of the three."
            ),
            intended_use=(
                "Research on what can be told apart on these films. Not for diagnosis, triage, "
                "the choice of a treatment or any care of a patient."
            ),
            limitations=_CHILDREN
            + _STORED
            + _FRAME
            + _SHIFT
            + "Bacterial and viral pneumonia overlap on films, and how the labels were made is "
            "not fully described by the data's authors. The loss counted all classes alike.",
            sources=(KERMANY,),
            scope=CHILDREN,
        ),
    )
