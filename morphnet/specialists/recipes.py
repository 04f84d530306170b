"""The two recipes: an expert from nothing, and finetuning, in which the start competes too."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from morphnet.bodies import Body
from morphnet.config import TrainConfig
from morphnet.learning import Progress
from morphnet.policy import Policy
from morphnet.specialists.contest import Rounds
from morphnet.specialists.trainer import Recipe, Specialist

NUM_SIMS = 32
"""Simulations, over all threads."""
ENDLESS = 10**9
"""Steps of a run that the clock ends."""


def train_expert(
    body: Body,
    steps: int = 3_000_000,
    seed: int = 0,
    threads: int = 2,
    *,
    keep: Callable[[Policy], None] = lambda _: None,
    report: Callable[[Progress], None] = lambda _: None,
) -> Policy:
    """Train the best policy of one body that a number of environment steps allows.

    Args:
        body: the body.
        steps: environment steps; the learning rate's schedule follows them.
        seed: seeds the weights, the resets, the exploration and the minibatches.
        threads: threads that share the simulations.
        keep: called with every policy that leads so far.
        report: called after every update.

    Raises:
        KeyboardInterrupt: stopped by Ctrl-C, after the best so far was given to ``keep``.
    """
    return Specialist(body, Recipe(_ppo(steps, seed, threads)), None).run(keep, report)


def train_for(body: Body, seconds: float, seed: int = 0, threads: int = 2) -> Policy:
    """Train the best policy of one body that a wall-clock time allows, judging its snapshots included.

    Args:
        body: the body.
        seconds: wall-clock of the training; schedules follow it.
        seed: seeds the weights, the resets, the exploration and the minibatches.
        threads: threads that share the simulations.
    """
    recipe = Recipe(_ppo(ENDLESS, seed, threads), seconds=seconds, rounds=Rounds(snapshots=6, quick=3, final=5))
    return Specialist(body, recipe, None).run(lambda _: None, lambda _: None)


def finetune(
    policy: Policy,
    steps: int = 500_000,
    seed: int = 0,
    threads: int = 2,
    *,
    keep: Callable[[Policy], None] = lambda _: None,
    report: Callable[[Progress], None] = lambda _: None,
) -> Policy:
    """Continue from a policy by PPO on the reward of its body's task; return the best, its start included.

    A careless start destroys a policy: noise too large, a critic that knows nothing, steps too long. So noise is
    limited, the critic learns first, and the divergence of an update is kept small. The start competes too, so the
    result is worse at most by the noise of 20 episodes.

    Args:
        policy: where to start: emitted or trained.
        steps: environment steps.
        seed: seeds the critic, the resets, the exploration and the minibatches.
        threads: threads that share the simulations.
        keep: called with every policy that leads so far; the start first.
        report: called after every update.

    Raises:
        KeyboardInterrupt: stopped by Ctrl-C, after the best so far was given to ``keep``.
    """
    ppo = dataclasses.replace(_ppo(steps, seed, threads), kl_limit=0.015, entropy=0.0)
    return Specialist(policy.body, Recipe(ppo, warm_up=0.05, loudest=-1.0), policy).run(keep, report)


def _ppo(steps: int, seed: int, threads: int) -> TrainConfig:
    """PPO's settings: ten times the gradient steps a sample that meta-training takes, each half as long."""
    num_sims = max(1, NUM_SIMS // max(1, threads))
    return TrainConfig(
        steps=steps,
        seed=seed,
        threads=threads,
        num_sims=num_sims,
        horizon=64,
        epochs=10,
        minibatches=16,
        learning_rate=3e-4,
    )
