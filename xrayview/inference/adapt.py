"""How a network from elsewhere is called, and where its logits are in what it returns.

Published files return tuples, dictionaries or one value per film, have weights in other number
formats, or take one film at a time. What is found out here is used for every film, and noted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from xrayview.domain.model import ModelCard
from xrayview.domain.sentences import counted
from xrayview.errors import ContractBroken
from xrayview.inference.calibration import output_counts
from xrayview.inference.torch_errors import advice, reason

FIXED_BATCHES = (2, 4, 8, 16, 32)
"""Batch sizes to try for a network that does not run on one film."""
_LOGITS = ("logits", "logit", "out", "output", "outputs", "y", "pred", "preds", "prediction",
           "predictions", "scores", "score", "classification", "cls", "x")  # fmt: skip
_PROBABILITIES = ("probabilities", "probability", "probs", "prob", "scores", "score", "preds",
                  "predictions", "pred", "prediction", *_LOGITS)  # fmt: skip
_LOUD = 1e3
_TRIED = (torch.float32, torch.float64, torch.float16, torch.bfloat16)

Run = Callable[[torch.Tensor], Any]
Path = tuple[int | str, ...]


@dataclass(frozen=True)
class OutputForm:
    """Where the logits are in the network's output."""

    path: Path = ()
    """Indices and keys that lead to the tensor."""
    joined: bool = False
    """True where there is one tensor per finding."""
    reshaped: bool = False
    """True where the tensor is not (B, K), but has its values in that order."""

    def __call__(self, output: Any, films: int) -> torch.Tensor:
        """The logits of this output.

        Raises:
            TypeError: it is not a tensor of floating-point numbers.
        """
        if not isinstance(output, torch.Tensor):
            for step in self.path:
                output = output[step]
            if self.joined:
                output = torch.cat([_floating(part).reshape(films, 1) for part in output], 1)
        logits = _floating(output)
        if self.reshaped and films and logits.numel() % films == 0:
            logits = logits.reshape(films, -1)
        return logits.float()


@dataclass(frozen=True)
class Calling:
    """How a network is called."""

    form: OutputForm = OutputForm()
    dtype: torch.dtype = torch.float32
    """Of its input."""
    batch: int | None = None
    """The only number of films that it takes; None: any."""
    notes: tuple[str, ...] = ()


def find_calling(module: Any, run: Run, films_3CHW: torch.Tensor, card: ModelCard) -> Calling:
    """Find out how to call a network; `run` calls it. Its weights may be converted to float32.

    A network that fails whatever is tried gets the plain calling: the probe reports its failure.

    Raises:
        ContractBroken: it runs, but nothing that it returns has the shape of scores.
    """
    notes, dtype = _number_formats(module, run, films_3CHW[:1])
    film = films_3CHW[:1].to(dtype)
    single, both = _try(run, film), _try(run, films_3CHW.to(dtype))
    batch: int | None = None
    if single is None:
        for size in FIXED_BATCHES:
            fixed = _try(run, film.repeat_interleave(size, 0))
            if fixed is not None and _forms(fixed, size, card):
                batch, single, both = size, fixed, None
                break
        else:
            return Calling(dtype=dtype, notes=notes)
    films = batch or 1
    forms = _forms(single, films, card)
    if both is not None:
        in_both = [form for form in forms if form in _forms(both, len(films_3CHW), card)]
        if forms and not in_both:
            both = None
        forms = in_both or forms
    if not forms:
        _refuse(single, films, card)
        return Calling(dtype=dtype, notes=notes)  # one tensor of another shape: for the probe
    if both is None:
        batch = films
        notes = (*notes, f"it takes only {counted(films, 'film')} at a time")
    form = forms[0]
    if len(forms) > 1:
        # True logits leave 0 to 1 for inputs that are much too large.
        loud = _try(run, (_LOUD * film).repeat_interleave(films, 0))
        form = _best(forms, [single, loud], card)
    return Calling(form, dtype, batch, (*notes, *_form_notes(form, single, forms)))


def _number_formats(
    module: Any, run: Run, film: torch.Tensor
) -> tuple[tuple[str, ...], torch.dtype]:
    """Notes on the number formats of the weights, and the format of the input."""
    weights = [*module.parameters(), *module.buffers()]
    dtypes = {weight.dtype for weight in weights if weight.is_floating_point()}
    short = dtypes & {torch.float16, torch.bfloat16}
    if short and torch.float64 not in dtypes:
        module.float()
        name = _name(next(iter(short)))
        if _try(run, film) is not None:
            return (f"its {name} weights run as float32",), torch.float32
        module.to(next(iter(short)))
    formats = (torch.float64, *_TRIED) if torch.float64 in dtypes else _TRIED
    for dtype in formats:
        failure = _failure(run, film.to(dtype))
        if failure is None:
            return ((f"it runs in {_name(dtype)}",) if dtype != torch.float32 else ()), dtype
        if not advice(failure).is_about_formats:
            break
    return (), torch.float32


def _failure(run: Run, x_BCHW: torch.Tensor) -> str | None:
    try:
        with torch.inference_mode():
            run(x_BCHW)
    except Exception as error:  # whatever a program from elsewhere raises
        return reason(error)
    return None


def _try(run: Run, x_BCHW: torch.Tensor) -> Any | None:
    try:
        with torch.inference_mode():
            return run(x_BCHW)
    except Exception:
        return None


