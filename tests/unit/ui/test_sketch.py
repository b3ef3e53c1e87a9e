"""A drawing in progress: dragged or clicked, one line or two, until it is complete."""

from __future__ import annotations

from itertools import pairwise

import pytest

from xrayview.domain.radiograph import Point
from xrayview.ui.measure.sketch import Sketch
from xrayview.ui.measure.tools import BY_NAME, TOOLS

A, B, C, D = (0.0, 0.0), (0.0, 10.0), (5.0, 5.0), (9.0, 9.0)


def drag(sketch: Sketch, start: Point, end: Point) -> None:
    sketch.press(start)
    sketch.hover(end)
    sketch.release(end, dragged=True)


def click(sketch: Sketch, point: Point) -> None:
    sketch.hover(point)
    sketch.press(point)
    sketch.release(point, dragged=False)


def test_that_a_length_is_dragged_or_clicked_end_by_end() -> None:
    dragged, clicked = Sketch(BY_NAME["length"]), Sketch(BY_NAME["length"])
    drag(dragged, A, B)
    click(clicked, A)
    assert not clicked.is_complete
    click(clicked, B)
    assert dragged.fixed == clicked.fixed == (A, B)
    assert dragged.is_complete
    assert clicked.is_complete


def test_that_the_last_arm_of_an_angle_follows_the_pointer() -> None:
    sketch = Sketch(BY_NAME["angle"])
    drag(sketch, A, B)
    sketch.hover(C)
    assert sketch.points == (A, B, C)
    assert not sketch.is_complete
    click(sketch, D)
    assert sketch.fixed == (A, B, D)


@pytest.mark.parametrize("name", ["cobb", "cardiothoracic"])
def test_that_a_second_line_begins_where_it_is_pressed(name: str) -> None:
    sketch = Sketch(BY_NAME[name])
    drag(sketch, A, B)
    sketch.hover(D)
    assert sketch.points == (A, B)
    drag(sketch, C, D)
    assert sketch.fixed == (A, B, C, D)
    assert sketch.is_complete


def test_that_a_polygon_is_closed_only_with_three_corners_or_more() -> None:
    sketch = Sketch(BY_NAME["polygon"])
    click(sketch, A)
    click(sketch, B)
    assert not sketch.close()
    sketch = Sketch(BY_NAME["polygon"])
    for corner in (A, B, C, D):
        click(sketch, corner)
    assert not sketch.is_complete
    assert sketch.close()
    assert sketch.points == (A, B, C, D)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_that_every_tool_can_be_used_with_clicks_only(tool) -> None:
    sketch = Sketch(tool)
    points = [(float(n), float(n * n)) for n in range(5)]
    for point, _ in pairwise(points):
        if not sketch.is_complete:
            click(sketch, point)
    assert sketch.close()
    assert sketch.fixed == tuple(points[: len(sketch.fixed)])
