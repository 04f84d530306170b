"""The figure of adaptation: score against number of demonstrations, mean over bodies and seeds.

python -m benchmarks.adaptation_figure benchmarks/results/adaptation.csv --out rollouts/adaptation.html
"""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import tyro

from morphnet.files import write_bytes
from morphnet.report.chart import Line, chart
from morphnet.report.page import STYLE

EPISODES = {"100 steps": 0.1, "1": 1.0, "5": 5.0}
"""Amount of demonstration -> its place on the axis, in episodes of 1000 steps. What reads none is level."""


def lines(rows: list[dict[str, str]]) -> list[Line]:
    """Turn the rows of the CSV into one line a recipe."""
    scores: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        places = [row["demonstrations"]] if row["demonstrations"] in EPISODES else EPISODES
        for amount in places:
            scores[row["recipe"]][amount].append(float(row["score"]))
    return [
        Line(
            recipe,
            np.array([EPISODES[amount] for amount in by_amount]),
            np.array([np.mean(values) for values in by_amount.values()]),
            index,
        )
        for index, (recipe, by_amount) in enumerate(scores.items())
    ]


def main(results: tyro.conf.Positional[Path], out: Path) -> None:
    """Draw the figure as one HTML page.

    Args:
        results: the CSV that ``benchmarks.adaptation`` wrote.
        out: the page.
    """
    with results.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    bodies = len({row["body"] for row in rows})
    title = f"Score (0 random, 1 demonstrator), mean of {bodies} bodies"
    figure = chart(title, lines(rows), "demonstrations (episodes)")
    page = f'<!doctype html><meta charset="utf-8"><title>Adaptation</title><style>{STYLE.read_text()}</style>{figure}'
    write_bytes(out, page.encode())


if __name__ == "__main__":
    tyro.cli(main)
