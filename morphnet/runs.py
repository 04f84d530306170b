"""What the commands do with checkpoints and suites: start a training, evaluate policies."""

from __future__ import annotations

import collections
import math
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from morphnet import __version__
from morphnet.adaptation import adapt
from morphnet.bodies import Body, Suite, load_body, read_change
from morphnet.config import AdaptConfig, DistillConfig, TrainConfig, config_from_dict
from morphnet.demonstrations import read_demonstrations, record, write_demonstrations
from morphnet.demonstrations.demonstration import SHORTEST
from morphnet.demonstrations.writing import DATA, METADATA
from morphnet.distillation import Distiller, Teacher
from morphnet.errors import CheckpointError, MorphNetError, SuiteError
from morphnet.evaluation import Controller, Evaluation, PolicyController, RandomController, evaluate
from morphnet.files import check_folder, make_folder
from morphnet.growing.grow import Grown
from morphnet.growing.suite import grow_bodies, write_suite
from morphnet.hypernetwork import Hypernetwork
from morphnet.learning import Progress
from morphnet.learning.checkpoint import go_on_from, origin_of
from morphnet.learning.resume import STATE, saved_config
from morphnet.meta_training import MetaTraining
from morphnet.policy import RECORD, Policy
from morphnet.references import read_references, reference_policy, score
from morphnet.specialists import expert_folder, finetune, train_expert, train_experts

REPORT_EPISODES = 10
"""Episodes of the returns that expert and finetune report, on start states that chose nothing."""

ZERO_SHOT, REFERENCE, RANDOM = "zero-shot", "reference", "random"
"""What --policy takes beside folders: what the checkpoint emits for a body, what ships for it, uniform actions."""

Driven = tuple[Body, Controller]
"""A body and what drives it."""


def start_training(
    out: Path,
    suite: Suite,
    checkpoint: Path | None,
    config: TrainConfig,
    resume: bool,
    minutes: float | None,
    report: Callable[[Progress], None],
) -> dict[str, Any]:
    """Train on a suite's training split, from a checkpoint or from new weights; return the numbers of the run.

    Raises:
        CheckpointError: the folder holds a run and ``resume`` is off, or holds none and it is on.
    """
    if minutes is not None and not minutes > 0:
        raise MorphNetError(f"--minutes {minutes}: must be above 0")
    if resume and checkpoint is not None:
        raise MorphNetError(f"--checkpoint {checkpoint}: with --resume a run goes on from itself; drop one of them")
    origin, start = _origin(suite), None
    if resume:
        config = _resumed_config(out, config)
        origin |= origin_of(out)
    elif (out / STATE).exists() or (out / "config.json").exists():
        raise CheckpointError(f"{out}: already holds a run; continue it with --resume or choose another folder")
    elif not config.steps and checkpoint is None:
        raise MorphNetError("steps = 0: leaves PPO out, so it needs a --checkpoint to go on from")
    if not suite.names("train"):
        raise SuiteError(f"suite {suite.name}: its training split is empty")
    if checkpoint is not None:
        start, config, origin["start"] = go_on_from(checkpoint, config)
    make_folder(out)
    training = MetaTraining(suite, config, out, origin, report, start)
    return {**training.run(resume, minutes), "seed": config.seed, "version": __version__}


def _origin(suite: Suite) -> dict[str, Any]:
    return {"suite": suite.name, "version": __version__, "command": f"morphnet {' '.join(sys.argv[1:])}"}


def _resumed_config(out: Path, config: TrainConfig) -> TrainConfig:
    """Take over the run's own configuration; flags given again must agree with it."""
    saved = config_from_dict(saved_config(out), str(out / STATE))
    if config not in (TrainConfig(), saved):
        ours, theirs = config.to_dict(), saved.to_dict()
        given = TrainConfig().to_dict()
        different = [name for name in ours if ours[name] not in (theirs[name], given[name])]
        if different:
            raise CheckpointError(f"{out}: the run was started with another {', '.join(different)}; drop those flags")
    return saved


