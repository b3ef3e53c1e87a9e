"""What is seen in each row of the audit, and a sentence on what its figure means."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xrayview.evaluation.intervals import Estimate

TITLES = {
    "frame": "outer frame only, linear model",
    "thumbnail": "8 x 8 thumbnail, linear model",
    "outline": "outline of the lungs only, linear model",
    "source": "8 x 8 thumbnail tells the source",
    "source-alone": "the source alone, no film",
    "whole": "model, whole film",
    "no-lungs": "model, lungs blanked",
    "no-lung-box": "model, box around lungs blanked",
    "only-lungs": "model, all but lungs blanked",
    "own": "model, films as they are",
    "tones": "grey values of another label's film",
    "sharpness": "sharpness of another label's film",
    "wide": "findings drawn wide, others narrow",
    "narrow": "findings drawn narrow, others wide",
    "surroundings": "lungs in another label's film",
    "placement": "lungs where another label's lie",
}
"""What is seen; the rows of the table, in order."""


def _above_chance(estimate: Estimate) -> bool:
    return estimate.low > 0.5


def _kept(estimate: Estimate, whole: Estimate) -> str:
    """How much of its distance from chance the model keeps."""
    if whole.value <= 0.5:
        return "it is no worse than with the whole film"
    share = (estimate.value - 0.5) / (whole.value - 0.5)
    return f"it keeps {100 * share:.0f} % of its lead over chance"


Meaning = Callable[[Estimate, Estimate], str]


def _told(yes: str, no: str) -> Meaning:
    """A sentence for what can be told and one for what cannot, of a row and the whole film's."""

    def sentence(estimate: Estimate, whole: Estimate) -> str:
        if not np.isfinite(estimate.value):
            return "Cannot be told: a class is missing among these films."
        if not np.isfinite(estimate.low):
            return "Too few films to tell."
        text = yes if _above_chance(estimate) else no
        return text.format(kept=_kept(estimate, whole), value=estimate.value)

    return sentence


def _borrowing(what: str) -> Meaning:
    return _told(
        f"With {what} of films of another label {{kept}}: what is lost was read from there.",
        f"With {what} of films of another label the model is at chance: it reads little else.",
    )


MEANINGS: dict[str, Meaning] = {
    "frame": _told(
        "Collimation, markers and background alone give the label away this far: hold a model's "
        "AUC against {value:.2f}, not against 0.50.",
        "No telling from the film's rim could be shown.",
    ),
    "thumbnail": _told(
        "Coarse brightness and build, without the detail that a reader looks at, do this much of "
        "the task.",
        "No telling from coarse brightness could be shown.",
    ),
    "outline": _told(
        "The shape of the lungs alone, with nothing in them, does this much of the task: blanked "
        "lungs still give it away, their box does not.",
        "No telling from the shape of the lungs could be shown.",
    ),
    "source": _told(
        "Where a film comes from can be read from a thumbnail: a finding that differs between "
        "sources can be scored by reading the source.",
        "Sources could not be told apart by coarse brightness.",
    ),
    "source-alone": _told(
        "Knowing where the film comes from does this much of the task without any film: pooled "
        "figures prove little, look at figures within a source.",
        "The finding is not tied to the source.",
    ),
    "whole": _told(
        "What the rows below are held against: the same films, nothing blanked.",
        "The model does not tell the finding on these films.",
    ),
    "no-lungs": _told(
        "Without any lung {kept}: it reads signs outside the lungs, or their outline.",
        "Without the lungs the model is at chance: what it reads lies in them.",
    ),
    "no-lung-box": _told(
        "Without the lungs, their outline and the heart {kept}: that much is read "
        "from neck, shoulders, belly and the film's rim.",
        "Without the box around the lungs the model is at chance.",
    ),
    "only-lungs": _told(
        "From the lungs alone {kept}.",
        "The lungs alone do not suffice: it needs the rest of the film, or blanking confuses it.",
    ),
    "own": _told(
        "What the rows below are held against: no film has borrowed anything.",
        "The model does not tell the finding on these films.",
    ),
    "tones": _borrowing("the grey values"),
    "sharpness": _borrowing("the sharpness"),
    "wide": _borrowing("a shape"),
    "narrow": _borrowing("a shape"),
    "surroundings": _borrowing("the surroundings of the lungs"),
    "placement": _borrowing("the place and size of the lungs in the frame"),
}
"""Key of a row -> its sentence, from its AUC and that of the whole film."""
