"""One expert for a whole family, mutants included, and a new hypernetwork that is taught it.

python -m benchmarks.family_experts --family cheetah --out benchmarks/results/family_cheetah.csv

The family's training bodies that share names are its kin, with mutants of theirs. Returns are of the expert and of what
the hypernetwork emits, on the kin, on mutants that neither has seen, and on the family's held-out bodies.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tyro

from morphnet import Hypernetwork, Policy, __version__, load_suite
from morphnet.bodies import Body
from morphnet.config import DistillConfig
from morphnet.console import print_table, say
from morphnet.distillation import Distiller, Teacher
from morphnet.learning import Progress
from morphnet.specialists.aim import TaskAim
from morphnet.specialists.branches import grow_branches, more_of_branches
from morphnet.specialists.family import FamilyTraining
from morphnet.specialists.family_expert import FamilyExpert
from morphnet.specialists.kin import kin_of, make_mutants

EPISODES, SEED = 10, 77


def reporter(what: str, total: int) -> Callable[[Progress], None]:
    """Return what prints every tenth."""
    said = [0]

    def report(progress: Progress) -> None:
        if 10 * progress.steps // total > said[0]:
            said[0] = 10 * progress.steps // total
            say(f"{what}: {progress.steps:,} of {total:,} steps, {progress.seconds:.0f} s, {progress.returns}")

    return report


def distil(expert: FamilyExpert, kin: Sequence[Body], config: DistillConfig) -> Hypernetwork:
    """Teach a new hypernetwork what the expert does on all kin."""
    with tempfile.TemporaryDirectory() as folder:
        taught = [Teacher("kin", expert.policy(body)) for body in kin]
        origin = {"suite": "kin", "version": __version__, "command": "benchmarks.family_experts"}
        Distiller(taught, config, Path(folder), origin).run(report=reporter("distillation", config.steps))
        return Hypernetwork.load(folder)


def judge(policy: Policy) -> float:
    """Mean return of mean actions."""
    return TaskAim(policy.body).judge(policy.actor, EPISODES, SEED)


def main(
    out: Path,
    suite: str = "planar",
    family: str = "cheetah",
    mutants: int = 160,
    steps: int = 4_000_000,
    distill_steps: int = 2_000_000,
    seed: int = 0,
    threads: int = 2,
) -> None:
    """Train, distil and judge.

    Args:
        out: the CSV, a row a body.
        suite: a shipped suite.
        family: of its training split.
        mutants: how many learn beside the training bodies.
        steps: of the expert; its branches take as many again, at most.
        distill_steps: of teaching the hypernetwork.
        seed: seeds everything that is drawn.
        threads: threads.
    """
    opened = load_suite(suite)
    trained = max(kin_of([opened.load(name) for name in opened.families("train")[family]]), key=len)
    learning = make_mutants(trained, mutants, seed + 1, f"{family}_mutant")
    unseen = make_mutants(trained, 8, seed + 1000, f"{family}_unseen")
    expert = FamilyTraining(trained, learning, steps, seed, threads).run(reporter("expert", 2 * steps))
    expert = grow_branches(expert, trained, learning, steps, seed, reporter("branches", 2 * steps))
    kin = [*trained, *learning, *more_of_branches(expert, trained, learning, seed)]
    config = DistillConfig(steps=distill_steps, seed=seed, threads=threads)
    hypernetwork = distil(expert, kin, config)
    held_out = [opened.load(name) for name in opened.families("held_out").get(family, [])]
    parts = {"training": trained, "mutant": learning, "unseen": unseen, "held out": held_out}
    rows = [
        {
            "part": part,
            "body": body.name,
            "actuators": body.model.nu,
            "expert": round(judge(expert.policy(body)), 1) if expert.frame.holds(body) else "",
            "emitted": round(judge(hypernetwork.generate(body)), 1),
        }
        for part, bodies in parts.items()
        for body in bodies
    ]
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    print_table("Family", list(rows[0]), [list(row.values()) for row in rows if row["part"] != "mutant"])
    for part in parts:
        for who in ("expert", "emitted"):
            returns = [float(str(row[who])) for row in rows if row["part"] == part and row[who] != ""]
            say(f"{part}, {who}: {np.mean(returns):.0f}" if returns else f"{part}, {who}: none")


if __name__ == "__main__":
    tyro.cli(main)
