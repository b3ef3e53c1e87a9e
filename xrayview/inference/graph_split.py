"""Where a network from elsewhere can be cut in two: features before its pooling, and the rest.

Heat maps ask for `forward_features` and `forward_head`. A network that has neither still has its
graph: the last map of more than one place is looked for in it, and both halves are built from it.
A graph is what TorchScript calls one; nothing here runs a film.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from xrayview.domain.model import Activation

Call = Callable[[torch.Tensor], torch.Tensor]

_MAPS_AT_ONCE = 8
"""Values that are looked at in one run, from the last one back: early maps are large."""
_CONVOLUTIONS = frozenset({"aten::_convolution", "aten::conv2d", "aten::convolution"})
_POOLING_OF_A_HEAD = frozenset({"aten::adaptive_avg_pool2d", "aten::adaptive_max_pool2d"})
# What gives a map of the film where it is given one: place (y, x) of the result is (y, x) of it.
_IN_PLACE_OF_FILM = frozenset(
    f"aten::{name}"
    for name in (
        "batch_norm", "instance_norm", "group_norm", "native_batch_norm", "local_response_norm",
        "relu", "relu6", "leaky_relu", "prelu", "rrelu", "elu", "selu", "celu", "gelu", "silu",
        "mish", "hardtanh", "hardswish", "hardsigmoid", "sigmoid", "tanh", "softplus", "threshold",
        "clamp", "add", "sub", "mul", "div", "cat", "dropout", "feature_dropout", "contiguous",
        "max_pool2d", "avg_pool2d", "upsample_nearest2d", "upsample_bilinear2d",
    )
)  # fmt: skip


_ENDS: dict[Activation, str] = {"sigmoid": "aten::sigmoid", "softmax": "aten::softmax"}


class NoCut(Exception):
    """The graph has no place where it can be cut; its text says why."""


@dataclass(frozen=True)
class Halves:
    """A network in two: `head(features(x))` is what the whole gives."""

    features: Call
    head: Call
    told: str = ""
    """Where it was cut, for the user; empty where the file brings both."""


def cut(graph: Any, x_BCHW: torch.Tensor) -> Halves:
    """Cut the frozen graph of `forward` at its last map of more than one place.

    Args:
        graph: the TorchScript graph of a frozen module, weights inside; it is left as it is.
        x_BCHW: an input of the right shape, to learn the shapes on the way.

    Raises:
        NoCut: its last 4-D activation is no map of the film, or something goes around it.
        RuntimeError: the graph does not run.
    """
    whole = _plain_copy(graph)
    place, shape = _last_map(whole, x_BCHW)
    features, head = _plain_copy(graph), _plain_copy(graph)
    _give(features, _tensors(features)[place])
    _start_at(head, _tensors(head)[place])
    channels, height, width = shape[1:]
    return Halves(
        _callable("features", features),
        _callable("head", head),
        f"is cut after its last map of {channels} x {height} x {width}",
    )


def without_activation(graph: Any, activation: Activation) -> Any | None:
    """The frozen graph of `forward` up to the activation that it ends in; None: it ends in no such.

    What it gives then are logits to the last digit, where a logarithm of probabilities that have
    come to 0 or 1 has nothing left to tell films apart by.
    """
    copy = _plain_copy(graph)
    last = next(copy.outputs()).node()
    if last.kind() != _ENDS[activation]:
        return None
    _give(copy, next(last.inputs()))
    return copy


def as_call(graph: Any) -> Call:
    """Something that runs the frozen graph of `forward`."""
    call: Call = _callable("whole", graph.copy())
    return call


def _plain_copy(graph: Any) -> Any:
    """A graph of one level without in-place changes: a value is the same wherever it is read."""
    copy = graph.copy()
    torch._C._jit_pass_inline(copy)
    torch._C._jit_pass_remove_mutation(copy)
    return copy


def _tensors(graph: Any) -> list[Any]:
    """Every tensor that the graph's own level makes, in order; the same in each copy of it."""
    return [
        value
        for node in graph.nodes()
        if node.kind() != "prim::Constant"
        for value in node.outputs()
        if value.type().kind() == "TensorType"
    ]


