"""Returns inside Gymnasium's own environments along a training run, from its periodic checkpoints.

python -m benchmarks.learning_curve --run RUN --out benchmarks/results/NAME.csv
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import tyro

from benchmarks.gymnasium_returns import ENVIRONMENTS, measure
from morphnet.console import print_table


def main(run: Path, out: Path, episodes: int = 10, seed: int = 0) -> None:
    """Evaluate every periodic checkpoint of a run.

    Args:
        run: the run's folder.
        out: the CSV: one row a checkpoint and environment.
        episodes: episodes an environment.
        seed: seed of the first episode.
    """
    rows = []
    records = {folder: json.loads((folder / "config.json").read_text()) for folder in (run / "periodic").iterdir()}
    for checkpoint, record in sorted(records.items(), key=lambda item: item[1]["steps"]):
        episodes_run = measure(checkpoint, episodes, seed)
        for name in ENVIRONMENTS:
            returns = [float(str(row["return"])) for row in episodes_run if row["environment"] == name]
            rows.append(
                {
                    "environment": name,
                    "steps": record["steps"],
                    "minutes": round(record["seconds"] / 60, 2),
                    "return_mean": round(float(np.mean(returns)), 1),
                    "return_std": round(float(np.std(returns)), 1),
                    "episodes": episodes,
                }
            )
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    print_table("Along the run", list(rows[0]), [list(row.values()) for row in rows])


if __name__ == "__main__":
    tyro.cli(main)
