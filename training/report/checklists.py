"""Reporting guidelines as tables: which item the report answers, and what a person must write.

CLAIM 2024 (Tejani et al., Radiology: Artificial Intelligence 2024) and TRIPOD+AI (Collins et al.,
BMJ 2024). Topics are named in short; the guidelines have the full text of their items.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from training.bundle.identity import NOT_STATED
from training.report.data import ReportData
from xrayview.domain.population import population_text

YOU_WRITE = "you write"

_ITEMS_CLAIM = """
1 | study of artificial intelligence, with the category of technology | technology
2 | structured summary |
3 | background, intended use and role | intended_use
4 | aims, objectives and hypotheses |
5 | prospective or retrospective |
6 | goal of the study |
7 | sources of data | sources
8 | inclusion and exclusion criteria | exclusions
9 | preprocessing | preprocessing
10 | selection of subsets of the data | selection
11 | de-identification |
12 | missing data | missing
13 | image acquisition |
14 | method of the reference standard | reference
15 | rationale of the reference standard |
16 | source of the annotations |
17 | annotation of the test set | votes
18 | variability of the annotators |
19 | assignment to partitions | partitions
20 | level at which partitions are disjoint | disjoint
21 | intended sample size |
22 | model | architecture
23 | software | software
24 | initial parameters | initial_weights
25 | training | training
26 | choice of the final model | choice
27 | ensembling | ensemble
28 | metrics | metrics
29 | uncertainty | intervals
30 | robustness or sensitivity | robustness
31 | explainability | heat_maps
32 | evaluation on internal data | internal
33 | testing on external data | external
34 | registration of a clinical trial |
35 | numbers included and excluded | flow
36 | characteristics of each partition | table_one
37 | performance and its uncertainty | performance
38 | diagnostic performance and its precision | performance
39 | analysis of errors | errors
40 | limitations | limitations
41 | implications for practice |
42 | protocol and technical details | settings
43 | availability of software, model and data | availability
44 | funding |
"""
_ITEMS_TRIPOD = """
1 | title |
2 | abstract |
3a | healthcare context and rationale |
3b | target population and intended use | population
3c | known health inequalities |
4 | objectives |
5a | sources of data | sources
5b | dates of the data |
6a | setting |
6b | eligibility | exclusions
6c | treatments |
7 | preparation of the data | preprocessing
8a | outcome | reference
8b | assessors of the outcome |
8c | blinding of the assessment |
9a | choice of predictors |
9b | definition of predictors | preprocessing
9c | assessors of predictors |
10 | sample size |
11 | missing data | missing
12a | use of the data in the analysis | partitions
12b | handling of predictors | preprocessing
12c | type of model and how it was built | training
12d | heterogeneity between groups | subgroups
12e | measures of performance | metrics
12f | updating of the model | recalibration
12g | how predictions are calculated | prediction
13 | class imbalance | imbalance
14 | fairness | subgroups
15 | output of the model | prediction
16 | differences between training and evaluation | external
17 | ethical approval |
18a | funding |
18b | conflicts of interest |
18c | protocol |
18d | registration |
18e | sharing of data |
18f | sharing of code | availability
19 | involvement of patients and public |
20a | flow of participants | flow
20b | characteristics | table_one
20c | comparison of development and evaluation data | table_one
21 | participants and outcomes in each analysis | table_one
22 | full model | availability
23a | performance with intervals, also in groups | performance
23b | heterogeneity of performance | subgroups
24 | results of updating | recalibration
25 | interpretation |
26 | limitations | limitations
27a | poor or missing input | scope
27b | interaction with users |
27c | next steps |
"""


@dataclass(frozen=True)
class Item:
    """An item of a guideline, and the answer that the report has for it."""

    id: str
    topic: str
    answer: str
    """A fact or a section of the report, or YOU_WRITE."""


def checklists(report: ReportData) -> dict[str, list[Item]]:
    """Return the items of each guideline with the facts of this report."""
    return {
        title: [_item(line, report) for line in text.strip().splitlines()]
        for title, text in (("CLAIM 2024", _ITEMS_CLAIM), ("TRIPOD+AI", _ITEMS_TRIPOD))
    }


def _item(line: str, report: ReportData) -> Item:
    number, topic, fact = (part.strip() for part in line.split("|"))
    answer = _FACTS[fact](report) if fact else ""
    return Item(number, topic, YOU_WRITE if answer in {"", NOT_STATED} else answer)


def _trained(report: ReportData, name: str) -> str:
    value = report.card.training.get(name, "")
    return ", ".join(map(str, value)) if isinstance(value, list | dict) else str(value)


def _technology(report: ReportData) -> str:
    return f"deep learning: {_trained(report, 'architecture') or 'a network'}; title: {YOU_WRITE}"


def _population(report: ReportData) -> str:
    population = population_text(report.card.scope)
    use = "" if report.card.intended_use == NOT_STATED else report.card.intended_use
    return "; ".join(filter(None, (population, use)))


def _missing(report: ReportData) -> str:
    data = report.config.data
    return (
        f"empty cells of findings: {data.blank}, uncertain ones: {data.uncertain} (data.blank, "
        "data.uncertain); unknown findings count neither in the loss nor in a metric"
    )


def _partitions(report: ReportData) -> str:
    data = report.config.data
    return (
        f"official splits are kept; otherwise {data.validation_fraction:.0%} of the training "
        f"patients for validation and {data.test_fraction:.0%} for test, by a hash of the patient"
    )


def _disjoint(report: ReportData) -> str:
    leaks = report.facts.get("leaks", report.card.training.get("leaks"))
    return "" if leaks is None else f"patients and pixels; leaks between splits: {leaks}"


def _training(report: ReportData) -> str:
    optim, run = report.config.optim, report.config.run
    return (
        f"{optim.epochs} epochs, batch {optim.batch}, {optim.optimizer}, rate {optim.rate:g} "
        f"({optim.schedule}), seed {run.seed}; all settings: section Settings"
    )


def _choice(report: ReportData) -> str:
    epoch = report.card.training.get("best_epoch")
    monitor = report.config.stopping.monitor
    return "" if epoch is None else f"validation {monitor} chose epoch {epoch}"


def _imbalance(report: ReportData) -> str:
    if report.config.optim.balance:
        return "the loss weighs presence and absence, or all classes, alike (optim.balance)"
    return "not corrected (optim.balance=false)"


def _external(report: ReportData) -> str:
    return f"{report.films} films of other data, section Metrics" if report.split == "all" else ""


def _internal(report: ReportData) -> str:
    return "" if report.split == "all" else f"{report.films} {report.split} films, section Metrics"


def _software(report: ReportData) -> str:
    versions = (report.facts or report.card.training).get("versions")
    named = versions.items() if isinstance(versions, dict) else ()
    return ", ".join(f"{name} {version}" for name, version in named)


def _section(name: str) -> Callable[[ReportData], str]:
    return lambda _report: f"section {name}"


_FACTS: dict[str, Callable[[ReportData], str]] = {
    "technology": _technology,
    "intended_use": lambda report: report.card.intended_use,
    "sources": lambda r: _trained(r, "sources") or _trained(r, "film_sources"),
    "exclusions": lambda report: "section Flow of films" if report.rows_of_run else "",
    "flow": lambda report: "section Flow of films" if report.rows_of_run else "",
    "preprocessing": _section("Model, input"),
    "selection": lambda r: f"views: lateral films {r.config.data.lateral.replace('_', ' ')}",
    "missing": _missing,
    "reference": lambda r: (
        "; ".join(
            f"{rule.name}: labels {', '.join(rule.labels)}" for rule in r.config.target.findings
        )
        + f"; who set them: {YOU_WRITE}"
    ),
    "votes": lambda r: (
        "" if r.config.data.votes == "none" else f"votes of several readers: {r.config.data.votes}"
    ),
    "partitions": _partitions,
    "disjoint": _disjoint,
    "architecture": lambda report: _trained(report, "architecture"),
    "software": _software,
    "initial_weights": lambda report: _trained(report, "initial_weights"),
    "training": _training,
    "choice": _choice,
    "ensemble": lambda r: (
        f"mean of {len(members)} models"
        if isinstance(members := r.card.training.get("members"), list)
        else "none"
    ),
    "metrics": _section("Metrics"),
    "performance": _section("Metrics"),
    "intervals": lambda r: f"95 % intervals, {r.draws} bootstrap draws of patients",
    "robustness": lambda report: "section Shortcut audit" if report.audit else "",
    "heat_maps": lambda r: "section Mean heat maps" if any(x.heat for x in r.results) else "",
    "internal": _internal,
    "external": _external,
    "table_one": _section("Films by split (Table 1)"),
    "errors": _section("Worst errors"),
    "limitations": lambda r: (
        "" if NOT_STATED in r.card.limitations else "section Model, limitations"
    ),
    "settings": _section("Settings"),
    "availability": lambda r: (
        f"bundle SHA-256 {r.sha256[:16]}..., licence {r.card.licence}; where it is: {YOU_WRITE}"
    ),
    "population": _population,
    "subgroups": _section("Subgroups"),
    "recalibration": lambda r: (
        f"calibrated again on {_trained(r, 'recalibration')}"
        if "recalibration" in r.card.training
        else "none"
    ),
    "prediction": lambda r: (
        f"{r.card.activation} of the logits over a temperature, section Model; scores 0 to 1, with "
        "operating points"
    ),
    "imbalance": _imbalance,
    "scope": lambda r: "section Gate" if r.gate else "",
}
"""Name in the tables above -> the answer; empty if the report does not know it."""
