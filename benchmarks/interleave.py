"""Interleaved measurements: contestants take turns, so that a slow minute of the machine hits all of them alike."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from morphnet.console import print_table

Row = dict[str, str | float]


def interleave(contestants: Mapping[str, Callable[[], float]], repeats: int) -> dict[str, np.ndarray]:
    """Run every contestant once to warm up, then all of them in turn, ``repeats`` times.

    Args:
        contestants: each runs once and returns what it measured.
        repeats: rounds.

    Returns:
        (repeats,) measurements of each.
    """
    for run in contestants.values():
        run()
    rounds = [{name: run() for name, run in contestants.items()} for _ in range(repeats)]
    return {name: np.array([one[name] for one in rounds]) for name in contestants}


def rows_of(part: str, case: str, unit: str, reference: str, measured: Mapping[str, np.ndarray]) -> list[Row]:
    """Summarise: median, smallest and largest, and the ratio to ``reference`` within each round."""
    rows: list[Row] = []
    for name, values in measured.items():
        ratios = values / measured[reference]
        rows.append(
            {
                "part": part,
                "case": case,
                "contestant": name,
                "unit": unit,
                "median": round(float(np.median(values)), 2),
                "lowest": round(float(values.min()), 2),
                "highest": round(float(values.max()), 2),
                "ratio_to": reference,
                "ratio_median": round(float(np.median(ratios)), 4),
                "ratio_lowest": round(float(ratios.min()), 4),
                "ratio_highest": round(float(ratios.max()), 4),
                "rounds": len(values),
            }
        )
    return rows


def show(rows: list[Row]) -> None:
    """Print the table."""
    columns = list(rows[0])
    print_table("Speed", columns, [list(row.values()) for row in rows])


def save(rows: list[Row], out: Path) -> None:
    """Write the CSV."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
