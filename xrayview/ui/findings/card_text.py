"""A model card as HTML: intended use, limitations, operating points and metrics."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from xrayview.domain.model import ModelCard
from xrayview.engine.protocol import ModelReady
from xrayview.ui.style.colours import C


def _style() -> str:
    return (
        "<style>h1{font-size:20px}"
        f".head{{font-size:12px;font-weight:600;color:{C.quiet};margin-top:20px}}"
        f"td,th{{padding:3px 14px 3px 0;text-align:left}} th{{color:{C.quiet}}}"
        f".quiet{{color:{C.quiet}}} .warn{{color:{C.warn}}}</style>"
    )


def card_html(ready: ModelReady) -> str:
    """The card as HTML; every text from the file is escaped."""
    card = ready.card
    parts = [
        _style(),
        f"<h1>{escape(card.name)} {escape(card.version)}</h1>",
        f"<p>{_lines(card.description)}</p>",
        _section("Intended use", _lines(card.intended_use) or "Not stated."),
        _section("Limitations", f"<span class='warn'>{_lines(card.limitations)}</span>")
        if card.limitations
        else _section("Limitations", "Not stated."),
        _section("Findings and operating points", _findings(card)),
        _section("Metrics", _metrics(card)),
        _section("Training", _facts(card.training.items())),
        _section("Preprocessing", _facts(_preprocessing(card))),
        _section("Scores", _facts(_scores(card))),
        _section("This file", _facts(_file(ready))),
    ]
    return "".join(parts)


def _section(title: str, body: str) -> str:
    return f"<p class='head'>{escape(title.upper())}</p><div>{body}</div>" if body else ""


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{top}</tr>{body}</table>"


def _findings(card: ModelCard) -> str:
    rows = []
    for finding in card.findings:
        point = card.operating_point(finding.name)
        rows.append(
            (
                finding.name,
                f"{point.threshold:.3f}",
                point.chosen_by,
                _decimal(point.sensitivity),
                _decimal(point.specificity),
            )
        )
    return _table(("Finding", "Threshold", "Chosen by", "Sensitivity", "Specificity"), rows)


def _metrics(card: ModelCard) -> str:
    rows = [
        (split, name.replace("_", " "), _decimal(m.get("value")), _interval(m), _count(m.get("n")))
        for split, metrics in card.metrics.items()
        for name, m in metrics.items()
    ]
    if not rows:
        return "The card states no metrics."
    return _table(("Films", "Metric", "Value", "95 % interval", "n"), rows)


def _interval(metric: dict[str, float | int | None]) -> str:
    low, high = metric.get("low"), metric.get("high")
    return "" if low is None or high is None else f"{low:.3f} – {high:.3f}"


def _decimal(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _count(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _preprocessing(card: ModelCard) -> Iterable[tuple[str, object]]:
    spec = card.preprocessing
    channels = "1 channel (grey)" if spec.channels == 1 else f"{spec.channels} identical channels"
    yield "Input", f"{spec.size[1]} × {spec.size[0]} pixels, {channels}"
    yield "Grey scale", f"{spec.source} {spec.percentiles[0]}–{spec.percentiles[1]} %"
    yield "Fit", f"{spec.fit}, {spec.interpolation}"
    yield "Equalisation", spec.equalize
    per_film = spec.standardize == "film"
    yield "Standardisation", "per film" if per_film else "fixed mean and deviation"


def _scores(card: ModelCard) -> Iterable[tuple[str, object]]:
    yield "Task", f"{card.task}, {card.activation}"
    calibration = card.calibration
    fitted = f", fitted on {calibration.fitted_on}" if calibration.fitted_on else ""
    temperature = ", ".join(f"{t:.3f}" for t in calibration.temperature)
    yield (
        "Calibration",
        ("none" if calibration.method == "none" else f"temperature {temperature}{fitted}"),
    )
    yield "Averaged over flips", "yes" if card.flip_average else "no"
    if card.outputs == "probabilities":
        yield "Network output", "probabilities, converted to logits"


def _file(ready: ModelReady) -> Iterable[tuple[str, object]]:
    card = ready.card
    yield "File", ready.model.path.name
    yield "SHA-256", ready.model.sha256
    yield "Authors", card.authors
    yield "Licence", card.licence
    yield "Created", card.created_utc
    yield "Runs on", f"{ready.device_name} ({ready.device}), {ready.precision}"
    yield "Grad-CAM", ready.features_note


def _facts(rows: Iterable[tuple[str, object]]) -> str:
    cells = "".join(
        f"<tr><td class='quiet'>{escape(name.replace('_', ' ').capitalize())}</td>"
        f"<td>{escape(_plain(value))}</td></tr>"
        for name, value in rows
        if value not in ("", None, (), [], {})
    )
    return f"<table>{cells}</table>" if cells else "Not stated."


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_plain(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(item) for item in value)
    return str(value)
