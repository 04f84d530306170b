"""Line charts: lines as inline SVG, words as HTML, so that words keep their size on any screen."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from html import escape

import numpy as np

from morphnet.report.text import breakable, count, number

COLOURS = 8
"""How many colours the style sheet has for lines."""
CROWD = COLOURS
"""The colour of lines that are too many to tell apart: pale and thin."""
POINTS = 400
"""Most points a line; no screen shows more."""
SIDE = 1000.0
"""Side of the square that lines are drawn in; the page stretches it to the room there is."""


@dataclasses.dataclass(frozen=True, eq=False)
class Line:
    """One line of a chart.

    Attributes:
        name: in the legend.
        x, y: (points,); points where either is NaN are left out.
        colour: which of the style sheet's colours; None is the text's.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    colour: int | None = None


def chart(title: str, lines: Sequence[Line], x_label: str, legend: bool = True) -> str:
    """Draw lines over common axes, with a legend that gives each line's last value."""
    drawn = [(line, *_points(line)) for line in lines]
    known = [(line, x, y) for line, x, y in drawn if len(x)]
    heading = f"<h3>{escape(title)}</h3>"
    if not known:
        return f'<figure class="chart">{heading}<p class="note">No episode has ended yet.</p></figure>'
    x_end = max(float(x.max()) for _, x, _ in known)
    low, high = _range([y for *_, y in known])
    paths = "".join(_path(line, x / x_end, (y - low) / (high - low)) for line, x, y in known)
    heights = {tick: SIDE * (high - tick) / (high - low) for tick in ticks(low, high)}
    grid = "".join(f'<path class="grid" d="M0 {height:.1f}H{SIDE:.0f}"/>' for height in heights.values())
    picture = (
        f'<svg viewBox="0 0 {SIDE:.0f} {SIDE:.0f}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(title)}">{grid}{paths}</svg>'
    )
    words = "".join(f'<span style="top:{h / SIDE:.1%}">{number(tick)}</span>' for tick, h in heights.items())
    below = "".join(f'<span style="left:{tick / x_end:.1%}">{count(tick)}</span>' for tick in ticks(0.0, x_end))
    return (
        f'<figure class="chart">{heading}<div class="plot"><div class="y">{words}</div>{picture}'
        f'<div class="x">{below}</div></div><p class="axis">{escape(x_label)}</p>{_legend(known) if legend else ""}'
        "</figure>"
    )


def ticks(low: float, high: float) -> list[float]:
    """Round numbers from ``low`` to ``high``, three to six of them."""
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = min((size * power for size in (1, 2, 2.5, 5, 10)), key=lambda size: abs(math.log(size / rough)))
    return [index * step for index in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _range(values: Sequence[np.ndarray]) -> tuple[float, float]:
    """What the vertical axis spans: all values, and a little room above and below."""
    low, high = min(float(y.min()) for y in values), max(float(y.max()) for y in values)
    room = 0.04 * (high - low) or abs(high) or 1.0
    return low - room, high + room


def _points(line: Line) -> tuple[np.ndarray, np.ndarray]:
    known = np.flatnonzero(np.isfinite(line.x) & np.isfinite(line.y))
    if len(known) > POINTS:
        known = known[np.linspace(0, len(known) - 1, POINTS).round().astype(int)]
    return line.x[known], line.y[known]


def _path(line: Line, right: np.ndarray, up: np.ndarray) -> str:
    points = " ".join(f"{SIDE * x:.1f},{SIDE * (1 - y):.1f}" for x, y in zip(right, up, strict=True))
    return f'<polyline class="{_colour(line)}" points="{points}"><title>{escape(line.name)}</title></polyline>'


def _legend(known: Sequence[tuple[Line, np.ndarray, np.ndarray]]) -> str:
    items = "".join(
        f'<li><i class="{_colour(line)}"></i>{breakable(line.name)} <b>{number(float(y[-1]))}</b></li>'
        for line, _, y in known
    )
    return f'<ul class="legend">{items}</ul>'


def _colour(line: Line) -> str:
    if line.colour is None:
        return "main"
    return "crowd" if line.colour == CROWD else f"c{line.colour}"
