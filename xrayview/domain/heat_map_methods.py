"""The heat-map methods, one row each.

Menus, command line choices, settings, captions, checks and tests are made from these rows. The
computation of a method is in `inference/attributions.py`, under the same id.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HeatMapMethod:
    """A way to show where a model found its evidence."""

    id: str
    """Its name on the command line, in the settings and in requests."""
    title: str
    """Its name on screen and in captions."""
    reference: str
    needs_features: bool = False
    """It needs the network in two parts: the last feature map, and what follows."""
    needs_gradient: bool = False
    """It needs gradients, which not every runtime computes."""


HEAT_MAP_METHODS: dict[str, HeatMapMethod] = {
    method.id: method
    for method in (
        HeatMapMethod(
            "grad-cam",
            "Grad-CAM",
            "Selvaraju et al., ICCV 2017",
            needs_features=True,
            needs_gradient=True,
        ),
        HeatMapMethod(
            "hires-cam",
            "HiResCAM",
            "Draelos and Carin, arXiv:2011.08891, 2020",
            needs_features=True,
            needs_gradient=True,
        ),
        HeatMapMethod(
            "grad-cam++",
            "Grad-CAM++",
            "Chattopadhay et al., WACV 2018",
            needs_features=True,
            needs_gradient=True,
        ),
        HeatMapMethod(
            "layer-cam",
            "LayerCAM",
            "Jiang et al., IEEE TIP 2021",
            needs_features=True,
            needs_gradient=True,
        ),
        HeatMapMethod(
            "eigen-cam",
            "Eigen-CAM (any finding)",
            "Muhammad and Yeasin, IJCNN 2020",
            needs_features=True,
        ),
        HeatMapMethod(
            "score-cam",
            "Score-CAM",
            "Wang et al., CVPR workshops 2020",
            needs_features=True,
        ),
        HeatMapMethod("occlusion", "Occlusion", "Zeiler and Fergus, ECCV 2014"),
        HeatMapMethod(
            "input-gradient",
            "Input gradient",
            "gradient x input, Shrikumar et al., arXiv:1605.01713, 2016",
            needs_gradient=True,
        ),
        HeatMapMethod(
            "smooth-grad",
            "SmoothGrad",
            "Smilkov et al., arXiv:1706.03825, 2017",
            needs_gradient=True,
        ),
        HeatMapMethod(
            "integrated-gradients",
            "Integrated gradients",
            "Sundararajan et al., ICML 2017",
            needs_gradient=True,
        ),
    )
}
"""By id, the preferred ones first."""

METHOD_TITLES: dict[str, str] = {method.id: method.title for method in HEAT_MAP_METHODS.values()}
DEFAULT_METHOD = next(iter(HEAT_MAP_METHODS))


def available_methods(*, has_features: bool, has_gradient: bool) -> tuple[str, ...]:
    """The ids of the methods that such a network can do, the preferred ones first."""
    return tuple(
        method.id
        for method in HEAT_MAP_METHODS.values()
        if has_features >= method.needs_features and has_gradient >= method.needs_gradient
    )


def method_title(method: str) -> str:
    """The title of a method; its id where it is not in the table, as in a map from elsewhere."""
    return METHOD_TITLES.get(method, method)
