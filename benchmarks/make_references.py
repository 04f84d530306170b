"""References: the best policy of one body that a number of steps finds, measured and put into a folder with a manifest.

python -m benchmarks.make_references --suite planar --split held_out --out assets/references

Every body has a process of its own, on one core. One that has a reference is passed over, and trainings that
ended are kept under ``--work``, so the command can be stopped and typed again; empty it when the checkpoint or the
recipes have changed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import tyro

from morphnet import Hypernetwork, Policy, finetune, load_suite, train_expert
from morphnet.bodies import Body
from morphnet.console import print_table, say
from morphnet.errors import CheckpointError, MorphNetError
from morphnet.evaluation import Evaluation, PolicyController, RandomController, evaluate
from morphnet.files import write_json
from morphnet.learning import Progress
from morphnet.processes import in_processes
from morphnet.references import SHIPPED, Reference, add_reference, read_references, reference_policy, rounded
from morphnet.specialists.recipes import expert_recipe
from morphnet.specialists.trainer import Specialist

CHOICE_SEED, FINAL_SEED = 20_000, 30_000
"""Start states that candidates are chosen on, and others that the chosen one is measured on."""
CHOICE_EPISODES = 20
Start = Literal["expert", "finetune"]


@dataclasses.dataclass(frozen=True)
class Plan:
    """How a reference is made.

    Attributes:
        starts: the trainings a body; each gets an equal share of the steps, and a seed of its own.
        steps: environment steps a body.
        seconds: wall-clock that an expert's training may take; its schedule follows what is used up first. Such a
            training does not end on a plateau.
        checkpoint: whose zero-shot policy is finetuned; the shipped one by default.
        episodes: whole episodes that the reference and the random policy are measured on.
        seed: seed of the first training.
        processes: bodies at the same time.
    """

    starts: tuple[Start, ...] = ("expert", "finetune")
    steps: int = 3_000_000
    seconds: float | None = None
    checkpoint: Path | None = None
    episodes: int = 50
    seed: int = 0
    processes: int = 2

    def __post_init__(self) -> None:
        if self.seconds is not None and (self.seconds <= 0 or "finetune" in self.starts):
            raise MorphNetError(f"--seconds {self.seconds}: above 0, and with --starts expert alone")


def train(body: Body, start: Start, number: int, plan: Plan, work: Path) -> Policy:
    """Run one training of a body, or read what it left when it was run before."""
    steps = plan.steps // len(plan.starts)
    within = "" if plan.seconds is None else f"_{plan.seconds:g}s"
    folder = work / body.name.replace(":", "_") / f"{start}_{plan.seed + number}_{steps}{within}"
    done = folder / "done.json"
    if done.is_file():
        return Policy.load(folder)
    common: dict[str, Any] = {
        "steps": steps,
        "seed": plan.seed + number,
        "threads": 1,
        "keep": lambda policy: policy.save(folder),
        "report": reporter(f"{body.name} {folder.name}"),
    }
    if start == "expert":
        policy = train_expert(body, **common) if plan.seconds is None else train_within(plan.seconds, body, **common)
    else:
        hypernetwork = Hypernetwork.load(plan.checkpoint)
        policy = finetune(hypernetwork.generate(body), critic=hypernetwork.generate_critic(body), **common)
    budget = {"budget": steps} if plan.seconds is None else {"budget": steps, "seconds": plan.seconds}
    policy = Policy(body, policy.actor, {**policy.origin, **budget})
    policy.save(folder)
    write_json(done, policy.origin)
    return policy


def train_within(
    seconds: float,
    body: Body,
    steps: int,
    seed: int,
    threads: int,
    keep: Callable[[Policy], None],
    report: Callable[[Progress], None],
) -> Policy:
    """Train an expert within a number of seconds, or steps."""
    recipe = expert_recipe(body, steps, seed, threads)
    recipe = dataclasses.replace(recipe, seconds=seconds, patience=math.inf)
    return Specialist(body, recipe, None).run(keep, report)


def train_all(suite: str, name: str, plan: Plan, work: Path) -> str:
    """Run the trainings of a suite's body; return its name."""
    body = load_suite(suite).load(name)
    for number, start in enumerate(plan.starts):
        train(body, start, number, plan, work)
    return name


def reporter(name: str) -> Callable[[Progress], None]:
    """Return what prints every fiftieth update."""

    def report(progress: Progress) -> None:
        if progress.update % 50 == 0:
            done = f"{progress.steps:,} of {progress.total_steps:,} steps, {progress.seconds:.0f} s"
            say(f"{name}: {done}, best {progress.returns['best']:.0f}")

    return report


def make(body: Body, plan: Plan, work: Path, out: Path) -> Reference:
    """Choose the best of a body's candidates, measure it and the random policy, and write the reference."""
    candidates = [train(body, start, number, plan, work) for number, start in enumerate(plan.starts)]
    known = read_references(out).get(body.source.sha256)
    if known:
        with contextlib.suppress(CheckpointError):  # one that does not fit any more is what is being replaced
            candidates.append(Policy(body, reference_policy(body, out).actor, known.origin))
    candidates = [rounded(candidate) for candidate in candidates]
    best = max(candidates, key=lambda policy: returns(body, policy, CHOICE_EPISODES, CHOICE_SEED).returns.mean())
    result = returns(body, best, plan.episodes, FINAL_SEED)
    random = evaluate(body, RandomController(body, FINAL_SEED), plan.episodes, FINAL_SEED).summary()
    measured = {
        **result.summary(),
        "random_mean": random["return_mean"],
        "random_std": random["return_std"],
        "seed": FINAL_SEED,
    }
    return add_reference(out, best, measured)


def has_reference(body: Body, known: dict[str, Reference]) -> bool:
    """Whether there is a reference of a body that was made for its task as it is now."""
    return body.source.sha256 in known and known[body.source.sha256].judges(body)


def returns(body: Body, policy: Policy, episodes: int, seed: int) -> Evaluation:
    """Evaluate a policy's mean actions."""
    return evaluate(body, PolicyController(policy), episodes, seed)


def main(
    suite: str = "planar",
    split: str = "held_out",
    names: tuple[str, ...] = (),
    out: Path = SHIPPED,
    work: Path = Path("rollouts/references"),
    again: bool = False,
    plan: tyro.conf.OmitArgPrefixes[Plan] = Plan(),
) -> None:
    """Make the references of a split.

    Args:
        suite: a shipped suite.
        split: train or held_out.
        names: only these of its bodies.
        out: folder of the references.
        work: folder of the trainings.
        again: also bodies that have a reference; it is kept where nothing better is found.
        plan: how a reference is made.
    """
    opened = load_suite(suite)
    bodies = [opened.load(name) for name in names or opened.names(split)]
    known = read_references(out)
    todo = {body.name: body for body in bodies if again or not has_reference(body, known)}
    made = []
    for name in in_processes(train_all, [(suite, name, plan, work) for name in todo], plan.processes, str(work)):
        made.append(make(todo[name], plan, work, out))
        say(f"{name}: {made[-1].return_mean:.0f}, random {made[-1].random_mean:.0f}")
    columns = ("body", "return_mean", "return_std", "random_mean", "random_std", "is_clear")
    print_table("References", columns, [[getattr(row, column) for column in columns] for row in made])


if __name__ == "__main__":
    tyro.cli(main)