def make_experts(
    suite: Suite,
    split: str,
    out: Path,
    steps: int,
    seed: int,
    processes: int,
    watch: Callable[[Iterable[str], int], Iterable[str]],
) -> dict[str, Any]:
    """Train an expert of every body of a split that has none in ``out``; return what ``experts --json`` writes.

    ``watch`` shows how many of how many are done.
    """
    if steps < 1 or processes < 1 or seed < 0:
        raise MorphNetError(f"--steps {steps} --threads {processes} --seed {seed}: above 0, and no negative seed")
    make_folder(out)
    names = suite.names(split)
    todo = [name for name in names if not (expert_folder(out, name) / RECORD).exists()]
    for _ in watch(train_experts(suite, todo, out, steps=steps, seed=seed, processes=processes), len(todo)):
        pass
    policies = {name: Policy.load(expert_folder(out, name)) for name in names}
    rows = {
        name: {"return": policy.origin.get("return"), "steps": policy.origin.get("steps")}
        for name, policy in policies.items()
    }
    return {"folder": str(out), "bodies": rows, "seed": seed, "version": __version__}


def start_distillation(
    out: Path,
    suite: Suite,
    experts: Path,
    checkpoint: Path | None,
    config: DistillConfig,
    resume: bool,
    report: Callable[[Progress], None],
) -> dict[str, Any]:
    """Distil a folder of experts of a suite's training split into a checkpoint; return the numbers of the run.

    Raises:
        CheckpointError: ``out`` holds a checkpoint already and ``resume`` is off, or an expert is missing.
    """
    if not resume and ((out / STATE).exists() or (out / "config.json").exists()):
        raise CheckpointError(f"{out}: already holds a checkpoint; continue it with --resume or choose another folder")
    families = suite.families("train")
    taught = [
        Teacher(family, _expert(suite.load(name), experts)) for family, names in families.items() for name in names
    ]
    if not taught:
        raise SuiteError(f"suite {suite.name}: its training split is empty")
    start, origin = None, _origin(suite)
    if checkpoint is not None:
        start, config, origin["start"] = go_on_from(checkpoint, config)
    make_folder(out)
    distiller = Distiller(taught, config, out, origin, start)
    distiller.run(resume=resume, report=report)
    return {
        "steps": distiller.steps,
        "seconds": distiller.seconds,
        "returns": distiller.body_returns(),
        "seed": config.seed,
        "version": __version__,
    }


def _expert(body: Body, folder: Path) -> Policy:
    place = expert_folder(folder, body.name)
    if not (place / RECORD).exists():
        raise CheckpointError(f"{place}: no expert of {body.name}; train it: morphnet experts, --out {folder}")
    return policy_for(body, str(place), None)[0]


def evaluate_body(body: Body, policy: str | None, checkpoint: Path | None, episodes: int, seed: int) -> dict[str, Any]:
    """Evaluate one policy on its body; return the numbers as ``evaluate --json`` writes them."""
    _check_episodes(episodes, seed)
    controller, source = controller_for(body, policy, checkpoint, seed)
    return _report([(body, evaluate(body, controller, episodes, seed))], seed, source)


def evaluate_suite(
    suite: Suite,
    split: str,
    policy: str | None,
    checkpoint: Path | None,
    episodes: int,
    seed: int,
    track: Callable[[Sequence[Driven]], Iterable[Driven]] = iter,
) -> dict[str, Any]:
    """Evaluate a checkpoint's zero-shot policies, the random one or references, on the bodies of a split.

    Where the references are asked for, bodies without one are left out. ``track`` shows how far it is.
    """
    _check_episodes(episodes, seed)
    bodies = suite.bodies(split)
    if not bodies:
        raise SuiteError(f"suite {suite.name}: its split {split} is empty")
    bodies, controllers, source = _controllers(bodies, policy, checkpoint, seed)
    driven = list(zip(bodies, controllers, strict=True))
    results = [(body, evaluate(body, controller, episodes, seed)) for body, controller in track(driven)]
    return _report(results, seed, source)


