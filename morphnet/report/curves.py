"""Which curves of a run the page shows, against steps and against the clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from morphnet.report.chart import COLOURS, CROWD, Line, chart
from morphnet.report.run import Run

DIAGNOSTICS = {
    "loss/entropy": "Entropy of the actors",
    "loss/kl": "KL divergence of an update",
    "loss/value_loss": "Loss of the critic",
    "steps_per_second": "Environment steps a second",
}
"""Column of the metrics -> title of its chart."""


def curves(run: Run, families: Mapping[str, Sequence[str]]) -> str:
    """Draw the mean, every family and every body, twice; a switch on the page shows one or the other.

    Args:
        run: the run.
        families: family -> names of its bodies.
    """
    hours = run.metrics["seconds"][-1] > 2 * 3600
    clock = run.metrics["seconds"] / (3600 if hours else 60)
    by_steps = _panel(run, families, run.metrics["steps"], "environment steps, all bodies together")
    by_clock = _panel(run, families, clock, f"wall-clock ({'hours' if hours else 'minutes'})")
    return (
        '<input type="radio" name="axis" id="by-steps" checked><label for="by-steps">Steps</label>'
        '<input type="radio" name="axis" id="by-clock"><label for="by-clock">Wall-clock</label>'
        f'<div class="panel steps">{by_steps}</div><div class="panel clock">{by_clock}</div>'
    )


def _panel(run: Run, families: Mapping[str, Sequence[str]], x: np.ndarray, x_label: str) -> str:
    means = [
        Line(family, x, _mean(run, names), index % COLOURS) for index, (family, names) in enumerate(families.items())
    ]
    overall = [*(means if len(means) > 1 else []), Line("all bodies", x, run.metrics["mean_return"])]
    bodies = "".join(_family(run, family, names, x, x_label) for family, names in families.items())
    details = "".join(
        chart(title, [Line(title, x, run.metrics[column])], x_label, legend=False)
        for column, title in DIAGNOSTICS.items()
        if column in run.metrics
    )
    return (
        f'<div class="wide">{chart("Mean return", overall, x_label)}</div><div class="charts">{bodies}</div>'
        f'<details><summary>Training in detail</summary><div class="charts">{details}</div></details>'
    )


def _family(run: Run, family: str, names: Sequence[str], x: np.ndarray, x_label: str) -> str:
    """Draw a family's bodies in colours of their own, or in one behind their mean where there are too many."""
    if len(names) <= COLOURS:
        return chart(family, [Line(name, x, run.returns_of(name), i) for i, name in enumerate(names)], x_label)
    lines = [Line(name, x, run.returns_of(name), CROWD) for name in names]
    mean = Line(f"mean of {len(names)} bodies", x, _mean(run, names))
    return chart(family, [*lines, mean], x_label, legend=False)


def _mean(run: Run, names: Sequence[str]) -> np.ndarray:
    return np.mean([run.returns_of(name) for name in names], axis=0)
