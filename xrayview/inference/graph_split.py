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


_ATTENTION = frozenset(
    {"aten::scaled_dot_product_attention", "aten::_native_multi_head_attention",
     "aten::_transformer_encoder_layer_fwd", "aten::baddbmm"}
)  # fmt: skip
_MOST_ATTENTIONS = 2
"""Pooling by attention may follow the last map; more is a transformer on an early map."""
_COARSER = 2
"""A map that is bypassed gives way to an earlier one of at most this many times its side."""
_MIN_SHIFT = 0.1
"""The least way, as a share of the film, from what one edge of a map depends on to the other's."""

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
    bypassed: CannotSplit | None = None
    for index, shape in _last_maps(_plain_copy(graph), x_BCHW):
        features, head = _plain_copy(graph), _plain_copy(graph)
        try:
            _start_at(head, _tensors(head)[index], x_BCHW)
        except CannotSplit as error:
            bypassed = bypassed or error  # one of several branches; they begin at an earlier map
            continue
        _set_outputs(features, _tensors(features)[index])
        channels, height, width = shape[1:]
        return SplitNetwork(
            _callable("features", features),
            _callable("head", head),
            f"is split after its last feature map of {channels} x {height} x {width}",
        )
    raise bypassed or CannotSplit("it has no feature map of more than one cell")


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


