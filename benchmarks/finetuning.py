"""Environment steps that a body's return takes: finetuning the zero-shot policy against training from nothing.

    python -m benchmarks.finetuning --bodies hopper_tall_light --out benchmarks/results/finetuning.csv

A row is a snapshot that led its training, with its steps and its merit in whole episodes of mean actions. What is
asked for is the step at which either first had 0.9 of the reference's score. Both may take as many steps.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Literal

import numpy as np
import tyro

from benchmarks.adaptation import EPISODES, append_row
from morphnet import Hypernetwork, Policy, finetune, load_body, train_expert
from morphnet.bodies import Body
from morphnet.console import print_table, say
from morphnet.evaluation import PolicyController, RandomController, evaluate
from morphnet.processes import in_processes
from morphnet.references import reference_policy

COLUMNS = ("body", "seed", "start", "steps", "return", "score")
ENOUGH = 0.9
Start = Literal["zero-shot", "nothing"]
STARTS: tuple[Start, ...] = ("zero-shot", "nothing")
Row = tuple[str, int, str, int, float, float]


def run(name: str, seed: int, start: Start, steps: int, reference: Path | None) -> list[Row]:
    """Train a body from one start; return a row for every snapshot that led, and one for the result."""
    body = load_body(name)
    low, high = _scale(body, reference)
    rows: list[Row] = []

    def keep(policy: Policy) -> None:
        value = float(policy.origin["return"])
        rows.append((name, seed, start, int(policy.origin["steps"]), value, (value - low) / (high - low)))

    if start == "nothing":
        best = train_expert(body, steps, seed, 1, keep=keep)
    else:
        hypernetwork = Hypernetwork.load()
        critic = hypernetwork.generate_critic(body)
        best = finetune(hypernetwork.generate(body), steps, seed, 1, critic=critic, keep=keep)
    result = evaluate(body, PolicyController(best), EPISODES, 5000 + seed)
    mean = float(result.returns.mean())
    return [*rows, (name, seed, f"{start}, result", steps, mean, (mean - low) / (high - low))]


def _scale(body: Body, reference: Path | None) -> tuple[float, float]:
    """Return what scores 0 and what scores 1."""
    best = Policy.load(reference / body.name) if reference else reference_policy(body)
    random = evaluate(body, RandomController(body, 0), EPISODES, 9000)
    return float(random.returns.mean()), float(evaluate(body, PolicyController(best), EPISODES, 9000).returns.mean())


def steps_to(rows: list[dict[str, str]], body: str, start: str) -> float:
    """Mean over seeds of the steps at which a snapshot first scored ``ENOUGH``; infinite where one never did."""
    seeds = {row["seed"] for row in rows if (row["body"], row["start"]) == (body, start)}
    firsts = []
    for seed in seeds:
        reached = [
            int(row["steps"])
            for row in rows
            if (row["body"], row["start"], row["seed"]) == (body, start, seed) and float(row["score"]) >= ENOUGH
        ]
        firsts.append(min(reached, default=math.inf))
    return float(np.mean(firsts)) if firsts else math.nan


def summary(out: Path) -> None:
    """Print how many steps either takes, and the median ratio over bodies."""
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    table = []
    for body in dict.fromkeys(row["body"] for row in rows):
        tuned, anew = (steps_to(rows, body, start) for start in STARTS)
        table.append([body, tuned, anew, tuned / anew])
    print_table(f"Steps to {ENOUGH} of the reference", ("body", *STARTS, "ratio"), table)
    ratios = [ratio for *_, ratio in table if not math.isnan(ratio)]
    say(f"median ratio {np.median(ratios):.2f}")


def main(
    out: Path,
    bodies: tuple[str, ...],
    references: Path | None = None,
    steps: int = 1_000_000,
    seeds: int = 1,
    processes: int = 2,
) -> None:
    """Train every body from both starts.

    Args:
        out: the CSV; rows are appended.
        bodies: BODY names, held out of the shipped checkpoint's training.
        references: a folder of policies, named as their bodies are; the shipped references by default.
        steps: environment steps of a training.
        seeds: seeds of every training.
        processes: trainings at the same time.
    """
    jobs = [(body, seed, start, steps, references) for body in bodies for seed in range(seeds) for start in STARTS]
    if not out.exists():
        append_row(out, COLUMNS)
    for rows in in_processes(run, jobs, processes, str(out)):
        for row in rows:
            append_row(out, row)
        say(f"{rows[-1][0]}, seed {rows[-1][1]}, {rows[-1][2]}: {rows[-1][4]:.0f}")
    summary(out)


if __name__ == "__main__":
    tyro.cli(main)
