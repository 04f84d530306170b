"""Charts: points lie where the numbers say; and numbers as they are written."""

import re
from pathlib import Path

import numpy as np
import pytest

from morphnet.report.chart import COLOURS, POINTS, SIDE, Line, chart, ticks
from morphnet.report.curves import curves
from morphnet.report.run import Run
from morphnet.report.text import count, duration, number


def points(text):
    """(lines, points, 2) coordinates of every line of a chart."""
    return [
        np.array([[float(part) for part in pair.split(",")] for pair in found.split()])
        for found in re.findall(r'points="([^"]*)"', text)
    ]


def tick_height(text, label):
    """Where a label of the vertical axis stands, as the height of a point."""
    return SIDE / 100 * float(re.search(rf'top:([\d.]+)%">{label}<', text)[1])


def test_points_lie_where_the_axes_say():
    x = np.array([0.0, 50.0, 100.0])
    text = chart("title", [Line("line", x, np.array([-20.0, 100.0, 40.0]), 0)], "x")
    (line,) = points(text)
    np.testing.assert_allclose(line[:, 0], [0.0, SIDE / 2, SIDE])
    assert line[1, 1] == pytest.approx(tick_height(text, "100"), abs=1.0)
    zero, hundred = tick_height(text, "0"), tick_height(text, "100")
    assert line[2, 1] == pytest.approx(zero + 0.4 * (hundred - zero), abs=2.0)


def test_lines_share_their_axes():
    x = np.array([1.0, 2.0])
    low, high = points(chart("title", [Line("a", x, np.array([0.0, 1.0])), Line("b", x, np.array([0.0, 2.0]))], "x"))
    assert low[0].tolist() == high[0].tolist()
    assert low[1, 1] == pytest.approx((high[0, 1] + high[1, 1]) / 2, abs=0.2)


def test_unknown_points_are_left_out():
    y = np.array([np.nan, 3.0, 4.0])
    text = chart("title", [Line("line", np.arange(3.0), y), Line("unknown", np.arange(3.0), np.full(3, np.nan))], "x")
    assert [len(line) for line in points(text)] == [2]
    assert "unknown" not in text
    assert "nan" not in text
    assert "No episode has ended yet" in chart("title", [Line("line", np.arange(3.0), np.full(3, np.nan))], "x")


def test_long_lines_keep_their_ends():
    x = np.arange(10 * POINTS, dtype=float)
    (line,) = points(chart("title", [Line("line", x, x)], "x"))
    assert len(line) == POINTS
    assert line[0, 0] == 0.0
    assert line[-1, 0] == SIDE


def run_of(count):
    """A run of so many bodies, body i returning i and 3 i."""
    metrics = {f"return/b{i}": np.array([float(i), 3.0 * i]) for i in range(count)}
    clock = {"steps": np.array([10.0, 20.0]), "seconds": np.array([60.0, 120.0]), "mean_return": np.array([1.0, 2.0])}
    return Run(Path(), {}, {**clock, **metrics})


@pytest.mark.parametrize("count", [1, 2, 8, 9, 20])
def test_lines_of_many_bodies_and_families(count):
    names = [f"b{index}" for index in range(count)]
    together = curves(run_of(count), {"family": names})
    # twice, against steps and the clock: the bodies and the mean over all; where they are too many, the family's mean
    assert len(points(together)) == 2 * (count + 1 + (count > COLOURS))
    assert ('"crowd"' in together) == (count > COLOURS)
    apart = curves(run_of(count), {name: [name] for name in names})
    assert len(points(apart)) == 2 * (count + 1 + (count if count > 1 else 0))
    assert '"crowd"' not in apart
    for name in names:
        assert f">{name}<" in apart


@pytest.mark.parametrize("y", [[5.0], [0.0, 0.0], [-3.0, -3.0], [1e-9, 2e-9], [1e9, -1e9]])
def test_any_range_can_be_drawn(y):
    text = chart("title", [Line("line", np.arange(1.0, len(y) + 1), np.array(y))], "x")
    (line,) = points(text)
    assert np.all((line >= 0) & (line <= SIDE))


def test_names_are_escaped():
    text = chart("<title>", [Line("a<b>&", np.arange(2.0), np.arange(2.0))], "<x>")
    assert "a&lt;b&gt;&amp;" in text
    assert "<b>&" not in text
    assert "&lt;title&gt;" in text
    assert "&lt;x&gt;" in text


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-187.0, 3095.0), (0.0, 15_022_080.0), (0.003, 0.0041)])
def test_ticks_are_round_few_and_inside(low, high):
    found = ticks(low, high)
    assert 3 <= len(found) <= 7
    assert low <= found[0]
    assert found[-1] <= high
    step = found[1] - found[0]
    np.testing.assert_allclose(np.diff(found), step)
    digits = f"{step:.3e}".split("e")[0].rstrip("0").rstrip(".")
    assert digits in {"1", "2", "2.5", "5"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "\N{EN DASH}"), (float("nan"), "\N{EN DASH}"), (0.0, "0"), (-0.0, "0"), (2441.3, "2,441"),
        (-63.7, "\N{MINUS SIGN}64"), (6.543, "6.54"), (9.999, "10"), (0.02, "0.02"),
    ],
)  # fmt: skip
def test_numbers(value, text):
    assert number(value) == text


def test_counts_and_durations():
    assert count(15_022_080).replace("\xa0", " ") == "15 M"
    assert count(30_720).replace("\xa0", " ") == "30.7 k"
    assert count(512) == "512"
    assert [duration(s).replace("\xa0", " ") for s in (12, 89, 1495.6, 7200)] == ["12 s", "89 s", "24.9 min", "2.0 h"]
