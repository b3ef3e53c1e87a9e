"""The model's part: load it, classify the film, explain it; answers go through the session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from xrayview.batch.outcome import result_of_film
from xrayview.batch.pipeline import FilmOutcome
from xrayview.domain.devices import AUTO
from xrayview.domain.events import FilmResult
from xrayview.domain.film import FilmRef
from xrayview.domain.model import HeatMap, Prediction
from xrayview.engine.client import Engine
from xrayview.engine.protocol import (
    Classify,
    Explain,
    LoadModel,
    ModelReady,
    ModelRef,
    PreparedFilm,
    PrepareInput,
)
from xrayview.errors import ModelNotTrusted, ModelWithoutCard, XrayViewError
from xrayview.io.model.bundle import read_card
from xrayview.services.catalogue import model_ref, trust_model
from xrayview.services.session import MOST_VIEWS, Session
from xrayview.services.tasks import Tasks
from xrayview.ui.widgets.banners import Message

NO_MODEL = "No model is loaded."
WITHOUT_MODEL = "without a model"
"""The matter of a banner about what was asked for too early."""


class ModelController(QObject):
    """Loads, classifies and explains; a failure leaves what was there before."""

    model_changed = Signal()
    """Another model is in force, or one is on its way, or its loading failed."""
    result_changed = Signal(str)
    """The film's id: the model in force has said something of it, or is about to."""
    heat_map_ready = Signal(object)
    heat_map_state = Signal(str, str)
    """A film's id, and what is to be said of its heat map."""
    card_requested = Signal(object)
    """The path of a file without a card, of which the user wants to say what it is."""
    message = Signal(object)
    message_settled = Signal(str)
    """A matter of banners that no longer holds."""

    def __init__(self, session: Session, tasks: Tasks, engine: Engine) -> None:
        super().__init__()
        self.session = session
        self.device: str = AUTO
        """What is asked for; the real one is in `session.model`."""
        self.model_text = NO_MODEL
        self._asked: tuple[Path, str] | None = None
        """The model that was asked for last, and its device; in force once it is loaded."""
        self._tasks = tasks
        self._engine = engine
        self._busy: dict[int, FilmRef] = {}
        """What is being classified, by the view in which it was asked for."""

    # Model

    def open_model(self, path: Path, device: str | None = None) -> None:
        """Load a bundle; the model in force stays until the new one has kept its contract."""
        on_its_way = self._asked if self.loading else None
        asked = device or (on_its_way[1] if on_its_way else self.device)
        self._asked = path, asked
        self.model_text = f"Loading {path.stem} …"
        self._tasks.call(
            "load model",
            lambda: _ref_with_card(path, asked),
            self._load,
            lambda error: self._on_not_loaded(path, asked, error),
        )
        self.model_changed.emit()

    def set_device(self, device: str) -> None:
        """Run on another device from now on; there is no silent fallback."""
        ready = self.session.model
        if self._asked is not None and (self.loading or ready is None):
            self.open_model(self._asked[0], device)  # what is wanted, and not there yet
        elif ready is None:
            self.device = device
        elif device != self.device:
            self.open_model(ready.model.path, device)

    def _load(self, model: ModelRef) -> None:
        self._tasks.start(
            "load model",
            lambda: self._engine.submit(LoadModel(model)),
            self._on_loaded,
            lambda error: self._on_not_loaded(model.path, model.device, error),
        )

    def _on_loaded(self, ready: ModelReady) -> None:
        self.session.open_model(ready)
        self.device = ready.model.device
        self.model_text = ""
        self.forget_requests()
        for matter in ("model", WITHOUT_MODEL):
            self.message_settled.emit(matter)
        self.model_changed.emit()

    def _on_not_loaded(self, path: Path, device: str, error: XrayViewError) -> None:
        self.model_text = "" if self.session.model else NO_MODEL
        if isinstance(error, ModelNotTrusted):
            self.message.emit(self._trust_question(path, device, error))
        elif isinstance(error, ModelWithoutCard):
            self.message.emit(self._card_question(path))
        else:
            error.path = error.path or path
            self.message.emit(Message.of("model", error))
        self.model_changed.emit()

    def _trust_question(self, path: Path, device: str, error: ModelNotTrusted) -> Message:
        def trust() -> None:
            self._tasks.call(
                "load model",
                lambda: trust_model(path),
                lambda _: self.open_model(path, device),
                lambda failed: self._on_not_loaded(path, device, failed),
            )

        return trust_question(path, error, trust)

    def _card_question(self, path: Path) -> Message:
        return Message(
            "model",
            "warn",
            f"{path.name} has no model card, so its findings are unknown",
            "If you know its findings and its input, describe it: "
            "the description is saved beside it.",
            (("Describe it …", lambda: self.card_requested.emit(path)),),
        )

    @property
    def loading(self) -> bool:
        """True while a model is on its way."""
        return self._tasks.busy("load model")

    # Classify

    def is_busy(self, film: FilmRef | None) -> bool:
        """True while the film is being classified."""
        return film is not None and any(b.film_id == film.film_id for b in self._busy.values())

    def forget_requests(self) -> None:
        """Take back what is under way for films: another folder or model is in force."""
        self._busy.clear()
        for number in range(MOST_VIEWS):
            self._tasks.cancel(f"classify {number}")
            self.forget_heat_map(number)

    def classify(self) -> None:
        """Classify the film of the active view; what runs for another view goes on."""
        session = self.session
        number, film, model = session.active, session.current, session.model
        if film is None or model is None or self.is_busy(film):
            return
        earlier = self._busy.get(number)
        self._busy[number] = film
        for shown in (earlier, film):
            if shown is not None:
                self.result_changed.emit(shown.film_id)
        slot = f"classify {number}"
        self._prepare(
            slot,
            film,
            model,
            lambda prepared: self._judge(slot, film, model, prepared),
            lambda error: self._on_failed(film, model, error),
        )

    def _prepare(
        self,
        slot: str,
        film: FilmRef,
        model: ModelReady,
        then: Callable[[PreparedFilm], None],
        failed: Callable[[XrayViewError], None],
    ) -> None:
        prepared = self.session.prepared(film)
        if prepared is not None:
            then(prepared)
            return
        request = PrepareInput(
            film, model.card.preprocessing, self._engine.limits, model.card.scope
        )

        def keep(prepared: PreparedFilm) -> None:
            self.session.accept_prepared(prepared, model.model.sha256)
            then(prepared)

        self._tasks.start(slot, lambda: self._engine.submit(request), keep, failed)

    def _judge(self, slot: str, film: FilmRef, model: ModelReady, prepared: PreparedFilm) -> None:
        if prepared.gate.refused:
            self._on_result(film, model, result_of_film(FilmOutcome(prepared.film, prepared)))
            return
        self._tasks.start(
            slot,
            lambda: self._engine.submit(Classify(model.model, (prepared.model_input,))),
            lambda said: self._on_judged(film, model, prepared, said[0]),
            lambda error: self._on_failed(film, model, error),
        )

    def _on_judged(
        self, film: FilmRef, model: ModelReady, prepared: PreparedFilm, said: Prediction
    ) -> None:
        self._on_result(film, model, result_of_film(FilmOutcome(prepared.film, prepared, said)))

    def _on_failed(self, film: FilmRef, model: ModelReady, error: XrayViewError) -> None:
        self._on_result(film, model, result_of_film(FilmOutcome(film, error=error)))

    def _on_result(self, film: FilmRef, model: ModelReady, result: FilmResult) -> None:
        self._busy = {n: b for n, b in self._busy.items() if b.film_id != film.film_id}
        self.session.accept_result(result, model.model.sha256)
        self.result_changed.emit(film.film_id)

    # Explain

    def explain(self, number: int, finding: str, method: str) -> None:
        """The heat map of a view's film: at once when it is at hand, else when it comes."""
        film, model = self.session.views[number].film, self.session.model
        if film is None or model is None or not finding:
            return
        heat = self.session.heat_map(film, finding, method)
        if heat is not None:
            self.forget_heat_map(number)
            self._show(heat)
            return
        self.heat_map_state.emit(film.film_id, "Computing the heat map …")
        slot = _explain_slot(number)
        self._prepare(
            slot,
            film,
            model,
            lambda prepared: self._explain(slot, model, prepared, finding, method),
            lambda error: self.heat_map_state.emit(film.film_id, str(error)),
        )

    def forget_heat_map(self, number: int) -> None:
        """Nobody waits any longer for the heat map of a view."""
        self._tasks.cancel(_explain_slot(number))

    def _explain(
        self,
        slot: str,
        model: ModelReady,
        prepared: PreparedFilm,
        finding: str,
        method: str,
    ) -> None:
        request = Explain(model.model, prepared.model_input, finding, method)
        self._tasks.start(
            slot,
            lambda: self._engine.submit(request),
            self._on_explained,
            lambda error: self.heat_map_state.emit(prepared.film.film_id, str(error)),
        )

    def _on_explained(self, heat: HeatMap) -> None:
        if self.session.accept_heat_map(heat):
            self._show(heat)

    def _show(self, heat: HeatMap) -> None:
        heat = self.session.at_own_points(heat)
        self.heat_map_state.emit(heat.film_id, heat_map_note(heat))
        self.heat_map_ready.emit(heat)


def trust_question(path: Path, error: ModelNotTrusted, trust: Callable[[], None]) -> Message:
    """Ask once whether a file may run; a button of it says yes."""
    return Message(
        "model",
        "warn",
        f"{path.name} has not been run here before. Do you know where it comes from?",
        f"A model is a program. {error.why}",
        (("Trust and load", trust),),
    )


def _ref_with_card(path: Path, device: str) -> ModelRef:
    """Whether it has a card comes first: without one there is nothing to trust it for."""
    read_card(path)
    return model_ref(path, device)


def _explain_slot(number: int) -> str:
    return f"explain {number}"


def heat_map_note(heat: HeatMap) -> str:
    """What must be said beside a heat map, empty when it speaks for itself."""
    if not heat.has_evidence:
        return f"No positive evidence for {heat.finding}."
    if heat.score < heat.threshold:
        return f"{heat.finding} is below its operating point ({heat.threshold:.2f})."
    return ""
