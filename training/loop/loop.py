"""The training loop: every step depends on (config, seed, epoch, step) and nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from training.config import TrainingConfig
from training.data.batch_loader import BatchLoader, BatchPrefetcher
from training.data.batches import Batch, FilmSet, TrainingBatches, evaluation_batches
from training.data.films import Films
from training.data.splits import TRAIN, VALIDATION
from training.disk import writing
from training.loop import optimisation
from training.loop.epoch_log import EpochLog
from training.loop.processes import any_process, batch_makers
from training.loop.progress import Progress, Watch
from training.loop.progress_bar import Bar
from training.loop.signals import stop_requests
from training.loop.speed import Pace
from training.loop.validation import Figures, judge
from training.networks import build as networks
from training.networks import freezing, frozen_features, initial_weights
from training.runs import RunFolder, trim_log
from xrayview.errors import Cancelled, XrayViewError
from xrayview.preprocessing.pipeline import Preprocessor

Say = Callable[[str], None]

_AUXILIARY_SHARE = 0.4
"""Of the auxiliary loss, as in torchvision's reference training of inception_v3."""


class NotFinite(XrayViewError):
    """The loss or the gradient is no number; nothing was learnt from this batch."""


def train(
    config: TrainingConfig, films: Films, run: RunFolder, fabric: Fabric, say: Say = print
) -> Progress:
    """Train to the end, from the run's last checkpoint if there is one.

    Leaves `best.pt` (the weights that validation chose), `last.pt` and `log.csv` in the run.

    Raises:
        NotFinite: the loss or gradient is no number; names the batch's films.
        CannotWrite: the disk is full; the last checkpoint is still there.
        Cancelled: SIGINT or SIGTERM; the state is saved and the run can be resumed.
    """
    with stop_requests() as stop:
        return _Training(config, films, run, fabric, say).fit(stop)


