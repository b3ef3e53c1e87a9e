"""The training loop: every step depends only on (config, seed, epoch, step)."""

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
from training.disk import writing_partial
from training.loop import optimisation
from training.loop.epoch_log import EpochLog
from training.loop.processes import any_process, loader_threads
from training.loop.progress import BestEpoch, Progress
from training.loop.progress_bar import ProgressBar
from training.loop.signals import stop_requests
from training.loop.speed import Throughput
from training.loop.validation import ValidationMetrics, compute_metrics
from training.networks import build as networks
from training.networks import freezing, frozen_features, initial_weights
from training.runs import RunFolder, trim_log
from xrayview.errors import Cancelled, XrayViewError
from xrayview.preprocessing.pipeline import Preprocessor

Say = Callable[[str], None]

_AUXILIARY_SHARE = 0.4
"""Weight of the auxiliary loss, as in torchvision's reference training of inception_v3."""


class NotFinite(XrayViewError):
    """The loss or the gradient is not finite; the batch did not change the weights."""


def train(
    config: TrainingConfig, films: Films, run: RunFolder, fabric: Fabric, say: Say = print
) -> Progress:
    """Train to the end, from the run's last checkpoint if there is one.

    Writes `best.pt` (the weights that validation chose), `last.pt` and `log.csv` to the run
    folder.

    Raises:
        NotFinite: the loss or gradient is not finite; the error names the batch's films.
        CannotWrite: the disk is full; the last checkpoint is intact.
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
        self.progress = Progress.start(config.stopping.monitored_metrics)
        self.learning_layers = -1
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
        """Return the films of a split, as features where a frozen backbone makes them constant."""
        if not frozen_features.has_constant_features(self.config):
            return films.part(split)
        # The first process computes the features, the others read its cache.
        with self.fabric.rank_zero_first():
            return frozen_features.load_features(
                films, split, self.network.module, self.preprocessor, self.say
            )

    def _start_weights(self, network: networks.Network) -> None:
        # The first process downloads the weights, the others find the file.
        with self.fabric.rank_zero_first():
            weights = initial_weights.load(network, self.config.network)
        if self.fabric.is_global_zero:
            self.run.add_facts(initial_weights=weights.as_json())
        for line in weights.lines():
            self.say(line)

    def fit(self, stop: Callable[[], bool]) -> Progress:
        progress, config = self.progress, self.config
        patience = config.stopping.patience
        with self.open_loader() as loader, self.log:
            while progress.epoch < config.optim.epochs and any(progress.improvable(patience)):
                throughput = Throughput(
                    self.batches.steps - progress.step, config.optim.batch * self.fabric.world_size
                )
                self._train_epoch(loader, stop, throughput)
                self._finish_epoch(throughput, throughput.films_per_s)
        return progress

    def open_loader(self) -> BatchLoader:
        """Return the source of batches; beside a GPU it prepares them ahead of time."""
        threads = loader_threads(self.fabric)
        if self.fabric.device.type == "cpu":
            return BatchLoader(self.batches, threads)
        return BatchPrefetcher(self.batches, self.config.optim.epochs, threads)

    def _train_epoch(
        self, loader: BatchLoader, stop: Callable[[], bool], throughput: Throughput
    ) -> None:
        progress = self.progress
        self._set_training()
        title = f"epoch {progress.epoch + 1}/{self.config.optim.epochs}"
        total = self.batches.steps if self.fabric.is_global_zero else 0
        with ProgressBar(title, total, progress.step) as bar:
            while progress.step < self.batches.steps:
                progress.loss_sum += self._step(loader.batch(progress.epoch, progress.step))
                progress.step += 1
                bar.step(f"loss {progress.loss_sum / progress.step:.4f}")
                if throughput.step() and not bar:
                    self.say(self._step_line(throughput))
                self._stop_if_requested(stop, throughput)

    def _stop_if_requested(self, stop: Callable[[], bool], throughput: Throughput) -> None:
        progress = self.progress
        if any_process(self.fabric, stop()):
            progress.seconds += throughput.seconds
            self._save()
            raise Cancelled(
                f"Stopped at epoch {progress.epoch + 1}, step {progress.step}",
                hint=f"Continue with --resume {self.run.path}.",
            )

    def _set_training(self) -> None:
        self.network.train()
        config = self.config.network
        learning_layers = freezing.set_training(self.network.module, config, self.progress.epoch)
        if config.freezes and learning_layers != self.learning_layers:
            self.say(f"  {learning_layers} layers of the backbone learn, the others are frozen")
        self.learning_layers = learning_layers

    def _step(self, batch: Batch) -> float:
        optim, progress = self.config.optim, self.progress
        done = progress.epoch * self.batches.steps + progress.step
        steps = optim.epochs * self.batches.steps
        rate = optimisation.rate_at(done, steps, optim, progress.rate_scale)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        # Dropout is seeded by the step too, so that a resumed run repeats it.
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
        # The gradient scaler of 16-mixed skips such steps itself.
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
        primary = self._loss(logits_BK, y_BK)
        return primary + _AUXILIARY_SHARE * self._loss(auxiliary_BK, y_BK)

    def _refuse_unless_finite(self, value: float, what: str, batch: Batch) -> None:
        if not math.isfinite(value):
            raise NotFinite(
                f"The {what} is {value} at epoch {self.progress.epoch + 1}, step "
                f"{self.progress.step + 1}; the step was not taken",
                why=f"films: {', '.join(batch.names)}",
                hint="Check these films, or lower optim.rate.",
            )

    def _finish_epoch(self, throughput: Throughput, films_per_s: float) -> None:
        progress = self.progress
        loss = progress.loss_sum / self.batches.steps
        candidates: dict[str, nn.Module] = {"raw": self.network.module}
        if self.config.optim.ema_decay:
            candidates["averaged"] = self.averaged.network
        metrics = {kind: self._validate(network) for kind, network in candidates.items()}
        # Running statistics differ between processes; the first one's metrics decide for all.
        metrics = self.fabric.broadcast(metrics)
        for monitor, record in list(progress.improvable(self.config.stopping.patience)):
            record.waited += 1
            for kind in self._eligible(candidates):
                self._save_if_best(monitor, record, kind, candidates[kind], metrics[kind])
        self._update_plateau(min(each.loss for each in metrics.values()))
        progress.epoch, progress.step, progress.loss_sum = progress.epoch + 1, 0, 0.0
        progress.seconds += throughput.seconds
        if self.fabric.is_global_zero:
            self.log.add(self._log_row(loss, films_per_s, metrics))
        self._save()
        self.say(self._epoch_line(loss, films_per_s, metrics))

    def _eligible(self, candidates: dict[str, nn.Module]) -> list[str]:
        """Return which weights may become the run's result."""
        if self.config.stopping.weights == "averaged" and "averaged" in candidates:
            return ["averaged"]
        return list(candidates)

    @torch.no_grad()
    def _validate(self, network: nn.Module) -> ValidationMetrics:
        # Without the mirror image, to halve the time: this only compares sets of weights.
        logits_NK = predict_logits(
            network, self.validation, self.preprocessor, self.config.evaluation.batch,
            self.fabric.device,
        )  # fmt: skip
        y_NK = torch.from_numpy(self.validation.targets_NK)
        return compute_metrics(logits_NK, y_NK, self.loss, self.config.target)

    def _update_plateau(self, loss: float) -> None:
        progress, optim = self.progress, self.config.optim
        progress.stale += 1
        if loss < progress.lowest_loss:
            progress.lowest_loss, progress.stale = loss, 0
        if optim.schedule == "plateau" and progress.stale > optim.plateau_patience:
            progress.rate_scale, progress.stale = progress.rate_scale * optim.plateau_factor, 0

    def _save_if_best(
        self,
        monitor: str,
        record: BestEpoch,
        kind: str,
        network: nn.Module,
        metrics: ValidationMetrics,
    ) -> None:
        value, epoch = metrics.distance(monitor), self.progress.epoch + 1
        if value < record.best:
            record.best, record.waited = value, 0
            record.epoch, record.weights = epoch, kind
            if self.fabric.is_global_zero:
                primary = monitor == self.config.stopping.monitor
                _save_whole(
                    {"weights": network.state_dict(), "epoch": epoch, "kind": kind},
                    self.run.best if primary else self.run.best_by(monitor),
                )

    def _log_row(
        self, loss: float, films_per_s: float, metrics: dict[str, ValidationMetrics]
    ) -> dict[str, object]:
        row: dict[str, object] = {"epoch": self.progress.epoch, "loss": f"{loss:.5f}"}
        for kind, each in metrics.items():
            row[f"validation_loss_{kind}"] = f"{each.loss:.5f}"
            row[f"validation_auc_{kind}"] = f"{each.auc:.5f}"
            row[f"validation_accuracy_{kind}"] = f"{each.accuracy:.5f}"
            row[f"validation_recall_{kind}"] = f"{each.recall:.5f}"
        rate = self.optimizer.param_groups[0]["lr"]
        return row | {
            "rate": f"{rate:.3g}",
            "films_per_s": f"{films_per_s:.1f}",
            "seconds": f"{self.progress.seconds:.0f}",
        }

    def _step_line(self, throughput: Throughput) -> str:
        progress, epochs = self.progress, self.config.optim.epochs
        further = (epochs - progress.epoch - 1) * self.batches.steps
        return (
            f"  epoch {progress.epoch + 1}/{epochs}  step {progress.step}/{self.batches.steps}  "
            f"loss {progress.loss_sum / progress.step:.4f}  {throughput.films_per_s:.0f} films/s  "
            f"{throughput.minutes_left(further):.0f} min left"
        )

    def _epoch_line(
        self, loss: float, films_per_s: float, metrics: dict[str, ValidationMetrics]
    ) -> str:
        progress, epochs = self.progress, self.config.optim.epochs
        left = progress.seconds / progress.epoch * (epochs - progress.epoch)
        shown = "  ".join(f"{k} {f.loss:.4f} AUC {f.auc:.4f}" for k, f in metrics.items())
        improved = any(record.waited == 0 for record in progress.monitored.values())
        return (
            f"epoch {progress.epoch:3d}/{epochs}  loss {loss:.4f}  validation: {shown}  "
            f"{films_per_s:.0f} films/s  {left / 60:.0f} min left{'  *' if improved else ''}"
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
        self.progress = Progress.from_state(
            state["progress"], self.config.stopping.monitored_metrics
        )
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
    """Compute logits_NK of all films in batches of `size`, in eval mode; float32 on the CPU."""
    network.eval()
    forward, parts = _forward(network, films), []
    for batch in evaluation_batches(films, preprocessor, size):
        x_BCHW = batch.x_BCHW.to(device, memory_format=torch.channels_last)
        parts.append(forward(x_BCHW).float().cpu())
    return torch.cat(parts)


def _forward(network: nn.Module, films: FilmSet) -> Callable[[Tensor], Any]:
    """Return the function from a batch of these films to logits: features skip the backbone."""
    forward: Callable[[Tensor], Any] = (
        network if films.features_ND is None else network.forward_head  # type: ignore[assignment]
    )
    return forward


def _save_whole(state: dict[str, Any], path: Path) -> None:
    """Write the file whole or not at all: a run killed while saving keeps its last state."""
    partial = path.with_name(path.name + ".partial")
    # Through a Python file: its error names the cause, such as a full disk.
    with writing_partial(partial), partial.open("wb") as stream:
        torch.save(state, stream)
    partial.replace(path)
