"""Operations of a TorchScript graph that draw random numbers."""

from __future__ import annotations

from typing import Any

_GENERATORS = frozenset(
    f"aten::{name}"
    for name in (
        "rand", "rand_like", "randn", "randn_like", "randint", "randint_like", "randperm",
        "bernoulli", "bernoulli_", "normal", "normal_", "uniform_", "exponential_", "random_",
        "multinomial", "poisson", "cauchy_", "log_normal_", "geometric_",
    )
)  # fmt: skip
_TRAINING_INPUT = {
    "aten::dropout": 2, "aten::dropout_": 2, "aten::feature_dropout": 2,
    "aten::feature_dropout_": 2, "aten::alpha_dropout": 2, "aten::alpha_dropout_": 2,
    "aten::feature_alpha_dropout": 2, "aten::native_dropout": 2, "aten::rrelu": 3,
    "aten::rrelu_": 3,
}  # fmt: skip
"""Operations that are random in training, with the input that says whether they train."""
_ATTENTION, _ATTENTION_DROPOUT = "aten::scaled_dot_product_attention", 4


def random_operations(graph: Any) -> tuple[str, ...]:
    """The names of these operations in an inlined graph, such as `dropout`, sorted."""
    names = {node.kind() for kind in _GENERATORS for node in graph.findAllNodes(kind)}
    for kind, index in _TRAINING_INPUT.items():
        for node in graph.findAllNodes(kind):
            inputs = list(node.inputs())
            if inputs[index].toIValue() is True and inputs[1].toIValue() != 0:
                names.add(kind)
    for node in graph.findAllNodes(_ATTENTION):
        if list(node.inputs())[_ATTENTION_DROPOUT].toIValue() not in (None, 0, 0.0):
            names.add("dropout")
    return tuple(sorted({name.removeprefix("aten::").rstrip("_") for name in names}))