class _Training:
    def __init__(
        self, config: TrainingConfig, films: Films, run: RunFolder, fabric: Fabric, say: Say
    ) -> None:
        self.config, self.run, self.fabric = config, run, fabric
        self.say = say
        self.log = EpochLog(run, say)
        self.preprocessor = Preprocessor(config.preprocessing)
        self.progress = Progress.fresh(config.stopping.watched)
        self.learning = -1
        self._build()
        train, self.validation = (self._part(films, split) for split in (TRAIN, VALIDATION))
        self.batches = TrainingBatches(
            train, self.preprocessor, config.augment, config.optim.batch,
            config.run.seed, fabric.global_rank, fabric.world_size, config.data.sampling,
        )  # fmt: skip
        share_K = torch.from_numpy(train.targets_NK).nanmean(dim=0).nan_to_num(0.5)
        kind = optimisation.LOSSES[config.target.activation]
        self.loss = kind(share_K, config.optim).to(fabric.device)

    def _build(self) -> None:
        config = self.config
        network = networks.build(
            config.network,
            config.preprocessing.channels,
            config.target.outputs,
            config.run.seed,
        )
        if not self.run.last.is_file():
            self._start_weights(network)
        network = network.to(memory_format=torch.channels_last)
        self.averaged = optimisation.AveragedWeights(network, config.optim.ema_decay)
        self.averaged.network.to(self.fabric.device)
        self.network, self.optimizer = self.fabric.setup(
            network, optimisation.optimizer(network, config.optim)
        )
        self.network.mark_forward_method("forward_head")
        if self.run.last.is_file():
            self._restore()

    def _part(self, films: Films, split: str) -> FilmSet:
        """The films of a split, as features where the backbone gives the same every time."""
        if not frozen_features.stands_still(self.config):
            return films.part(split)
        # The first process computes, the others find the cache.
        with self.fabric.rank_zero_first():
            return frozen_features.with_features(
                films, split, self.network.module, self.preprocessor, self.say
            )

    def _start_weights(self, network: networks.Network) -> None:
        # The first process downloads, the others find the file.
        with self.fabric.rank_zero_first():
            start = initial_weights.start(network, self.config.network)
        if self.fabric.is_global_zero:
            self.run.add_facts(initial_weights=start.as_json())
        for line in start.lines():
            self.say(line)

    def fit(self, stop: Callable[[], bool]) -> Progress:
        progress, config = self.progress, self.config
        patience = config.stopping.patience
        with self.supply() as supply, self.log:
            while progress.epoch < config.optim.epochs and any(progress.waiting(patience)):
                pace = Pace(
                    self.batches.steps - progress.step, config.optim.batch * self.fabric.world_size
                )
                self._epoch(supply, stop, pace)
                self._close_epoch(pace, pace.films_per_s)
        return progress

    def supply(self) -> BatchLoader:
        """The batches: made at once by the cores the network learns on, or ahead of a GPU."""
        makers = batch_makers(self.fabric)
        if self.fabric.device.type == "cpu":
            return BatchLoader(self.batches, makers)
        return BatchPrefetcher(self.batches, self.config.optim.epochs, makers)

    def _epoch(self, supply: BatchLoader, stop: Callable[[], bool], pace: Pace) -> None:
        progress = self.progress
        self._set_training()
        title = f"epoch {progress.epoch + 1}/{self.config.optim.epochs}"
        total = self.batches.steps if self.fabric.is_global_zero else 0
        with Bar(title, total, progress.step) as bar:
            while progress.step < self.batches.steps:
                progress.loss_sum += self._step(supply.batch(progress.epoch, progress.step))
                progress.step += 1
                bar.step(f"loss {progress.loss_sum / progress.step:.4f}")
                if pace.step() and not bar:
                    self.say(self._step_line(pace))
                self._stop_if_asked(stop, pace)

    def _stop_if_asked(self, stop: Callable[[], bool], pace: Pace) -> None:
        progress = self.progress
        if any_process(self.fabric, stop()):
            progress.seconds += pace.seconds
            self._save()
            raise Cancelled(
                f"Stopped at epoch {progress.epoch + 1}, step {progress.step}",
                hint=f"Go on with --resume {self.run.path}.",
            )

    def _set_training(self) -> None:
        self.network.train()
        config = self.config.network
        learning = freezing.set_training(self.network.module, config, self.progress.epoch)
        if config.freezes and learning != self.learning:
            self.say(f"  {learning} layers of the backbone learn, the others stand still")
        self.learning = learning

    def _step(self, batch: Batch) -> float:
        optim, progress = self.config.optim, self.progress
        done = progress.epoch * self.batches.steps + progress.step
        steps = optim.epochs * self.batches.steps
        rate = optimisation.rate_at(done, steps, optim, progress.rate_scale)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        # Dropout's chance is the step's own too, so that a resumed run repeats it.
        torch.manual_seed(hash((self.config.run.seed, progress.epoch, progress.step)) & (2**63 - 1))
        x_BCHW = batch.x_BCHW.to(self.fabric.device, memory_format=torch.channels_last)
        loss = self._loss(
            _forward(self.network, self.batches.films)(x_BCHW), batch.y_BK.to(self.fabric.device)
        )
        value = float(loss.detach())
        self._refuse_unless_finite(value, "loss", batch)
        self.optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        norm = self.fabric.clip_gradients(
            self.network, self.optimizer, max_norm=optim.clip_norm, error_if_nonfinite=False
        )
        # The scaler of 16-mixed skips such steps by itself.
        if norm is not None and self.config.run.precision != "16-mixed":
            self._refuse_unless_finite(float(norm), "gradient", batch)
        self.optimizer.step()
        if optim.ema_decay:
            self.averaged.update(self.network.module, done)
        return value

    def _loss(self, logits: Tensor | tuple[Tensor, Tensor], y_BK: Tensor) -> Tensor:
        smoothing = self.config.optim.label_smoothing
        if isinstance(logits, Tensor):
            loss: Tensor = self.loss(logits, y_BK, smoothing)
            return loss
        logits_BK, auxiliary_BK = logits
        main = self._loss(logits_BK, y_BK)
        return main + _AUXILIARY_SHARE * self._loss(auxiliary_BK, y_BK)

    def _refuse_unless_finite(self, value: float, what: str, batch: Batch) -> None:
        if not math.isfinite(value):
            raise NotFinite(
                f"The {what} is {value} at epoch {self.progress.epoch + 1}, step "
                f"{self.progress.step + 1}; the step was not taken",
                why=f"films: {', '.join(batch.names)}",
                hint="Look at these films, or lower optim.rate.",
            )

    def _close_epoch(self, pace: Pace, speed: float) -> None:
        progress = self.progress
        loss = progress.loss_sum / self.batches.steps
        candidates: dict[str, nn.Module] = {"raw": self.network.module}
        if self.config.optim.ema_decay:
            candidates["averaged"] = self.averaged.network
        figures = {kind: self._validate(network) for kind, network in candidates.items()}
        # Running statistics differ between processes; the first one's figures decide for all.
        figures = self.fabric.broadcast(figures)
        for monitor, watch in list(progress.waiting(self.config.stopping.patience)):
            watch.waited += 1
            for kind in self._eligible(candidates):
                self._keep_if_best(monitor, watch, kind, candidates[kind], figures[kind])
        self._note_plateau(min(figure.loss for figure in figures.values()))
        progress.epoch, progress.step, progress.loss_sum = progress.epoch + 1, 0, 0.0
        progress.seconds += pace.seconds
        if self.fabric.is_global_zero:
            self.log.add(self._row(loss, speed, figures))
        self._save()
        self.say(self._line(loss, speed, figures))

    def _eligible(self, candidates: dict[str, nn.Module]) -> list[str]:
        """The weights that may become the run's result."""
        if self.config.stopping.weights == "averaged" and "averaged" in candidates:
            return ["averaged"]
        return list(candidates)

    @torch.no_grad()
    def _validate(self, network: nn.Module) -> Figures:
        # Without the mirror image: half the time, and the choice is between weights only.
        logits_NK = predict_logits(
            network, self.validation, self.preprocessor, self.config.evaluation.batch,
            self.fabric.device,
        )  # fmt: skip
        y_NK = torch.from_numpy(self.validation.targets_NK)
        return judge(logits_NK, y_NK, self.loss, self.config.target)

    def _note_plateau(self, loss: float) -> None:
        progress, optim = self.progress, self.config.optim
        progress.stale += 1
        if loss < progress.lowest_loss:
            progress.lowest_loss, progress.stale = loss, 0
        if optim.schedule == "plateau" and progress.stale > optim.plateau_patience:
            progress.rate_scale, progress.stale = progress.rate_scale * optim.plateau_factor, 0

    def _keep_if_best(
        self, monitor: str, watch: Watch, kind: str, network: nn.Module, figures: Figures
    ) -> None:
        value, epoch = figures.distance(monitor), self.progress.epoch + 1
        if value < watch.best:
            watch.best, watch.waited = value, 0
            watch.epoch, watch.weights = epoch, kind
            if self.fabric.is_global_zero:
                main = monitor == self.config.stopping.monitor
                _save_whole(
                    {"weights": network.state_dict(), "epoch": epoch, "kind": kind},
                    self.run.best if main else self.run.best_by(monitor),
                )

    def _row(self, loss: float, speed: float, figures: dict[str, Figures]) -> dict[str, object]:
        row: dict[str, object] = {"epoch": self.progress.epoch, "loss": f"{loss:.5f}"}
        for kind, figure in figures.items():
            row[f"validation_loss_{kind}"] = f"{figure.loss:.5f}"
            row[f"validation_auc_{kind}"] = f"{figure.auc:.5f}"
            row[f"validation_accuracy_{kind}"] = f"{figure.accuracy:.5f}"
            row[f"validation_recall_{kind}"] = f"{figure.recall:.5f}"
        rate = self.optimizer.param_groups[0]["lr"]
        return row | {
            "rate": f"{rate:.3g}",
            "films_per_s": f"{speed:.1f}",
            "seconds": f"{self.progress.seconds:.0f}",
        }

    def _step_line(self, pace: Pace) -> str:
        progress, epochs = self.progress, self.config.optim.epochs
        further = (epochs - progress.epoch - 1) * self.batches.steps
        return (
            f"  epoch {progress.epoch + 1}/{epochs}  step {progress.step}/{self.batches.steps}  "
            f"loss {progress.loss_sum / progress.step:.4f}  {pace.films_per_s:.0f} films/s  "
            f"{pace.minutes_left(further):.0f} min left"
        )

    def _line(self, loss: float, speed: float, figures: dict[str, Figures]) -> str:
        progress, epochs = self.progress, self.config.optim.epochs
        left = progress.seconds / progress.epoch * (epochs - progress.epoch)
        shown = "  ".join(f"{k} {f.loss:.4f} AUC {f.auc:.4f}" for k, f in figures.items())
        best = "  *" if any(watch.waited == 0 for watch in progress.watches.values()) else ""
        return (
            f"epoch {progress.epoch:3d}/{epochs}  loss {loss:.4f}  validation: {shown}  "
            f"{speed:.0f} films/s  {left / 60:.0f} min left{best}"
        )

    def _save(self) -> None:
        averages = bool(self.config.optim.ema_decay)
        state = {
            "network": self.network.module.state_dict(),
            "averaged": self.averaged.network.state_dict() if averages else None,
            "optimizer": self.optimizer.state_dict(),
            "progress": self.progress.as_state(),
        }
        if self.fabric.is_global_zero:
            _save_whole(state, self.run.last)
        self.fabric.barrier()

    def _restore(self) -> None:
        state = torch.load(self.run.last, map_location=self.fabric.device, weights_only=True)
        self.network.module.load_state_dict(state["network"])
        if state["averaged"] is not None:
            self.averaged.network.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.progress = Progress.from_state(state["progress"], self.config.stopping.watched)
        if self.fabric.is_global_zero:
            trim_log(self.run.log, self.progress.epoch)


@torch.no_grad()
def predict_logits(
    network: nn.Module,
    films: FilmSet,
    preprocessor: Preprocessor,
    size: int,
    device: torch.device,
) -> Tensor:
    """Logits_NK of all films in batches of `size`, in eval mode; float32 on the CPU."""
    network.eval()
    forward, found = _forward(network, films), []
    for batch in evaluation_batches(films, preprocessor, size):
        x_BCHW = batch.x_BCHW.to(device, memory_format=torch.channels_last)
        found.append(forward(x_BCHW).float().cpu())
    return torch.cat(found)


def _forward(network: nn.Module, films: FilmSet) -> Callable[[Tensor], Any]:
    """From a batch of these films to logits; pooled features have the backbone behind them."""
    forward: Callable[[Tensor], Any] = (
        network if films.pooled_ND is None else network.forward_head  # type: ignore[assignment]
    )
    return forward


def _save_whole(state: dict[str, Any], path: Path) -> None:
    """Write whole or not at all: a run killed while saving keeps its last state."""
    partial = path.with_name(path.name + ".partial")
    # Through a file of Python's: torch's own hides why a disk refuses.
    with writing(partial), partial.open("wb") as stream:
        torch.save(state, stream)
    partial.replace(path)