def _controllers(
    bodies: list[Body], policy: str | None, checkpoint: Path | None, seed: int
) -> tuple[list[Body], list[Controller], str]:
    """Return the bodies that a suite's ``--policy`` can drive, what drives each, and its name."""
    if policy == RANDOM:
        return bodies, [RandomController(body, seed) for body in bodies], RANDOM
    if policy == REFERENCE:
        known = read_references()
        bodies = [body for body in bodies if body.source.sha256 in known]
        if not bodies:
            raise MorphNetError(
                f"--policy {REFERENCE}: none ships for any of these bodies; valid: {ZERO_SHOT}, {RANDOM}"
            )
        return bodies, [PolicyController(reference_policy(body)) for body in bodies], REFERENCE
    if policy not in (None, ZERO_SHOT):
        raise MorphNetError(
            f"--policy {policy}: a suite takes {ZERO_SHOT} (with --checkpoint), {REFERENCE} or {RANDOM}"
        )
    hypernetwork = Hypernetwork.load(checkpoint)
    return bodies, [PolicyController(made) for made in hypernetwork.generate_all(bodies)], hypernetwork.where


def _check_episodes(episodes: int, seed: int) -> None:
    if episodes < 1 or seed < 0:
        raise MorphNetError(f"--episodes {episodes} --seed {seed}: at least one episode, and no negative seed")


def controller_for(body: Body, policy: str | None, checkpoint: Path | None, seed: int) -> tuple[Controller, str]:
    """Return what drives a body, and its name: a policy folder, "reference", "random" or "zero-shot" (or None).

    Raises:
        MorphNetError: the policy was made for a body with other inputs or actuators.
    """
    if policy == RANDOM:
        return RandomController(body, seed), RANDOM
    made, source = policy_for(body, policy, checkpoint)
    return PolicyController(made), source


def policy_for(body: Body, policy: str | None, checkpoint: Path | None) -> tuple[Policy, str]:
    """Return a policy for a body, and where it is from."""
    if policy is None or policy == ZERO_SHOT:
        hypernetwork = Hypernetwork.load(checkpoint)
        return hypernetwork.generate(body), hypernetwork.where
    if policy == REFERENCE:
        return reference_policy(body), REFERENCE
    loaded = Policy.load(policy)
    own = Policy(body, loaded.actor, loaded.origin)
    if own.observation_names != loaded.observation_names or body.model.nu != loaded.body.model.nu:
        raise MorphNetError(f"{policy}: made for {loaded.body.name}, whose inputs and actuators are not {body.name}'s")
    return own, policy


def grow_suite(count: int, out: Path, seed: int, watch: Callable[[Iterable[Grown]], Iterable[Grown]]) -> dict[str, Any]:
    """Grow bodies into a folder; return what ``grow --json`` writes. ``watch`` shows how far it is."""
    if count < 1:
        raise MorphNetError(f"--count {count}: at least one body")
    check_folder(out, ())  # told before minutes of growing, not after
    bodies: list[Body] = []
    rejected: collections.Counter[str] = collections.Counter()
    for grown in watch(grow_bodies(count, seed)):
        bodies.append(grown.body)
        rejected += grown.rejected
    write_suite(out, bodies)
    return {"folder": str(out), "count": count, "rejected": dict(rejected), "seed": seed, "version": __version__}


def load_changed(name: str, change: Path | None) -> Body:
    """Load a body by its name, with the hidden change of a TOML file where there is one."""
    body = load_body(name)
    return body if change is None else body.with_change(read_change(change))


def record_body(
    body: Body,
    policy: str | None,
    checkpoint: Path | None,
    out: Path,
    episodes: int,
    steps: int | None,
    noise: float,
    seed: int,
) -> dict[str, Any]:
    """Record demonstrations into a Minari dataset; return what ``record --json`` writes."""
    _check_episodes(episodes, seed)
    if steps is not None and steps < SHORTEST:
        raise MorphNetError(f"--steps {steps}: at least {SHORTEST} control steps are needed")
    if not 0.0 <= noise < math.inf:
        raise MorphNetError(f"--noise {noise}: must be 0 or more; actions span [-1, 1]")
    check_folder(out, (METADATA, DATA))  # told before minutes of recording, not after
    controller, source = controller_for(body, policy, checkpoint, seed)
    demonstrations = record(body, controller.actions, episodes, seed, steps=steps, noise=noise)
    write_demonstrations(out, body, demonstrations, source if not noise else f"{source}, noise {noise:g}")
    return {
        "dataset": str(out),
        "body": body.name,
        "change": body.change.to_dict() if body.change else None,
        "policy": source,
        "noise": noise,
        "returns": [d.total_reward for d in demonstrations],
        "lengths": [len(d) for d in demonstrations],
        "seed": seed,
        "version": __version__,
    }