def _last_map(graph: Any, x_BCHW: torch.Tensor) -> tuple[int, tuple[int, ...]]:
    """The place in `_tensors` of what is to be cut after, and its shape."""
    values = _tensors(graph)
    maps = _maps_of_the_film(graph)
    for place, shape in _shapes_from_the_end(graph, x_BCHW):
        if len(shape) != 4 or shape[2] * shape[3] == 1:
            continue
        node = values[place].node()
        if node.kind() in _POOLING_OF_A_HEAD:
            continue  # pooled to a fixed grid: the map is what goes in
        if values[place].unique() not in maps:
            raise NoCut(f"its last 4-D activation is no map of convolutions ({node.kind()})")
        return place, shape
    raise NoCut("it has no map of more than one place")


def _maps_of_the_film(graph: Any) -> set[int]:
    """Values of convolutions, and what keeps their places."""
    maps: set[int] = set()
    for node in graph.nodes():
        given = [value.unique() for value in _read_by(node)]
        keeps = node.kind() in _IN_PLACE_OF_FILM | _POOLING_OF_A_HEAD
        if node.kind() in _CONVOLUTIONS or (keeps and not maps.isdisjoint(given)):
            maps.update(value.unique() for value in node.outputs())
    return maps


def _read_by(node: Any) -> Iterator[Any]:
    """What a node reads, lists opened."""
    for value in node.inputs():
        if value.node().kind() == "prim::ListConstruct":
            yield from value.node().inputs()
        else:
            yield value


def _shapes_from_the_end(graph: Any, x_BCHW: torch.Tensor) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Place and shape of each tensor, the last first."""
    count = len(_tensors(graph))
    for stop in range(count, 0, -_MAPS_AT_ONCE):
        places = range(max(0, stop - _MAPS_AT_ONCE), stop)
        asked = graph.copy()
        values = _tensors(asked)
        _give(asked, *(values[place] for place in places))
        torch._C._jit_pass_dce(asked)
        found = _callable("shapes", asked)(x_BCHW)
        tensors = (found,) if isinstance(found, torch.Tensor) else found
        yield from reversed([(p, tuple(t.shape)) for p, t in zip(places, tensors, strict=True)])


def _give(graph: Any, *values: Any) -> None:
    """Make these values what the graph gives."""
    for _ in list(graph.outputs()):
        graph.eraseOutput(0)
    for value in values:
        graph.registerOutput(value)
    if len(values) > 1:
        graph.makeMultiOutputIntoTuple()
    torch._C._jit_pass_dce(graph)


def _start_at(graph: Any, value: Any) -> None:
    """Make this value the graph's input.

    Raises:
        NoCut: the film is read by what comes after it.
    """
    film = next(v for v in graph.inputs() if v.type().kind() == "TensorType")
    nodes = list(graph.nodes())
    before = nodes[: nodes.index(value.node()) + 1]
    begin = graph.addInput()
    begin.setType(value.type())
    value.replaceAllUsesWith(begin)
    # Elimination of dead code would keep checks and appended lists, and the film with them.
    for node in reversed(before):
        if not any(output.uses() for output in node.outputs()):
            node.destroy()
    if film.uses():
        raise NoCut("what follows its last map also reads what comes before")
    graph.eraseInput([v.unique() for v in graph.inputs()].index(film.unique()))


def _callable(name: str, graph: Any) -> Any:
    inputs = list(graph.inputs())
    if inputs and inputs[0].type().kind() == "ClassType":
        if inputs[0].uses():
            raise NoCut("it keeps values apart from its graph")
        graph.eraseInput(0)
    return torch._C._create_function_from_graph(name, graph)