def _tensors(output: Any, path: Path = ()) -> Iterator[tuple[Path, torch.Tensor]]:
    """The tensors of an output, with their paths."""
    if isinstance(output, torch.Tensor):
        yield path, output
    elif isinstance(output, tuple | list):
        for index, part in enumerate(output):
            yield from _tensors(part, (*path, index))
    elif isinstance(output, dict):
        for key, part in output.items():
            yield from _tensors(part, (*path, key))


def _forms(output: Any, films: int, card: ModelCard) -> list[OutputForm]:
    """The forms in which this output may have the logits."""
    counts = output_counts(card)
    found = []
    for path, tensor in _tensors(output):
        if not tensor.is_floating_point():
            continue
        if any(tuple(tensor.shape) == (films, count) for count in counts):
            found.append(OutputForm(path))
        elif any(_has_values(tensor, films, count) for count in counts):
            found.append(OutputForm(path, reshaped=True))
    if not found:
        found = [
            OutputForm(path, joined=True)
            for path, parts in _sequences(output)
            if len(parts) in counts and all(_has_values(part, films, 1) for part in parts)
        ]
    return found


def _sequences(output: Any, path: Path = ()) -> Iterator[tuple[Path, list[torch.Tensor]]]:
    """The lists of floating-point tensors in an output."""
    if isinstance(output, tuple | list):
        if output and all(isinstance(p, torch.Tensor) and p.is_floating_point() for p in output):
            yield path, list(output)
        for index, part in enumerate(output):
            yield from _sequences(part, (*path, index))
    elif isinstance(output, dict):
        for key, part in output.items():
            yield from _sequences(part, (*path, key))


def _has_values(tensor: torch.Tensor, films: int, count: int) -> bool:
    """True for (films, count) with dimensions of 1 added or left out."""
    longer = [length for length in tensor.shape if length != 1]
    return longer == [length for length in (films, count) if length != 1]


def _best(forms: list[OutputForm], outputs: list[Any], card: ModelCard) -> OutputForm:
    """The form to use of several that fit: by its name, by its values, otherwise the first.

    Raises:
        ContractBroken: the entries of a dictionary do not tell.
    """
    names = _PROBABILITIES if card.outputs == "probabilities" else _LOGITS
    by_name = {str(form.path[-1]).casefold(): form for form in reversed(forms) if form.path}
    if named := next((by_name[name] for name in names if name in by_name), None):
        return named
    if isinstance(outputs[0], dict):
        keys = ", ".join(repr(form.path[-1]) for form in forms)
        raise ContractBroken(
            "The model does not match its card",
            why=f"it returns a dictionary, and several entries may be the scores: {keys}",
            hint="Export the network with one output, or with an entry named `logits`.",
        )
    expected = card.outputs == "probabilities"
    like_card = [
        form
        for form in forms
        if all(_in_unit_range(dict(_tensors(output)).get(form.path)) for output in outputs)
        == expected
    ]
    return (like_card or forms)[0]


def _in_unit_range(tensor: torch.Tensor | None) -> bool:
    return tensor is None or bool(((tensor >= 0) & (tensor <= 1)).all())


def _form_notes(form: OutputForm, output: Any, forms: list[OutputForm]) -> Iterator[str]:
    if form.joined:
        yield f"it returns a {_kind(output)} with one tensor per finding, which are joined"
    elif form.path:
        entry = " of ".join(
            f"entry {step!r}" if isinstance(step, str) else f"output {step + 1}"
            for step in reversed(form.path)
        )
        others = f"; {len(forms)} outputs have its shape" if len(forms) > 1 else ""
        yield f"it returns a {_kind(output)} of {len(output)}, whose {entry} is used{others}"
    if form.reshaped:
        shape = "x".join(map(str, dict(_tensors(output))[form.path].shape)) or "no dimension"
        yield f"its output of shape {shape} is read as one row per film"


def _refuse(output: Any, films: int, card: ModelCard) -> None:
    """Refuse an output that is not a single tensor, or not of floating-point numbers."""
    tensors = dict(_tensors(output))
    if not tensors:
        why, hint = f"it returns a {_kind(output)}", "Export the network with one tensor as output."
    elif not any(tensor.is_floating_point() for tensor in tensors.values()):
        format_ = _name(next(iter(tensors.values())).dtype)
        why = f"it returns {format_}: the class of each film, as after an argmax, and not scores"
        hint = "Export the network without this last step."
    elif isinstance(output, torch.Tensor):
        return
    else:
        counts = " or ".join(str(count) for count in output_counts(card))
        shapes = ", ".join(_described(path, tensor) for path, tensor in tensors.items())
        why = (
            f"it returns a {_kind(output)} of {shapes} for {counted(films, 'film')}, of which none "
            f"is ({films}, {counts}) as the card's findings require"
        )
        hint = "Correct the findings in the card, or export the network with one output."
    raise ContractBroken(
        "The model does not match its card",
        why=why,
        hint=hint,
        field="findings" if "card's findings" in why else "",
    )


def _described(path: Path, tensor: torch.Tensor) -> str:
    shape = tuple(tensor.shape)
    return f"{path[-1]!r}: {shape}" if path and isinstance(path[-1], str) else str(shape)


def _floating(output: Any) -> torch.Tensor:
    if not isinstance(output, torch.Tensor):
        raise TypeError(f"returned a {_kind(output)} instead of a tensor")
    if not output.is_floating_point():
        raise TypeError(f"returned {_name(output.dtype)} instead of floating point")
    return output


def _kind(output: Any) -> str:
    if isinstance(output, dict):
        return "dictionary"
    kinds = {tuple: "tuple", list: "list"}
    return next((text for kind, text in kinds.items() if isinstance(output, kind)),
                type(output).__name__)  # fmt: skip


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
