"""Adaptation to what a body's file does not show: demonstrators that were trained under a hidden change.

    python -m benchmarks.hidden_changes --out benchmarks/results/hidden_changes.csv

Scores: 0 is random, 1 the demonstrator, all under the change. "ours" simulates the changed body, as ``adapt --change``
does; "ours, unaware" simulates the body as its file has it, which is all that somebody knows who has demonstrations
alone. A run that was stopped goes on where it was.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from pathlib import Path

import tyro

from benchmarks.adaptation import EPISODES, Scale, append_row
from morphnet import Hypernetwork, Policy, load_body, record
from morphnet.adaptation import adapt_policies
from morphnet.bodies import Body, Change
from morphnet.config import AdaptConfig
from morphnet.console import print_table, say
from morphnet.evaluation import PolicyController, evaluate
from morphnet.processes import in_processes
from morphnet.specialists import train_expert

COLUMNS = ("body", "change", "seed", "recipe", "return_mean", "return_std", "score", "seconds", "chosen")
SHOWN = 3
"""Episodes that are demonstrated."""


def changes_of(body: Body) -> list[Change]:
    """Return the changes that a body is tried under."""
    return [
        Change(name="dead actuator", actuators={body.graph.actuator_names[0]: 0.0}),
        Change(name="twice the mass", mass=2.0),
        Change(name="half the friction", friction=0.5),
        Change(name="backwards", direction=(-1.0, 0.0)),
    ]


def demonstrator_folder(work: Path, body: Body, change: Change) -> Path:
    """Return where a demonstrator is kept."""
    return work / body.name.replace(":", "_") / change.name.replace(" ", "_")


def train_demonstrator(name: str, change: Change, steps: int, work: Path) -> str:
    """Train the expert of a changed body, or leave the one that is there."""
    body = load_body(name)
    folder = demonstrator_folder(work, body, change)
    if not folder.exists():
        train_expert(body.with_change(change), steps, 0, 1).save(folder)
    return f"{name}, {change.name}"


def measure(body: Body, change: Change, demonstrator: Policy, seconds: float, seed: int, out: Path) -> None:
    """Append the rows of one body under one change."""
    changed, hypernetwork = body.with_change(change), Hypernetwork.load()
    start = hypernetwork.generate(body)
    scale = Scale(changed, demonstrator)
    shown = record(changed, demonstrator.actor.mean, SHOWN, 100 + seed)

    def adapted(known: Body, offline: bool) -> Policy:
        given = {"zero-shot": Policy(known, start.actor, start.origin)}
        return adapt_policies(given, shown, AdaptConfig(offline=offline, seconds=seconds, seed=seed))

    recipes = {
        "zero-shot": lambda: start,
        "ours": lambda: adapted(changed, offline=False),
        "ours, unaware": lambda: adapted(body, offline=False),
        "ours, offline": lambda: adapted(body, offline=True),
    }
    for recipe, make in recipes.items():
        started = time.monotonic()
        made = make()
        took = time.monotonic() - started
        result = evaluate(changed, PolicyController(Policy(changed, made.actor, {})), EPISODES, 5000 + seed)
        mean, spread = float(result.returns.mean()), float(result.returns.std())
        measured = (round(mean, 1), round(spread, 1), round(scale(mean), 4), round(took, 1))
        append_row(out, (body.name, change.name, seed, recipe, *measured, made.origin.get("chosen", "")))
        say(f"{body.name}, {change.name}, {recipe}: {mean:.0f}, score {scale(mean):.2f}")


def _measured(out: Path) -> set[tuple[str, str, str]]:
    """Bodies, changes and seeds whose last recipe is in the CSV."""
    if not out.exists():
        return set()
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {(row["body"], row["change"], row["seed"]) for row in rows if row["recipe"] == "ours, offline"}


def summary(out: Path, names: Sequence[str]) -> None:
    """Print scores: a row a body and change, a column a recipe."""
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    recipes = list(dict.fromkeys(row["recipe"] for row in rows))
    scores = {(row["body"], row["change"], row["recipe"]): float(row["score"]) for row in rows}
    pairs = dict.fromkeys((row["body"], row["change"]) for row in rows if row["body"] in names)
    table = [[*pair, *(scores.get((*pair, recipe), float("nan")) for recipe in recipes)] for pair in pairs]
    print_table("Scores", ("body", "change", *recipes), table)


def main(
    out: Path,
    bodies: tuple[str, ...] = ("walker", "cheetah", "hopper", "humanoid2d"),
    steps: int = 1_000_000,
    seconds: float = 30.0,
    seed: int = 0,
    work: Path = Path("rollouts/hidden_changes"),
    processes: int = 2,
) -> None:
    """Train the demonstrators, then adapt to them.

    Args:
        out: the CSV; rows are appended.
        bodies: BODY names, of training bodies.
        steps: environment steps a demonstrator.
        seconds: wall-clock that an adaptation may take.
        seed: of demonstrations and adaptations.
        work: folder of the demonstrators.
        processes: demonstrators that are trained at the same time.
    """
    pairs = [(name, change) for name in bodies for change in changes_of(load_body(name))]
    for done in in_processes(train_demonstrator, [(*pair, steps, work) for pair in pairs], processes, str(work)):
        say(f"{done}: demonstrator is there")
    measured = _measured(out)
    if not out.exists():
        append_row(out, COLUMNS)
    for name, change in pairs:
        if (name, change.name, str(seed)) not in measured:
            body = load_body(name)
            demonstrator = Policy.load(demonstrator_folder(work, body, change))
            measure(body, change, demonstrator, seconds, seed, out)
    summary(out, bodies)


if __name__ == "__main__":
    tyro.cli(main)
