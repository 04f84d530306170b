"""Adaptation against its baselines: one row a body, amount of demonstration, seed and recipe; then the figure.

    python -m benchmarks.adaptation --bodies hopper_tall_light --out benchmarks/results/adaptation.csv
    python -m benchmarks.adaptation_figure benchmarks/results/adaptation.csv --out rollouts/adaptation.html

Demonstrators are the shipped references, or with ``--demonstrators DIR`` the policy folders in DIR, named as their
bodies are. A run that was stopped goes on where it was: rows that the CSV has are not measured again.
"""

from __future__ import annotations

import csv
import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import tyro

from morphnet import Demonstration, Hypernetwork, Policy, load_body, record
from morphnet.adaptation import adapt_policies
from morphnet.adaptation.lesson import Lesson
from morphnet.adaptation.regression import Regression
from morphnet.bodies import Body
from morphnet.config import AdaptConfig
from morphnet.console import say
from morphnet.errors import MorphNetError, choices
from morphnet.evaluation import PolicyController, RandomController, evaluate
from morphnet.references import reference_policy
from morphnet.specialists import train_for

COLUMNS = ("body", "demonstrations", "seed", "recipe", "return_mean", "return_std", "score", "seconds", "chosen")
AMOUNTS = {"100 steps": (1, 100), "1": (1, None), "5": (5, None)}
"""Name -> (episodes, control steps of each)."""
NONE = "none"
"""Amount of what reads no demonstrations, and is measured once."""
EPISODES = 20
CONVERGED = Regression(steps=20_000, patience=40)
"""Behaviour cloning to convergence on the held-out part."""
Recipe = Callable[[Policy, list[Demonstration], float, int], Policy]


def ours(offline: bool) -> Recipe:
    """Return what ``morphnet adapt`` does."""

    def recipe(start: Policy, shown: list[Demonstration], seconds: float, seed: int) -> Policy:
        return adapt_policies({"zero-shot": start}, shown, AdaptConfig(offline=offline, seconds=seconds, seed=seed))

    return recipe


def regression(fresh: bool) -> Recipe:
    """Return plain regression on the demonstrated actions."""

    def recipe(start: Policy, shown: list[Demonstration], seconds: float, seed: int) -> Policy:
        lesson = Lesson.of(start.body, shown, np.random.default_rng(seed))
        return Policy(start.body, CONVERGED.fit(lesson, start.actor, seed, fresh), {})

    return recipe


WITHOUT: dict[str, Recipe] = {
    "zero-shot": lambda start, shown, seconds, seed: start,
    "PPO from scratch": lambda start, shown, seconds, seed: train_for(start.body, seconds, seed),
}
"""Read no demonstrations."""
RECIPES: dict[str, Recipe] = {
    "cloned from scratch": regression(fresh=True),
    "tuned from zero-shot": regression(fresh=False),
    "ours, offline": ours(offline=True),
    "ours": ours(offline=False),
}


class Scale:
    """Scores of one body: 0 is random, 1 the demonstrator."""

    def __init__(self, body: Body, demonstrator: Policy) -> None:
        """Measure both."""
        self.low = float(evaluate(body, RandomController(body, 0), EPISODES, 9000).returns.mean())
        self.high = float(evaluate(body, PolicyController(demonstrator), EPISODES, 9000).returns.mean())

    def __call__(self, value: float) -> float:
        """Score a mean return, clipped to [0, 1.2]."""
        return float(np.clip((value - self.low) / (self.high - self.low), 0.0, 1.2))


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes:
        bodies: BODY names.
        amounts: of demonstrations.
        recipes: what makes policies.
        seeds: seeds of demonstrations and recipes.
    """

    bodies: tuple[str, ...]
    amounts: tuple[str, ...] = tuple(AMOUNTS)
    recipes: tuple[str, ...] = (*WITHOUT, *RECIPES)
    seeds: int = 1

    def __post_init__(self) -> None:
        for word, known in [(word, AMOUNTS) for word in self.amounts] + [(w, WITHOUT | RECIPES) for w in self.recipes]:
            if word not in known:
                raise MorphNetError(f"{word!r}: {choices(word, tuple(known))}")

    def jobs(self, done: set[tuple[str, ...]]) -> Iterator[tuple[str, str, int, str]]:
        """Yield (body, amount, seed, recipe) of what is not measured yet."""
        cells = [(NONE, recipe) for recipe in WITHOUT] + [
            (amount, recipe) for amount in self.amounts for recipe in RECIPES
        ]
        for body in self.bodies:
            for seed in range(self.seeds):
                for amount, recipe in cells:
                    if recipe in self.recipes and (body, amount, str(seed), recipe) not in done:
                        yield body, amount, seed, recipe


def main(
    out: Path,
    plan: tyro.conf.OmitArgPrefixes[Plan],
    demonstrators: Path | None = None,
    checkpoint: Path | None = None,
    seconds: float = 30.0,
) -> None:
    """Measure every recipe on every body.

    Args:
        out: the CSV; rows are appended.
        plan: what is measured.
        demonstrators: the folder of the demonstrators' policies; the shipped references by default.
        checkpoint: a checkpoint folder; the shipped one by default.
        seconds: wall-clock that adaptation, and PPO from scratch, may take.
    """
    hypernetwork = Hypernetwork.load(checkpoint)
    done = set()
    if out.exists():
        with out.open(newline="", encoding="utf-8") as file:
            done = {tuple(row[c] for c in COLUMNS[:4]) for row in csv.DictReader(file)}
    else:
        append_row(out, COLUMNS)
    scales: dict[str, Scale] = {}
    for name, amount, seed, recipe in plan.jobs(done):
        body = load_body(name)
        demonstrator = Policy.load(demonstrators / name) if demonstrators else reference_policy(body)
        scale = scales.setdefault(name, Scale(body, demonstrator))
        shown = []
        if amount != NONE:
            episodes, steps = AMOUNTS[amount]
            shown = record(body, demonstrator.actor.mean, episodes, 100 + seed, steps=steps)
        started = time.monotonic()
        made = {**WITHOUT, **RECIPES}[recipe](hypernetwork.generate(body), shown, seconds, seed)
        took = time.monotonic() - started
        result = evaluate(body, PolicyController(made), EPISODES, 5000 + seed)
        mean, spread = float(result.returns.mean()), float(result.returns.std())
        row = (name, amount, seed, recipe, round(mean, 1), round(spread, 1), round(scale(mean), 4), round(took, 1))
        append_row(out, (*row, made.origin.get("chosen", "")))
        say(f"{name}, {amount}, seed {seed}, {recipe}: {mean:.0f}, score {scale(mean):.2f}, {took:.0f} s")


def append_row(out: Path, row: tuple[str | float, ...]) -> None:
    """Add a row to a CSV, which is begun where there is none."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow(row)


if __name__ == "__main__":
    tyro.cli(main)
