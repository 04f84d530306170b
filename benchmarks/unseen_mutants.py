"""What a checkpoint emits for mutants that nothing was taught on. Settings are chosen by these, not by held-out bodies.

python -m benchmarks.unseen_mutants --suite planar --checkpoint RUN --out benchmarks/results/unseen_mutants.csv
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import tyro

from morphnet import Hypernetwork, Policy, load_suite
from morphnet.bodies import Suite
from morphnet.console import print_table, say
from morphnet.specialists import kin_of
from morphnet.specialists.aim import TaskAim
from morphnet.specialists.kin import make_mutants

EPISODES, SEED = 10, 77
UNSEEN = 1000
"""Seed of the mutants; trainings draw theirs from their own, which begin at 0."""


def judge(policy: Policy) -> float:
    """Mean return of mean actions."""
    return TaskAim(policy.body).judge(policy.actor, EPISODES, SEED)


def rows_of(suite: Suite, checkpoint: Path | None, count: int) -> list[dict[str, object]]:
    """Judge what is emitted for ``count`` mutants of each kin."""
    hypernetwork = Hypernetwork.load(checkpoint)
    rows: list[dict[str, object]] = []
    for family, names in suite.families("train").items():
        for kin in kin_of([suite.load(name) for name in names]):
            if len(kin) == 1:
                continue
            for body in make_mutants(kin, count, UNSEEN, f"{kin[0].name}_unseen"):
                emitted = judge(hypernetwork.generate(body))
                rows.append(
                    {
                        "family": family,
                        "body": body.name,
                        "actuators": body.model.nu,
                        "emitted": round(emitted, 1),
                    }
                )
                say(f"{body.name}: {emitted:.0f}")
    return rows


def main(out: Path, suite: str = "planar", checkpoint: Path | None = None, count: int = 16) -> None:
    """Judge a checkpoint.

    Args:
        out: the CSV, a row a mutant.
        suite: a shipped suite.
        checkpoint: a checkpoint folder; the shipped one by default.
        count: mutants of each kin.
    """
    rows = rows_of(load_suite(suite), checkpoint, count)
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    families = sorted({str(row["family"]) for row in rows})
    means = [
        (family, float(np.mean([float(str(row["emitted"])) for row in rows if row["family"] == family])))
        for family in families
    ]
    print_table("Unseen mutants", ("family", "mean return"), means)


if __name__ == "__main__":
    tyro.cli(main)
