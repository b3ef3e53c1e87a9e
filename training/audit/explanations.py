"""Title of each audit row, and a sentence that explains its AUC."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xrayview.evaluation.intervals import Estimate

TITLES = {
    "frame": "outer frame only, linear model",
    "thumbnail": "8 x 8 thumbnail, linear model",
    "outline": "outline of the lungs only, linear model",
    "source": "source from 8 x 8 thumbnail, linear model",
    "source-alone": "source only, without the film",
    "whole": "model, whole film",
    "no-lungs": "model, lungs masked",
    "no-lung-box": "model, box around lungs masked",
    "only-lungs": "model, all but lungs masked",
    "own": "model, unchanged films",
    "tones": "grey values of another label's film",
    "sharpness": "sharpness of another label's film",
    "wide": "findings made wider, others narrower",
    "narrow": "findings made narrower, others wider",
    "surroundings": "surroundings of another label's film",
    "placement": "lung placement of another label's film",
}
"""Key of a row -> what is seen; in the order of the table."""


def _is_above_chance(estimate: Estimate) -> bool:
    return estimate.low > 0.5


NOT_INTERPRETABLE = (
    "Not interpretable: the model does not recognise the finding on the unchanged films."
)
_MASKING_MISLEADS = "Scores are reversed: masking makes films look like those of the other label."
_RETAINED = "{retained}"
"""Placeholder in the sentences that compare a variant with the whole film."""


def _is_reversed(estimate: Estimate) -> bool:
    return estimate.high < 0.5


def _retained(estimate: Estimate, whole: Estimate) -> str:
    """Say how much of its lead over chance the model retains; `whole` must be above chance."""
    share = (estimate.value - 0.5) / (whole.value - 0.5)
    if share > 1:
        return "the model loses nothing of its lead over chance"
    return f"the model retains {100 * share:.0f} % of its lead over chance"


Meaning = Callable[[Estimate, Estimate], str]


def _meaning(above_chance: str, at_chance: str, is_reversed: str = "") -> Meaning:
    """Return a function that picks the sentence for a row's AUC and that of the whole film.

    `is_reversed` is the sentence for an interval below 0.5; without it, `at_chance` is.
    """

    def explain(estimate: Estimate, whole: Estimate) -> str:
        if not np.isfinite(estimate.value):
            return "Cannot be computed: a class is missing among these films."
        if not np.isfinite(estimate.low):
            return "There are too few films for an interval."
        if _RETAINED in above_chance and not _is_above_chance(whole):
            return NOT_INTERPRETABLE
        if is_reversed and _is_reversed(estimate):
            return is_reversed
        text = above_chance if _is_above_chance(estimate) else at_chance
        retained = _retained(estimate, whole) if _RETAINED in text else ""
        return text.format(retained=retained, value=estimate.value)

    return explain


def _swap_meaning(what: str) -> Meaning:
    return _meaning(
        f"With {what} of films of another label {{retained}}: the rest came from there.",
        f"With {what} of films of another label the model is at chance: it depends on little else.",
        "Scores are reversed: the model follows the swapped appearance.",
    )


MEANINGS: dict[str, Meaning] = {
    "frame": _meaning(
        "Collimation, markers and background are enough for this AUC: compare a model's AUC with "
        "{value:.2f}, not with 0.50.",
        "The outer frame was not shown to predict the label.",
    ),
    "thumbnail": _meaning(
        "Coarse brightness and body shape, without the detail that a reader looks at, are enough "
        "for this AUC.",
        "Coarse brightness was not shown to predict the label.",
    ),
    "outline": _meaning(
        "The shape of the lungs, without their content, is enough for this AUC: masked lungs still "
        "show it, the masked box does not.",
        "The shape of the lungs was not shown to predict the label.",
    ),
    "source": _meaning(
        "A thumbnail reveals where a film comes from: a finding whose frequency differs between "
        "sources can be scored by recognising the source.",
        "Coarse brightness was not shown to reveal the source.",
    ),
    "source-alone": _meaning(
        "Knowing where the film comes from is enough for this AUC, without any film: metrics over "
        "all sources prove little; compare metrics within a source.",
        "The finding is not tied to the source.",
    ),
    "whole": _meaning(
        "The reference for the rows below: the same films, nothing masked.",
        "The model does not recognise the finding on these films.",
    ),
    "no-lungs": _meaning(
        "Without the lungs {retained}: it uses signs outside the lungs, or their outline.",
        "Without the lungs the model is at chance: what it uses is inside them.",
        _MASKING_MISLEADS,
    ),
    "no-lung-box": _meaning(
        "Without the lungs, their outline and the heart {retained}: that much comes from neck, "
        "shoulders, abdomen and the film's rim.",
        "Without the box around the lungs the model is at chance.",
        _MASKING_MISLEADS,
    ),
    "only-lungs": _meaning(
        "From only the lungs {retained}.",
        "The lungs are not enough: the model needs the rest of the film, or masking confuses it.",
        _MASKING_MISLEADS,
    ),
    "own": _meaning(
        "The reference for the rows below: the same films, unchanged.",
        "The model does not recognise the finding on these films.",
    ),
    "tones": _swap_meaning("the grey values"),
    "sharpness": _swap_meaning("the sharpness"),
    "wide": _swap_meaning("the shape"),
    "narrow": _swap_meaning("the shape"),
    "surroundings": _swap_meaning("the surroundings of the lungs"),
    "placement": _swap_meaning("the position and size of the lungs"),
}
"""Key of a row -> its sentence, from its AUC and that of the whole film."""
