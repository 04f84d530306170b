"""What the commands do with checkpoints and suites: start a training, evaluate policies."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from morphnet import __version__
from morphnet.bodies import Body, Suite, load_body
from morphnet.config import TrainConfig, config_from_dict
from morphnet.errors import CheckpointError, MorphNetError, SuiteError
from morphnet.evaluation import Controller, Evaluation, PolicyController, RandomController, evaluate
from morphnet.files import make_folder
from morphnet.hypernetwork import Hypernetwork
from morphnet.learning import Progress, Trainer
from morphnet.learning.resume import STATE, saved_config
from morphnet.policy import Policy

ZERO_SHOT = "zero-shot"
"""Stands for the policy that the checkpoint emits for a body."""


def start_training(
    out: Path,
    suite: Suite,
    config: TrainConfig,
    resume: bool,
    minutes: float | None,
    report: Callable[[Progress], None],
) -> dict[str, Any]:
    """Train on a suite's training split and return the numbers of the run.

    Raises:
        CheckpointError: the folder holds a run and ``resume`` is off, or holds none and it is on.
    """
    if minutes is not None and not minutes > 0:
        raise MorphNetError(f"--minutes {minutes}: must be above 0")
    if resume:
        config = _resumed_config(out, config)
    elif (out / STATE).exists() or (out / "config.json").exists():
        raise CheckpointError(f"{out}: already holds a run; continue it with --resume or choose another folder")
    make_folder(out)
    bodies = [(family, suite.load(name)) for family, names in suite.families("train").items() for name in names]
    if not bodies:
        raise SuiteError(f"suite {suite.name}: its training split is empty")
    origin = {"suite": suite.name, "version": __version__, "command": f"morphnet {' '.join(sys.argv[1:])}"}
    trainer = Trainer(bodies, config, out, origin)
    trainer.run(resume=resume, minutes=minutes, report=report)
    return {
        "steps": trainer.steps,
        "seconds": trainer.seconds,
        "diverged": trainer.diverged,
        "returns": trainer.body_returns(),
        "seed": config.seed,
        "version": __version__,
    }


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


def evaluate_body(name: str, policy: str | None, checkpoint: Path | None, episodes: int, seed: int) -> dict[str, Any]:
    """Evaluate one policy on its body; return the numbers as ``evaluate --json`` writes them."""
    _check_episodes(episodes, seed)
    body = load_body(name)
    controller, source = controller_for(body, policy, checkpoint, seed)
    result = evaluate(body, controller, episodes, seed)
    return _report({body.name: result}, seed, source)


def evaluate_suite(
    suite: Suite, split: str, policy: str | None, checkpoint: Path | None, episodes: int, seed: int
) -> dict[str, Any]:
    """Evaluate a checkpoint's zero-shot policies, or the random policy, on every body of a split."""
    if policy not in (None, "random"):
        raise MorphNetError(f"--policy {policy}: a suite takes --checkpoint, or --policy random")
    _check_episodes(episodes, seed)
    bodies = suite.bodies(split)
    if not bodies:
        raise SuiteError(f"suite {suite.name}: its split {split} is empty")
    if policy == "random":
        random = {body.name: evaluate(body, RandomController(body, seed), episodes, seed) for body in bodies}
        return _report(random, seed, "random")
    hypernetwork = Hypernetwork.load(checkpoint)
    results = {
        made.body.name: evaluate(made.body, PolicyController(made), episodes, seed)
        for made in hypernetwork.generate_all(bodies)
    }
    return _report(results, seed, hypernetwork.where)


def _check_episodes(episodes: int, seed: int) -> None:
    if episodes < 1 or seed < 0:
        raise MorphNetError(f"--episodes {episodes} --seed {seed}: at least one episode, and no negative seed")


def controller_for(body: Body, policy: str | None, checkpoint: Path | None, seed: int) -> tuple[Controller, str]:
    """Return what drives a body, and its name: a policy folder, "random" or "zero-shot" (or None).

    Raises:
        MorphNetError: the policy was made for a body with other inputs or actuators.
    """
    if policy == "random":
        return RandomController(body, seed), "random"
    made, source = policy_for(body, policy, checkpoint)
    return PolicyController(made), source


def policy_for(body: Body, policy: str | None, checkpoint: Path | None) -> tuple[Policy, str]:
    """Return a policy for a body, and where it is from."""
    if policy is None or policy == ZERO_SHOT:
        hypernetwork = Hypernetwork.load(checkpoint)
        return hypernetwork.generate(body), hypernetwork.where
    if policy == "reference":
        raise MorphNetError(
            f"--policy reference: no reference policy ships for {body.name}; valid: a policy folder, random"
        )
    loaded = Policy.load(policy)
    own = Policy(body, loaded.actor, loaded.origin)
    if own.observation_names != loaded.observation_names or body.model.nu != loaded.body.model.nu:
        raise MorphNetError(f"{policy}: made for {loaded.body.name}, whose inputs and actuators are not {body.name}'s")
    return own, policy


def _report(results: dict[str, Evaluation], seed: int, source: str) -> dict[str, Any]:
    rows = {name: {**result.summary(), "score": None} for name, result in results.items()}
    means = [float(result.returns.mean()) for result in results.values()]
    return {
        "bodies": rows,
        "mean_return": sum(means) / len(means),
        "mean_score": None,
        "seed": seed,
        "checkpoint": source,
        "version": __version__,
    }
