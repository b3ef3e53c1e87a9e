"""Recipes on films of adults from the NIH Clinical Center."""

from __future__ import annotations

from dataclasses import replace

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
from training.recipes.sources import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    NIH,
    NIH_FINDINGS,
    TEXT_MINED,
)
from xrayview.domain.model import PreprocessSpec, Scope

_ADULTS = (
    "Trained on films from one hospital (NIH Clinical Center), many of severely ill adults. Few "
    "films are of patients under 18 years; there were no lateral films and no other hospitals. "
)
_SCOPE = Scope(age_years=(18, 120), view_positions=("AP", "PA"))
"""The few younger patients are training films too, but too few to be in scope."""
_INTENDED = "Research and teaching. Not for diagnosis, triage or any care of a patient."


def abnormal_resnet50() -> TrainingConfig:
    """Normal or abnormal by NIH's labels, training the last layers of a ResNet-50.

    Augmentation is noise and rotation only, at a learning rate of 1e-5, as in the published
    experiment.
    """
    return TrainingConfig(
        recipe="abnormal-resnet50",
        summary="normal or abnormal adult films, the last 30 layers of ResNet-50",
        data=DataConfig(
            dataset="nih",
            train_splits=("train", "val"),
            validation_fraction=0.2,
            balance="fewest",
        ),
        target=TargetConfig(
            findings=(
                FindingRule("Abnormal", NIH_FINDINGS, "Any of the 14 findings of the labels."),
            ),
            negative_labels=("No Finding",),
            activation="softmax",
            complement="Normal",
        ),
        preprocessing=PreprocessSpec(
            size=(224, 224),
            channels=3,
            fit="stretch",
            equalize="histogram",
            mean=IMAGENET_MEAN,
            std=IMAGENET_STD,
        ),
        augment=AugmentConfig(
            rotate_deg=10.0, noise=0.05, shift=0.0, zoom=0.0, squeeze=0.0, flip=0.0, gamma=0.0,
            blur=0.0, collimate=0.0,
        ),
        network=NetworkConfig(
            architecture="resnet50",
            initial_weights="imagenet",
            trainable_layers=30,
            head=(256, 128),
            dropout=0.5,
        ),
        optim=OptimConfig(
            epochs=50, optimizer="adam", schedule="constant", rate=1e-5, weight_decay=0.0,
            head_l2=0.01, label_smoothing=0.0, ema_decay=0.0,
        ),
        stopping=StoppingConfig(monitor="loss", patience=3),
        evaluation=EvaluationConfig(flip_average=False),
        bundle=BundleConfig(
            name="abnormal-resnet50",
            version="1.0.0",
            description="Scores whether an adult's frontal chest film shows any of 14 findings.",
            intended_use=_INTENDED,
            limitations=_ADULTS + TEXT_MINED
            + "Abnormal stands for 14 very different findings; any other abnormality counts as "
            "normal. Training films were balanced, so a score is not a probability for your "
            "patients.",
            sources=(NIH,),
            scope=_SCOPE,
        ),
    )  # fmt: skip


def backbone_grid() -> TrainingConfig:
    """Normal or abnormal with a frozen backbone: the basis of the command `grid`.

    `grid` trains VGG16, ResNet50 and InceptionV3, without and with this augmentation, on the films
    of `abnormal-resnet50`.
    """
    base = abnormal_resnet50()
    return TrainingConfig(
        recipe="backbone-grid",
        summary="normal or abnormal adult films, three frozen backbones (`grid` trains them all)",
        data=base.data,
        target=replace(base.target, activation="sigmoid"),
        preprocessing=base.preprocessing,
        augment=AugmentConfig(
            rotate_deg=10.0, shift=0.1, zoom=0.1, flip=0.5, brightness=0.1, squeeze=0.0, gamma=0.0,
            noise=0.0, blur=0.0, collimate=0.0,
        ),
        network=NetworkConfig(
            architecture="vgg16",
            initial_weights="imagenet",
            trainable_layers=0,
            head=(256,),
            dropout=0.5,
            auxiliary=False,
        ),
        optim=OptimConfig(
            epochs=20, optimizer="adamax", schedule="constant", rate=1e-3, weight_decay=0.0,
            label_smoothing=0.0, ema_decay=0.0,
        ),
        stopping=StoppingConfig(monitor="accuracy", also=("recall",), patience=8),
        evaluation=EvaluationConfig(flip_average=False, fixed_points=(0.3,)),
        bundle=BundleConfig(
            name="backbone-grid",
            version="1.0.0",
            description="Scores whether an adult's frontal chest film shows any of 14 findings.",
            intended_use=_INTENDED,
            limitations=base.bundle.limitations
            + "The backbone was not trained on these films. Chosen by recall, a model may call "
            "nearly every film abnormal: look at its precision too.",
            sources=(NIH,),
            scope=_SCOPE,
        ),
    )  # fmt: skip


def multilabel_densenet121() -> TrainingConfig:
    """The 14 findings of NIH's labels, independent of each other; unknown labels are masked.

    Architecture and size as in Rajpurkar et al., CheXNet, 2017.
    """
    return TrainingConfig(
        recipe="multilabel-densenet121",
        summary="14 findings on adult films, DenseNet-121; unknown labels are masked",
        data=DataConfig(dataset="nih", validation_splits=("val",)),
        target=TargetConfig(
            findings=tuple(
                FindingRule(name.replace("_", " "), (name,)) for name in NIH_FINDINGS
            ),
            negative_labels=("No Finding",),
            task="multilabel",
        ),
        preprocessing=PreprocessSpec(size=(224, 224), standardize="film"),
        network=NetworkConfig(
            architecture="densenet121", initial_weights="imagenet", dropout=0.2
        ),
        optim=OptimConfig(
            epochs=30, optimizer="adam", schedule="plateau", rate=1e-4, weight_decay=1e-5,
            label_smoothing=0.0, ema_decay=0.99,
        ),
        stopping=StoppingConfig(monitor="auc", patience=8),
        bundle=BundleConfig(
            name="multilabel-densenet121",
            version="1.0.0",
            description="Scores 14 findings on frontal chest films of adults, independently.",
            intended_use=_INTENDED,
            limitations=_ADULTS + TEXT_MINED
            + "Some findings are rare among the training films: see their counts, and read each "
            "metric with its interval. Presence and absence had the same weight for each finding, "
            "so a score is not a probability for your patients.",
            sources=(NIH,),
            scope=_SCOPE,
        ),
    )  # fmt: skip
