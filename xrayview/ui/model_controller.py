"""Load a model, classify films, compute heat maps; results go through the session."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from xrayview.batch.outcome import result_of_film
from xrayview.batch.pipeline import FilmOutcome
from xrayview.domain.devices import AUTO
from xrayview.domain.events import FilmResult
from xrayview.domain.film import FilmRef
from xrayview.domain.model import HeatMap
from xrayview.domain.sentences import without_options
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
from xrayview.services.tasks import Failed, Tasks
from xrayview.ui.heat_map_progress import COMPUTING, HeatMapProgress, submitted
from xrayview.ui.widgets.banners import Message

NO_MODEL = "No model is loaded."
WITHOUT_MODEL = "without a model"
"""The topic of banners about commands that need a model."""
WITHOUT_SCORES = "without scores"
"""The topic of banners about commands that need the scores of a film."""
AGAIN = "classify again"


class ModelController(QObject):
    """Loads, classifies and explains; a failure changes nothing on screen."""

    model_changed = Signal()
    """A model was loaded, is being loaded, or could not be."""
    result_changed = Signal(str)
    """A film's id: it has a result, or is being classified."""
    heat_map_ready = Signal(HeatMap)
    heat_map_state = Signal(str, str)
    """A film's id, and a note on its heat map."""
    card_requested = Signal(Path)
    """A file without a card that the user wants to describe."""
    message = Signal(Message)
    message_settled = Signal(str)
    """The topic of banners that no longer apply."""

    def __init__(self, session: Session, tasks: Tasks, engine: Engine) -> None:
        super().__init__()
        self.session = session
        self.device: str = AUTO
        """As requested; the real one is in `session.model`."""
        self.model_text = NO_MODEL
        self._requested: tuple[Path, str] | None = None
        """The model that was requested last, and its device."""
        self._tasks = tasks
        self._engine = engine
        self.progress = HeatMapProgress(self)
        self._explaining: dict[str, tuple[str, ModelRef, str, str]] = {}
        """By slot, what was requested last: film, model, finding and method."""
        self._busy: dict[int, FilmRef] = {}
        """The films that are being classified, by the index of the view they were in."""

    # Model

    def open_model(self, path: Path, device: str | None = None) -> None:
        """Load a bundle; the loaded model stays until the new one has passed its checks."""
        loading = self._requested if self.loading else None
        requested = device or (loading[1] if loading else self.device)
        self._requested = path, requested
        self.model_text = f"Loading {path.stem} …"
        self._tasks.call(
            "load model",
            lambda: _ref_with_card(path, requested),
            self._load,
            lambda error: self._on_not_loaded(path, requested, error),
        )
        self.model_changed.emit()

    def set_device(self, device: str) -> None:
        """Load the model on another device; there is no silent fallback."""
        ready = self.session.model
        if self._requested is not None and (self.loading or ready is None):
            self.open_model(self._requested[0], device)
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
        for topic in ("model", WITHOUT_MODEL):
            self.message_settled.emit(topic)
        self.model_changed.emit()

    def _on_not_loaded(self, path: Path, device: str, error: XrayViewError) -> None:
        self.model_text = "" if self.session.model else NO_MODEL
        if isinstance(error, ModelNotTrusted):
            again = partial(self.open_model, path, device)
            failed = partial(self._on_not_loaded, path, device)
            self.message.emit(trust_question(path, error, self._tasks, "load model", again, failed))
        elif isinstance(error, ModelWithoutCard):
            self.message.emit(self._card_question(path))
        else:
            error.path = error.path or path
            self.message.emit(Message.of("model", error))
        self.model_changed.emit()

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
        return self._tasks.is_busy("load model")

    # Classify

    def is_busy(self, film: FilmRef | None) -> bool:
        """True while the film is being classified."""
        return film is not None and any(b.film_id == film.film_id for b in self._busy.values())

    def forget_requests(self) -> None:
        """Cancel what is under way: it is for another folder or model."""
        self._busy.clear()
        for topic in (AGAIN, WITHOUT_SCORES):
            self.message_settled.emit(topic)
        for view_index in range(MOST_VIEWS):
            self._tasks.cancel(f"classify {view_index}")
            self.forget_heat_map(view_index)

    def classify(self) -> None:
        """Classify the film of the active view; requests of other views continue."""
        session = self.session
        view_index, film, model = session.active, session.current, session.model
        if film is None or model is None:
            self.message.emit(self._missing())
            return
        if self.is_busy(film):
            return
        self.message_settled.emit(AGAIN)
        replaced = self._busy.get(view_index)
        self._busy[view_index] = film
        for changed in (replaced, film):
            if changed is not None:
                self.result_changed.emit(changed.film_id)
        slot = f"classify {view_index}"
        self._prepare(
            slot,
            film,
            model,
            lambda prepared: self._classify(slot, film, model, prepared),
            lambda error: self._on_failed(film, model, error),
        )

    def _missing(self) -> Message:
        """Why no film can be classified."""
        if self.session.model is not None:
            return Message("film", "warn", "No film is on screen", "Choose a film on the left.")
        if self.loading:
            return Message(
                WITHOUT_MODEL, "warn", "The model is still being loaded", self.model_text
            )
        text = "Choose a model at the top right."
        return Message(WITHOUT_MODEL, "warn", "No model is loaded", text)

    def _prepare(
        self,
        slot: str,
        film: FilmRef,
        model: ModelReady,
        then: Callable[[PreparedFilm], None],
        failed: Failed,
    ) -> None:
        prepared = self.session.prepared(film)
        if prepared is not None:
            then(prepared)
            return
        request = PrepareInput(
            film,
            model.card.preprocessing,
            self._engine.limits,
            model.card.scope,
            self.session.stated,
        )

        def keep(prepared: PreparedFilm) -> None:
            self.session.accept_prepared(prepared, model.model.sha256)
            then(prepared)

        self._tasks.start(slot, lambda: self._engine.submit(request), keep, failed)

    def _classify(
        self, slot: str, film: FilmRef, model: ModelReady, prepared: PreparedFilm
    ) -> None:
        if prepared.gate.refused:
            self._on_outcome(film, model, FilmOutcome(prepared.film, prepared))
            return
        self._tasks.start(
            slot,
            lambda: self._engine.submit(Classify(model.model, (prepared.model_input,))),
            lambda predictions: self._on_outcome(
                film, model, FilmOutcome(prepared.film, prepared, predictions[0])
            ),
            lambda error: self._on_failed(film, model, error),
        )

    def _on_outcome(self, film: FilmRef, model: ModelReady, outcome: FilmOutcome) -> None:
        self._on_result(film, model, result_of_film(outcome))

    def _on_failed(self, film: FilmRef, model: ModelReady, error: XrayViewError) -> None:
        earlier = self.session.result(film)
        if earlier is not None and earlier.prediction is not None:
            # The scores on screen are still valid: the failure is shown beside them.
            error.path = error.path or film.path
            self.message.emit(Message.of(AGAIN, error))
            self._on_result(film, model, earlier)
            return
        self._on_outcome(film, model, FilmOutcome(film, error=error))

    def _on_result(self, film: FilmRef, model: ModelReady, result: FilmResult) -> None:
        self._busy = {i: busy for i, busy in self._busy.items() if busy.film_id != film.film_id}
        self.session.accept_result(result, model.model.sha256)
        self.result_changed.emit(film.film_id)

    # Explain

    def explain(self, view_index: int, finding: str, method: str) -> None:
        """Emit the heat map of a view's film: at once if it was computed before."""
        film, model = self.session.views[view_index].film, self.session.model
        if film is None or model is None or not finding:
            return
        heat = self.session.heat_map(film, finding, method)
        if heat is not None:
            self.forget_heat_map(view_index)
            self._emit_heat_map(heat)
            return
        slot = _explain_slot(view_index)
        requested = (film.film_id, model.model, finding, method)
        if self._tasks.is_busy(slot) and self._explaining.get(slot) == requested:
            return
        self._explaining[slot] = requested
        self.heat_map_state.emit(film.film_id, COMPUTING)

        def explain(prepared: PreparedFilm) -> None:
            progress = self.progress.begin(slot, film.film_id)
            request = Explain(model.model, prepared.model_input, finding, method, progress.path)
            self._tasks.start(
                slot,
                lambda: submitted(lambda: self._engine.submit(request), progress),
                done,
                failed,
                progress.stop,
            )

        def done(heat: HeatMap) -> None:
            self.progress.end(slot)
            self._on_explained(heat)

        def failed(error: XrayViewError) -> None:
            self.progress.end(slot)
            self.heat_map_state.emit(film.film_id, without_options(str(error)))

        self._prepare(slot, film, model, explain, failed)

    def forget_heat_map(self, view_index: int) -> None:
        """Cancel the heat map that a view waits for."""
        slot = _explain_slot(view_index)
        self._tasks.cancel(slot)
        self.progress.end(slot)

    def _on_explained(self, heat: HeatMap) -> None:
        if self.session.accept_heat_map(heat):
            self._emit_heat_map(heat)

    def _emit_heat_map(self, heat: HeatMap) -> None:
        heat = self.session.at_own_points(heat)
        self.heat_map_state.emit(heat.film_id, heat_map_note(heat))
        self.heat_map_ready.emit(heat)


def trust_question(
    path: Path,
    error: ModelNotTrusted,
    tasks: Tasks,
    slot: str,
    then: Callable[[], None],
    failed: Failed,
) -> Message:
    """Ask whether a file may run; its button trusts the file in a thread, then calls `then`."""

    def trust() -> None:
        tasks.call(slot, lambda: trust_model(path), lambda _: then(), failed)

    return Message(
        "model",
        "warn",
        f"{path.name} has not been run here before. Do you know where it comes from?",
        f"A model is a program. {error.why}",
        (("Trust and load", trust),),
    )


def _ref_with_card(path: Path, device: str) -> ModelRef:
    """A reference to a bundle that has a card: without one, trust is not asked for."""
    read_card(path)
    return model_ref(path, device)


def _explain_slot(view_index: int) -> str:
    return f"explain {view_index}"


def heat_map_note(heat: HeatMap) -> str:
    """The note beside a heat map; empty where there is nothing to add."""
    if not heat.has_evidence:
        return f"No positive evidence for {heat.finding}."
    if heat.score < heat.threshold:
        return f"{heat.finding} is below its operating point ({heat.threshold:.2f})."
    return ""
