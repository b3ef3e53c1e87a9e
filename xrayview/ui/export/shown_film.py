"""The film on screen as it is looked at now: all that its figure is made of."""

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
from xrayview.io.export import encode, write_bytes
from xrayview.io.figure_svg import svg
from xrayview.services.session import Session
from xrayview.ui.viewer.film_view import FilmViewer

SVG = "svg"


@dataclass(frozen=True, eq=False)
class ShownFilm:
    """Does not change when the view does: a figure under way stays what was asked for."""

    radiograph: Radiograph
    look: FigureLook
    spacing: Spacing
    heat: HeatLayer | None = None
    said: str = ""
    drawings: tuple[AnnotationDrawing, ...] = ()

    @property
    def burned_in(self) -> BurnedIn:
        """Whether a name may be in the pixels."""
        return burned_in(self.radiograph)

    def figure(self, style: FigureStyle) -> Figure:
        """Pure, and slow enough for a thread of its own."""
        return compose(
            self.radiograph,
            self.look,
            style,
            heat=self.heat,
            result_text=self.said,
            drawings=self.drawings,
            spacing=self.spacing,
        )

    def picture(self, style: FigureStyle) -> npt.NDArray[np.unsignedinteger[Any]]:
        """The figure as pixels."""
        return draw(self.figure(style))

    def save(self, path: Path, style: FigureStyle, kind: str) -> Path:
        """Write the figure in one step.

        Raises:
            OSError: it cannot be written.
        """
        if kind == SVG:
            write_bytes(path, svg(self.figure(style)))
        else:
            write_bytes(path, encode(self.picture(style), "tiff" if kind == "tiff" else "png"))
        return path


def shown_film(viewer: FilmViewer, session: Session) -> ShownFilm | None:
    """What the viewer shows; None while it shows no film."""
    radiograph, voi = viewer.radiograph, viewer.voi
    if radiograph is None or voi is None:
        return None
    place = viewer.placement
    look = FigureLook(
        voi,
        invert=viewer.inverted,
        quarter_turns=place.turns,
        mirrored=place.mirrored,
        overlays=viewer.overlays_shown,
        shutter=viewer.shutter_shown,
    )
    heat = viewer.heat_layer
    if heat is not None:
        heat = replace(
            heat, model=model_name(session) or heat.model, caution=caution_of(session, radiograph)
        )
    return ShownFilm(
        radiograph,
        look,
        viewer.measure.spacing,
        heat,
        said_of(session, radiograph),
        viewer.measure.drawings(),
    )


def model_name(session: Session) -> str:
    """Name and version of the model in force."""
    card = session.model.card if session.model else None
    return f"{card.name} {card.version}" if card else ""


def caution_of(session: Session, radiograph: Radiograph) -> str:
    """What the gate says against the model in force; empty where it says nothing."""
    result = session.result(radiograph.ref)
    return result.gate.caution if result and result.gate else ""


def said_of(session: Session, radiograph: Radiograph) -> str:
    """The score of the first finding, as a caption says it; empty where no model judged it."""
    result = session.result(radiograph.ref)
    said = result.prediction if result else None
    if said is None:
        return ""
    top = max(range(len(said.findings)), key=lambda number: said.scores[number])
    words = f"{said.findings[top]} {said.scores[top]:.2f} · {model_name(session)}"
    caution = caution_of(session, radiograph)
    return f"{words} · Caution: {caution}" if caution else words