def _last_maps(graph: Any, x_BCHW: torch.Tensor) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The index in `_tensors` and the shape of each map to split after, the last one first.

    Raises:
        CannotSplit: the last 4-D activation is not a map of the film.
    """
    values = _tensors(graph)
    maps = _maps_of_the_film(graph)
    largest: tuple[int, ...] = ()
    for index, shape in _shapes_from_the_end(graph, x_BCHW):
        if len(shape) != 4 or 1 in (shape[2] * shape[3], shape[1] * shape[2]):
            continue  # a vector, or pooled to one cell, with the channels first or last
        node = values[index].node()
        if node.kind() in _HEAD_POOLING:
            continue  # pooled to a fixed grid: its input is the map
        is_map = values[index].unique() in maps or _keeps_place(graph, index, x_BCHW)
        if largest and (not is_map or shape[2] > largest[0] or shape[3] > largest[1]):
            return  # an early map has other features than those that decide
        if not is_map or _attentions_after(graph, node) > _MOST_ATTENTIONS:
            raise CannotSplit(_not_a_map(graph, node.kind()))
        largest = largest or tuple(_COARSER * side for side in shape[2:])
        yield index, shape


def _attentions_after(graph: Any, node: Any) -> int:
    """The attention operations that follow a node."""
    nodes = list(graph.nodes())
    return sum(_attentions(later) for later in nodes[nodes.index(node) + 1 :])


def _attentions(node: Any) -> int:
    inside = (inner for block in node.blocks() for inner in block.nodes())
    return (node.kind() in _ATTENTION) + sum(map(_attentions, inside))


def _not_a_map(graph: Any, kind: str) -> str:
    kinds = {node.kind() for node in graph.nodes()}
    if any(map(_attentions, graph.nodes())) or {"aten::softmax", "aten::matmul"} <= kinds:
        return "its last layers are attention between tokens, and no map of the film"
    return f"its last 4-D activation is not a convolutional map ({kind})"


def _keeps_place(graph: Any, index: int, x_BCHW: torch.Tensor) -> bool:
    """True where cells depend most on the film at their own place, as the gradient shows.

    Networks of windows and channels-last blocks have such maps without a convolution at their end.
    """
    copy = graph.copy()
    _set_outputs(copy, _tensors(copy)[index])
    with torch.enable_grad():
        x = x_BCHW[:1].clone().requires_grad_()
        map_1Dhw = _callable("map", copy)(x)
        centres = []
        for i, j in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
            (gradient,) = torch.autograd.grad(
                map_1Dhw[0, :, i, j].square().sum(), x, retain_graph=True, allow_unused=True
            )
            if gradient is None or not gradient.any():
                return False
            weight_HW = gradient[0].abs().sum(0)
            centres.append([float(_centre(weight_HW.sum(1 - axis))) for axis in (0, 1)])
    (top_left, top_right, bottom_left, bottom_right) = centres
    down = min(bottom_left[0] - top_left[0], bottom_right[0] - top_right[0])
    right = min(top_right[1] - top_left[1], bottom_right[1] - bottom_left[1])
    return min(down, right) > _MIN_SHIFT


def _centre(weight_N: torch.Tensor) -> torch.Tensor:
    """The centre of mass, 0 to 1."""
    place_N = torch.linspace(0, 1, len(weight_N), device=weight_N.device, dtype=weight_N.dtype)
    return (weight_N * place_N).sum() / weight_N.sum()


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


def _start_at(graph: Any, value: Any, x_BCHW: torch.Tensor) -> None:
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
    _read_sizes_of(graph, begin, film, before, x_BCHW)
    # Dead code elimination would keep assertions and appended lists, and the film with them.
    for node in reversed(before):
        if not any(output.uses() for output in node.outputs()):
            node.destroy()
    if film.uses():
        raise CannotSplit("what follows its last feature map also reads what comes before it")
    graph.eraseInput([v.unique() for v in graph.inputs()].index(film.unique()))


def _read_sizes_of(
    graph: Any, begin: Any, film: Any, before: list[Any], x_BCHW: torch.Tensor
) -> None:
    """Let the batch size, device and format come from `begin`, the film's sides from the card."""
    earlier = {film.unique(), *(v.unique() for node in before for v in node.outputs())}
    replaced = []
    for node in list(graph.nodes()):
        inputs = list(node.inputs())
        if not inputs or inputs[0].unique() not in earlier:
            continue
        kind, is_film = node.kind(), inputs[0].unique() == film.unique()
        if kind in ("prim::device", "prim::dtype", "aten::len") and is_film:
            node.replaceInput(0, begin)
        elif kind == "aten::size" and len(inputs) == 2:
            axis = inputs[1].toIValue()
            if axis in (0, -4) and (is_film or _is_map(inputs[0])):
                node.replaceInput(0, begin)
                node.replaceInput(1, _constant(graph, node, 0))
            elif axis is not None and is_film:
                node.output().replaceAllUsesWith(_constant(graph, node, x_BCHW.shape[axis]))
                replaced.append(node)
        elif kind == "aten::size" and is_film:
            films = graph.create("aten::size", [begin, _constant(graph, node, 0)], 1)
            films.insertBefore(node)
            films.output().setType(torch._C.IntType.get())
            sides = [_constant(graph, node, side) for side in x_BCHW.shape[1:]]
            sizes = graph.create("prim::ListConstruct", [films.output(), *sides], 1)
            sizes.insertBefore(node)
            sizes.output().setType(torch._C.ListType(torch._C.IntType.get()))
            node.output().replaceAllUsesWith(sizes.output())
            replaced.append(node)
    for node in replaced:
        if node not in before:  # those before are removed with the rest
            node.destroy()


def _is_map(value: Any) -> bool:
    """True for a map, whose first dimension is the film's, as far as the graph shows."""
    return value.node().kind() in _CONVOLUTIONS | _KEEPS_POSITIONS | _HEAD_POOLING


def _constant(graph: Any, node: Any, number: int) -> Any:
    """A constant for this node."""
    value = graph.insertConstant(number)
    value.node().moveBefore(node)
    return value


def _callable(name: str, graph: Any) -> Any:
    inputs = list(graph.inputs())
    if inputs and inputs[0].type().kind() == "ClassType":
        if inputs[0].uses():
            raise CannotSplit("it keeps values outside of its graph")
        graph.eraseInput(0)
    return torch._C._create_function_from_graph(name, graph)
