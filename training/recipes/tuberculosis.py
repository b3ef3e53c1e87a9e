"""The recipe on normal films, pneumonia and tuberculosis."""

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
from training.recipes.sources import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    KERMANY,
    NIH,
    TEXT_MINED,
    TUBERCULOSIS,
)
from xrayview.domain.model import PreprocessSpec


def normal_pneumonia_tb_efficientnet() -> TrainingConfig:
    """Three classes with EfficientNet-B0, unfrozen gradually.

    Films labelled TB-negative are left out, since that is not the same as normal.
    """
    return TrainingConfig(
        recipe="normal-pneumonia-tb-efficientnet",
        summary="normal, pneumonia or tuberculosis, EfficientNet-B0 unfrozen gradually",
        data=DataConfig(
            dataset="kermany|nih|tb",
            validation_splits=("val",),
            validation_fraction=0.15,
            most_left_out=1.0,  # NIH's films with any other finding
        ),
        target=TargetConfig(
            findings=(
                FindingRule("Normal", ("normal", "No Finding"), abnormal=False),
                FindingRule("Pneumonia", ("pneumonia", "bacterial pneumonia", "viral pneumonia")),
                FindingRule("Tuberculosis", ("tuberculosis", "tb")),
            ),
            negative_labels=(),
            task="multiclass",
            activation="softmax",
        ),
        preprocessing=PreprocessSpec(
            size=(224, 224), channels=3, mean=IMAGENET_MEAN, std=IMAGENET_STD
        ),
        augment=AugmentConfig(
            rotate_deg=10.0, shift=0.1, zoom=0.1, flip=0.5, brightness=0.1, squeeze=0.0, gamma=0.0,
            noise=0.0, blur=0.0, collimate=0.0,
        ),
        network=NetworkConfig(
            architecture="efficientnet_b0",
            initial_weights="imagenet",
            head=(256,),
            head_norm=True,
            dropout=0.4,
            trainable_layers=0,
            unfreeze_every=3,
            unfreeze_layers=60,
        ),
        optim=OptimConfig(
            epochs=30, optimizer="adam", schedule="plateau", rate=1e-3, weight_decay=1e-4,
            label_smoothing=0.0, ema_decay=0.0,
        ),
        stopping=StoppingConfig(monitor="loss", patience=8),
        evaluation=EvaluationConfig(flip_average=False),
        bundle=BundleConfig(
            name="normal-pneumonia-tb-efficientnet",
            version="1.0.0",
            description="Distinguishes normal films, pneumonia and tuberculosis.",
            intended_use=(
                "Research on shortcuts: what a model learns if each class comes from another "
                "hospital. Not for diagnosis, triage or any care of a patient."
            ),
            limitations=(
                "Tuberculosis films come from other hospitals than the other classes, and "
                "pneumonia films mostly from children: scanner, size and age give the class away, "
                "so metrics over all sources prove little. Look at the shortcut audit and at the "
                "metrics within each source. "
                + TEXT_MINED
                + "All classes had the same weight in the loss."
            ),
            sources=(KERMANY, NIH, TUBERCULOSIS),
            licence="Not to be shared: the licence of the tuberculosis films is not established",
        ),
    )  # fmt: skip
