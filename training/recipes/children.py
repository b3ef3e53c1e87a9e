"""Recipes on films of children: pneumonia, and bacterial or viral pneumonia."""

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
    "The training films were 224 x 224 JPEG copies (quality 75), squashed to a square; other films "
    "are stretched to a square too. The model has never seen fine detail. "
)
_CHILDREN = (
    "Trained on anteroposterior films of children of 1 to 5 years from one hospital (Guangzhou). "
    "It has never seen adults, other views, other hospitals or other diseases, and still scores "
    "such films as if they were like its own. "
)
_FRAME = (
    "On the official test films a linear model that sees only the outer frame, without the lungs, "
    "reaches an AUC of 0.84 (see the shortcut audit): collimation, markers and scanner give the "
    "label away, so a high AUC does not show that a model reads the lungs. "
)
_SHIFT = (
    "The official test films are distributed differently from the training films: a threshold "
    "loses much of its validation specificity there, as the metrics of both splits show. Expect "
    "the same or worse on your own films. "
)
_BALANCED = (
    "Presence and absence had the same weight in the loss, so a score is not the probability of "
    "pneumonia for your patients."
)
_TRANSFER = AugmentConfig(
    rotate_deg=10.0,
    blur=0.0,
    collimate=0.0,
    mirrored=0.5,
    tone=0.5,
    sharpness=0.5,
    placement=0.5,
    surroundings=0.5,
)
"""Half of the films take from another film what gives the label away outside the lungs."""


def normal_pneumonia_small() -> TrainingConfig:
    """Pneumonia on films of children: a small residual network trained from scratch."""
    return TrainingConfig(
        recipe="normal-pneumonia-small",
        summary="pneumonia on films of children, a small residual network trained from scratch",
        data=DataConfig(dataset="kermany", lung_masks="kermany_lungs"),
        target=TargetConfig(
            findings=(PNEUMONIA,),
            negative_labels=("normal",),
            complement="Normal",
        ),
        # The stored copies are squashed to squares; stretching gives other films the same shape,
        # while a letterbox would be a shape that the model never saw in training.
        preprocessing=PreprocessSpec(size=(160, 160), fit="stretch", standardize="film"),
        augment=_TRANSFER,
        network=NetworkConfig(widths=(24, 48, 96, 232)),
        # With transferred surroundings and greys films are harder: the loss falls for longer.
        optim=OptimConfig(epochs=22, label_smoothing=0.0),
        # The one-cycle schedule gains most at its end, so a run never stops early.
        stopping=StoppingConfig(patience=22),
        bundle=BundleConfig(
            name="paediatric-pneumonia-small",
            version="1.4.2",
            description=(
                "Scores pneumonia on frontal chest films of children with a small residual "
                "network trained from scratch on the Kermany films."
            ),
            intended_use=(
                "Research and teaching with this workbench: a first real model for trying out "
                "reading, scoring and heat maps. Not for diagnosis, triage or any care of a "
                "patient."
            ),
            limitations=_CHILDREN + _STORED + _FRAME + _SHIFT + _BALANCED,
            sources=(KERMANY,),
            scope=CHILDREN,
        ),
    )


def best_pneumonia() -> TrainingConfig:
    """Pneumonia on films of children: wider and deeper than the small recipe."""
    return TrainingConfig(
        recipe="best-pneumonia",
        summary="pneumonia on films of children, wider and deeper than the small recipe",
        data=DataConfig(dataset="kermany", lung_masks="kermany_lungs"),
        target=TargetConfig(
            findings=(PNEUMONIA,), negative_labels=("normal",), complement="Normal"
        ),
        preprocessing=PreprocessSpec(size=(160, 160), fit="stretch", standardize="film"),
        augment=_TRANSFER,
        network=NetworkConfig(stem=24, widths=(32, 64, 128, 256), depths=(2, 2, 2, 2), dropout=0.3),
        optim=OptimConfig(epochs=20, label_smoothing=0.0, ema_decay=0.998),
        # The one-cycle schedule gains most at its end, so a run never stops early.
        stopping=StoppingConfig(patience=20),
        bundle=BundleConfig(
            name="paediatric-pneumonia",
            version="1.0.2",
            description=(
                "Scores pneumonia on frontal chest films of children with a residual network on "
                "the Kermany films; the mean of a film and its mirror image."
            ),
            intended_use=(
                "Research and teaching with this workbench. Not for diagnosis, triage or any care "
                "of a patient."
            ),
            limitations=_CHILDREN + _STORED + _FRAME + _SHIFT + _BALANCED,
            sources=(KERMANY,),
            scope=CHILDREN,
        ),
    )


def normal_bacterial_viral() -> TrainingConfig:
    """Normal, bacterial or viral pneumonia on films of children."""
    return TrainingConfig(
        recipe="normal-bacterial-viral",
        summary="normal, bacterial or viral pneumonia on films of children, ResNet-18",
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
                "Distinguishes normal films, bacterial and viral pneumonia on frontal chest films "
                "of children; every film gets one of the three."
            ),
            intended_use=(
                "Research on what these films can distinguish. Not for diagnosis, triage, the "
                "choice of a treatment or any care of a patient."
            ),
            limitations=_CHILDREN
            + _STORED
            + _FRAME
            + _SHIFT
            + "Bacterial and viral pneumonia look alike on many films, and the authors of the data "
            "do not fully describe how the labels were made. All classes had the same weight in "
            "the loss.",
            sources=(KERMANY,),
            scope=CHILDREN,
        ),
    )
