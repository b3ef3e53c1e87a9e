"""Split the graph of a network in two: features before its pooling, and the head.

Grad-CAM needs `forward_features` and `forward_head`. For a network that has neither, its
TorchScript graph is searched for the last feature map of more than one cell, and both parts are
built from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from xrayview.domain.model import Activation

Call = Callable[[torch.Tensor], torch.Tensor]

_VALUES_PER_RUN = 8
"""Values whose shapes are read in one run, starting from the last; early maps are large."""
_CONVOLUTIONS = frozenset({"aten::_convolution", "aten::conv2d", "aten::convolution"})
_HEAD_POOLING = frozenset({"aten::adaptive_avg_pool2d", "aten::adaptive_max_pool2d"})
# Operations that keep positions: cell (y, x) of the output corresponds to (y, x) of the input.
_KEEPS_POSITIONS = frozenset(
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


class CannotSplit(Exception):
    """The graph cannot be split; the text says why."""


@dataclass(frozen=True)
class SplitNetwork:
    """A network in two parts: `head(features(x))` is the output of the whole."""

    features: Call
    head: Call
    note: str = ""
    """Where the network was split, for the user; empty where the file has both parts."""


def split_graph(graph: Any, x_BCHW: torch.Tensor) -> SplitNetwork:
    """Split the frozen graph of `forward` after its last feature map of more than one cell.

    Args:
        graph: the TorchScript graph of a frozen module, with its weights; it is not modified.
        x_BCHW: an input of the right shape, to find the shapes of the values.

    Raises:
        CannotSplit: the last 4-D activation is not a map of the film, or something bypasses it.
        RuntimeError: the graph does not run.
    """
    whole = _plain_copy(graph)
    index, shape = _last_map(whole, x_BCHW)
    features, head = _plain_copy(graph), _plain_copy(graph)
    _set_outputs(features, _tensors(features)[index])
    _start_at(head, _tensors(head)[index])
    channels, height, width = shape[1:]
    return SplitNetwork(
        _callable("features", features),
        _callable("head", head),
        f"is split after its last feature map of {channels} x {height} x {width}",
    )


def without_activation(graph: Any, activation: Activation) -> Any | None:
    """The frozen graph of `forward` without its final activation; None where there is none.

    Its outputs are exact logits, whereas logarithms cannot tell probabilities apart that have been
    rounded to 0 or 1.
    """
    copy = _plain_copy(graph)
    last = next(copy.outputs()).node()
    if last.kind() != _ENDS[activation]:
        return None
    _set_outputs(copy, next(last.inputs()))
    return copy


def as_call(graph: Any) -> Call:
    """A function that runs the frozen graph of `forward`."""
    call: Call = _callable("whole", graph.copy())
    return call


def _plain_copy(graph: Any) -> Any:
    """A copy with calls inlined and without in-place operations, so that values never change."""
    copy = graph.copy()
    torch._C._jit_pass_inline(copy)
    torch._C._jit_pass_remove_mutation(copy)
    return copy


def _tensors(graph: Any) -> list[Any]:
    """The tensors that the graph's top level computes, in an order that all copies share."""
    return [
        value
        for node in graph.nodes()
        if node.kind() != "prim::Constant"
        for value in node.outputs()
        if value.type().kind() == "TensorType"
    ]


def _last_map(graph: Any, x_BCHW: torch.Tensor) -> tuple[int, tuple[int, ...]]:
    """The index in `_tensors` of the map to split after, and its shape."""
    values = _tensors(graph)
    maps = _maps_of_the_film(graph)
    for index, shape in _shapes_from_the_end(graph, x_BCHW):
        if len(shape) != 4 or shape[2] * shape[3] == 1:
            continue
        node = values[index].node()
        if node.kind() in _HEAD_POOLING:
            continue  # pooled to a fixed grid: its input is the map
        if values[index].unique() not in maps:
            raise CannotSplit(f"its last 4-D activation is not a convolutional map ({node.kind()})")
        return index, shape
    raise CannotSplit("it has no feature map of more than one cell")


def _maps_of_the_film(graph: Any) -> set[int]:
    """The values of convolutions, and of operations on them that keep positions."""
    maps: set[int] = set()
    for node in graph.nodes():
        inputs = [value.unique() for value in _inputs(node)]
        keeps = node.kind() in _KEEPS_POSITIONS | _HEAD_POOLING
        if node.kind() in _CONVOLUTIONS or (keeps and not maps.isdisjoint(inputs)):
            maps.update(value.unique() for value in node.outputs())
    return maps


def _inputs(node: Any) -> Iterator[Any]:
    """The inputs of a node, with lists flattened."""
    for value in node.inputs():
        if value.node().kind() == "prim::ListConstruct":
            yield from value.node().inputs()
        else:
            yield value


def _shapes_from_the_end(graph: Any, x_BCHW: torch.Tensor) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Index and shape of each tensor, the last one first."""
    count = len(_tensors(graph))
    for stop in range(count, 0, -_VALUES_PER_RUN):
        indices = range(max(0, stop - _VALUES_PER_RUN), stop)
        copy = graph.copy()
        values = _tensors(copy)
        _set_outputs(copy, *(values[index] for index in indices))
        torch._C._jit_pass_dce(copy)
        outputs = _callable("shapes", copy)(x_BCHW)
        tensors = (outputs,) if isinstance(outputs, torch.Tensor) else outputs
        yield from reversed([(i, tuple(t.shape)) for i, t in zip(indices, tensors, strict=True)])


def _set_outputs(graph: Any, *values: Any) -> None:
    """Make these values the outputs of the graph."""
    for _ in list(graph.outputs()):
        graph.eraseOutput(0)
    for value in values:
        graph.registerOutput(value)
    if len(values) > 1:
        graph.makeMultiOutputIntoTuple()
    torch._C._jit_pass_dce(graph)


def _start_at(graph: Any, value: Any) -> None:
    """Make this value the input of the graph.

    Raises:
        CannotSplit: what follows the value also reads the film.
    """
    film = next(v for v in graph.inputs() if v.type().kind() == "TensorType")
    nodes = list(graph.nodes())
    before = nodes[: nodes.index(value.node()) + 1]
    begin = graph.addInput()
    begin.setType(value.type())
    value.replaceAllUsesWith(begin)
    # Dead code elimination would keep assertions and appended lists, and the film with them.
    for node in reversed(before):
        if not any(output.uses() for output in node.outputs()):
            node.destroy()
    if film.uses():
        raise CannotSplit("what follows its last feature map also reads what comes before it")
    graph.eraseInput([v.unique() for v in graph.inputs()].index(film.unique()))


def _callable(name: str, graph: Any) -> Any:
    inputs = list(graph.inputs())
    if inputs and inputs[0].type().kind() == "ClassType":
        if inputs[0].uses():
            raise CannotSplit("it keeps values outside of its graph")
        graph.eraseInput(0)
    return torch._C._create_function_from_graph(name, graph)