def adapt_body(
    body: Body,
    demos: Path,
    out: Path,
    episodes: int | None,
    checkpoint: Path | None,
    config: AdaptConfig,
    report: Callable[[Progress], None],
) -> dict[str, Any]:
    """Adapt to a dataset into a policy folder; return what ``adapt --json`` writes."""
    if episodes is not None and episodes < 1:
        raise MorphNetError(f"--episodes {episodes}: at least one is needed")
    _check_free(out)
    demonstrations = read_demonstrations(demos, body, episodes)
    adapted = adapt(Hypernetwork.load(checkpoint), body, demonstrations, config, report)
    adapted.save(out)
    return {"policy": str(out), "dataset": str(demos), "body": body.name, **adapted.origin, "version": __version__}


def make_expert(
    body: Body, out: Path, steps: int, seed: int, threads: int, report: Callable[[Progress], None]
) -> dict[str, Any]:
    """Train an expert of a body into a policy folder; return what ``expert --json`` writes."""
    keep = _keeper(out)
    started = time.monotonic()
    best = train_expert(body, steps, seed, threads, keep=keep, report=report)
    return _specialist_report(best, out, seed, started)


def finetune_body(
    body: Body,
    policy: str | None,
    checkpoint: Path | None,
    out: Path,
    steps: int,
    seed: int,
    threads: int,
    report: Callable[[Progress], None],
) -> dict[str, Any]:
    """Finetune a body's policy into another folder; return what ``finetune --json`` writes.

    A zero-shot policy brings its critic along; of any other there is none.
    """
    start, _ = policy_for(body, policy, checkpoint)
    critic = Hypernetwork.load(checkpoint).generate_critic(body) if policy in (None, ZERO_SHOT) else None
    keep = _keeper(out)
    started = time.monotonic()
    before = evaluate(body, PolicyController(start), REPORT_EPISODES, seed)
    best = finetune(start, steps, seed, threads, critic=critic, keep=keep, report=report)
    return {**_specialist_report(best, out, seed, started), "start": before.summary()}


def _keeper(out: Path) -> Callable[[Policy], None]:
    """Save every policy that leads, so that whatever stops the run leaves the best so far."""
    _check_free(out)
    return lambda policy: policy.save(out)


def _check_free(out: Path) -> None:
    """Find out before the work that a policy cannot, or should not, be written."""
    if (out / RECORD).exists():
        raise MorphNetError(f"{out}: already holds a policy; choose another folder")
    make_folder(out)


def _specialist_report(best: Policy, out: Path, seed: int, started: float) -> dict[str, Any]:
    result = evaluate(best.body, PolicyController(best), REPORT_EPISODES, seed)
    return {
        "policy": str(out),
        "body": best.body.name,
        **result.summary(),
        "origin": best.origin,
        "seconds": time.monotonic() - started,
        "seed": seed,
        "version": __version__,
    }


def _report(results: list[tuple[Body, Evaluation]], seed: int, source: str) -> dict[str, Any]:
    references = read_references()
    rows: dict[str, dict[str, Any]] = {}
    unscored: dict[str, str] = {}
    for body, result in results:
        value, reason = score(body, float(result.returns.mean()), references)
        rows[body.name] = {**result.summary(), "score": value}
        if value is None:
            unscored[body.name] = reason
    scores = [row["score"] for row in rows.values() if row["score"] is not None]
    return {
        "bodies": rows,
        "mean_return": sum(row["return_mean"] for row in rows.values()) / len(rows),
        "mean_score": sum(scores) / len(scores) if scores else None,
        "unscored": unscored,
        "seed": seed,
        "checkpoint": source,
        "version": __version__,
    }
