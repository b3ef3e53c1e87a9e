"""A snapshot of the film on screen, with everything that its figure shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xrayview.display.burned_in import BurnedIn, burned_in
from xrayview.display.drawings import AnnotationDrawing
from xrayview.display.figure import compose
from xrayview.display.figure_raster import draw
from xrayview.domain.figure import Figure, FigureLook, FigureStyle, HeatLayer
from xrayview.domain.radiograph import Radiograph, Spacing
from xrayview.domain.verdict import verdict_text
from xrayview.io.export import encode, write_bytes
from xrayview.io.figure_svg import svg
from xrayview.services.session import Session
from xrayview.ui.viewer.film_view import FilmViewer

SVG = "svg"


@dataclass(frozen=True, eq=False)
class ShownFilm:
    """A snapshot: a figure in progress does not change when the view does."""

    radiograph: Radiograph
    look: FigureLook
    spacing: Spacing
    heat: HeatLayer | None = None
    result_text: str = ""
    drawings: tuple[AnnotationDrawing, ...] = ()

    @property
    def burned_in(self) -> BurnedIn:
        """Whether a name may be burned into the pixels."""
        return burned_in(self.radiograph)

    def figure(self, style: FigureStyle) -> Figure:
        """Compose the figure. Pure, but slow: to be called in a thread."""
        return compose(
            self.radiograph,
            self.look,
            style,
            heat=self.heat,
            result_text=self.result_text,
            drawings=self.drawings,
            spacing=self.spacing,
        )

    def picture(self, style: FigureStyle) -> npt.NDArray[np.unsignedinteger[Any]]:
        """The figure as pixels."""
        return draw(self.figure(style))

    def save(self, path: Path, style: FigureStyle, kind: str) -> Path:
        """Write the figure in one step; return its path.

        Raises:
            OSError: the file cannot be written.
        """
        if kind == SVG:
            write_bytes(path, svg(self.figure(style)))
        else:
            write_bytes(path, encode(self.picture(style), "tiff" if kind == "tiff" else "png"))
        return path


def shown_film(viewer: FilmViewer, session: Session) -> ShownFilm | None:
    """Take a snapshot of the viewer; None while it shows no film."""
    radiograph, voi = viewer.radiograph, viewer.voi
    if radiograph is None or voi is None:
        return None
    placement = viewer.placement
    look = FigureLook(
        voi,
        invert=viewer.inverted,
        quarter_turns=placement.turns,
        mirrored=placement.mirrored,
        overlays=viewer.overlays_shown,
        shutter=viewer.shutter_shown,
    )
    heat = viewer.heat_layer
    if heat is not None:
        heat = replace(
            heat, model=model_name(session) or heat.model, verdict=_verdict(session, radiograph)
        )
    return ShownFilm(
        radiograph,
        look,
        viewer.measure.spacing,
        heat,
        result_text(session, radiograph),
        viewer.measure.drawings(),
    )


def model_name(session: Session) -> str:
    """Name and version of the loaded model."""
    card = session.model.card if session.model else None
    return f"{card.name} {card.version}" if card else ""


def _verdict(session: Session, radiograph: Radiograph) -> str:
    result = session.result(radiograph.ref)
    return verdict_text(result) if result and result.gate else ""


def result_text(session: Session, radiograph: Radiograph) -> str:
    """The highest score and the verdict for a caption; empty for a film that has no score."""
    result = session.result(radiograph.ref)
    prediction = result.prediction if result else None
    if prediction is None:
        return ""
    top = max(range(len(prediction.findings)), key=prediction.scores.__getitem__)
    text = f"{prediction.findings[top]} {prediction.scores[top]:.2f} · {model_name(session)}"
    verdict = _verdict(session, radiograph)
    return f"{text} · {verdict}" if verdict else text
