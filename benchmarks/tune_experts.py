"""Settings of experts side by side: one training a variant, body and seed, one CSV row a snapshot.

python -m benchmarks.tune_experts --variants default quiet --out benchmarks/results/NAME.csv
"""

from __future__ import annotations

import csv
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tyro

from benchmarks.single_bodies import BODIES
from morphnet import Policy, load_body
from morphnet.console import print_table, say
from morphnet.evaluation import PolicyController, evaluate
from morphnet.files import atomic_path
from morphnet.learning import Progress
from morphnet.specialists.recipes import expert_recipe
from morphnet.specialists.trainer import Recipe, Specialist

EPISODES, SEED = 20, 5000
"""Of the last column: the policy that the training kept, on start states of its own."""
COLUMNS = ("variant", "body", "seed", "steps", "seconds", "training_return", "best_snapshot", "kept")


def changed(recipe: Recipe, **values: Any) -> Recipe:
    """Return a recipe with other values of its own, of PPO's settings or of the network's."""
    network = {key: values.pop(key) for key in ("initial_log_std", "hidden") if key in values}
    own = {key: values.pop(key) for key in ("episode_seconds", "patience") if key in values}
    ppo = dataclasses.replace(recipe.ppo, network=dataclasses.replace(recipe.ppo.network, **network), **values)
    return dataclasses.replace(recipe, ppo=ppo, **own)


VARIANTS: dict[str, Callable[[Recipe], Recipe]] = {
    "default": lambda recipe: recipe,
    "whole": lambda recipe: changed(recipe, episode_seconds=float("inf")),
    "quiet": lambda recipe: changed(recipe, initial_log_std=-1.7),
    "slow": lambda recipe: changed(recipe, learning_rate=1e-4),
    "calm": lambda recipe: changed(recipe, kl_limit=0.03),
}


def run(variant: str, name: str, steps: int, seed: int, threads: int) -> list[tuple[Any, ...]]:
    """Train once; return a row every fiftieth of the steps, and a last one about the policy kept and its return."""
    started, rows = time.monotonic(), []

    def note(progress: Progress) -> None:
        if progress.steps * 50 // steps > len(rows):
            returns = progress.returns
            row = (progress.steps, round(progress.seconds), round(returns["training"]), round(returns["best"]))
            rows.append((variant, name, seed, *row, None))
            say(f"{variant} {name}: {row}")

    body = load_body(name)
    recipe = VARIANTS[variant](expert_recipe(body, steps, seed, threads))
    recipe = dataclasses.replace(recipe, patience=float("inf"))
    policy: Policy = Specialist(body, recipe, None).run(lambda _: None, note)
    seconds = round(time.monotonic() - started)
    kept = float(evaluate(policy.body, PolicyController(policy), EPISODES, SEED).returns.mean())
    best = round(policy.origin["return"])
    return [*rows, (variant, name, seed, policy.origin["steps"], seconds, None, best, round(kept, 1))]


def main(
    variants: tuple[str, ...] = tuple(VARIANTS),
    bodies: tuple[str, ...] = BODIES,
    steps: int = 1_000_000,
    seed: int = 0,
    threads: int = 2,
    out: Path | None = None,
) -> None:
    """Train every variant on every body, one after the other; the CSV grows with each.

    Args:
        variants: names from ``VARIANTS``.
        bodies: BODY names.
        steps: environment steps a training.
        seed: of the trainings.
        threads: threads of rollouts and of updates.
        out: the CSV.
    """
    rows: list[tuple[Any, ...]] = []
    for name in bodies:
        for variant in variants:
            rows += run(variant, name, steps, seed, threads)
            if out is not None:
                with atomic_path(out) as path, path.open("w", newline="", encoding="utf-8") as file:
                    csv.writer(file).writerows([COLUMNS, *rows])
    print_table("Experts", COLUMNS, [row for row in rows if row[-1] is not None])


if __name__ == "__main__":
    tyro.cli(main)
