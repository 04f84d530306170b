"""The two recipes: an expert from nothing, and finetuning, in which the start competes too."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

from morphnet.bodies import Body
from morphnet.config import NetworkConfig, TrainConfig
from morphnet.errors import MorphNetError
from morphnet.learning import Progress
from morphnet.networks import StackedMLP
from morphnet.policy import Policy
from morphnet.specialists.contest import Rounds
from morphnet.specialists.trainer import Recipe, Specialist

NUM_SIMS = 8
"""Simulations, over all threads."""
ENDLESS = 10**9
"""Steps of a run that the clock ends."""
ADVANTAGE_SHARE, ADVANTAGE_SECONDS = 0.25, (0.6, 2.0)
"""How far advantages look ahead before they rely on the critic: a share of how far the discount does, within limits.
Lambda is 0.987 at 8 ms, 0.92 at 50 ms, and 0.98 for swimmers (40 ms), whose discount has no end."""
LONGEST_HORIZON, FEWEST_UPDATES = 512, 20
"""Control steps of every simulation between two updates: batches of 4096 steps lose a gait less often than those of
1024. A short training has smaller ones, so that there are updates."""
MINIBATCH = 128
CAREFUL: dict[str, Any] = {"epochs": 6, "minibatches": 8, "learning_rate": 2e-4, "kl_limit": 0.02, "entropy": 0.0}
"""What finetuning does otherwise: long steps lose a good start."""
HASTY: dict[str, Any] = {"horizon": 128, "minibatches": 8, "kl_limit": 1.0}
"""What a training of seconds does otherwise: it has to learn fast, and does not live to lose its gait."""
CRITIC_HIDDEN = 128
EPISODE_SECONDS = 12.5
"""Longest episodes that experts are trained on."""
PATIENCE = 10
"""Snapshots, of 25 a run, that an expert's training may fall short of its best in a row."""

BRIEF = Rounds(snapshots=6, quick=3, final=5)


def train_expert(
    body: Body,
    steps: int = 3_000_000,
    seed: int = 0,
    threads: int = 2,
    *,
    hopeless: float = -math.inf,
    keep: Callable[[Policy], None] = lambda _: None,
    report: Callable[[Progress], None] = lambda _: None,
) -> Policy:
    """Train the best policy of one body that a number of environment steps allows.

    Args:
        body: the body.
        steps: environment steps; the learning rate's schedule follows them.
        seed: seeds the weights, the resets, the exploration and the minibatches.
        threads: threads that share the simulations.
        hopeless: a return that must be reached in the first half of the steps, or the training ends.
        keep: called with every policy that leads so far.
        report: called after every update.

    Raises:
        KeyboardInterrupt: stopped by Ctrl-C, after the best so far was given to ``keep``.
    """
    recipe = expert_recipe(body, steps, seed, threads)
    recipe = dataclasses.replace(recipe, hopeless=hopeless)
    return Specialist(body, recipe, None).run(keep, report)


def train_for(body: Body, seconds: float, seed: int = 0, threads: int = 2, rounds: Rounds = BRIEF) -> Policy:
    """Train the best policy of one body that a wall-clock time allows, judging its snapshots included.

    Args:
        body: the body.
        seconds: wall-clock of the training; schedules follow it.
        seed: seeds the weights, the resets, the exploration and the minibatches.
        threads: threads that share the simulations.
        rounds: how thoroughly snapshots are judged; those of the default take little of half a minute.
    """
    recipe = expert_recipe(body, ENDLESS, seed, threads)
    hasty = dataclasses.replace(recipe.ppo, **HASTY)
    recipe = dataclasses.replace(recipe, ppo=hasty, seconds=seconds, rounds=rounds, patience=math.inf)
    return Specialist(body, recipe, None).run(lambda _: None, lambda _: None)


def finetune(
    policy: Policy,
    steps: int = 500_000,
    seed: int = 0,
    threads: int = 2,
    *,
    critic: StackedMLP | None = None,
    keep: Callable[[Policy], None] = lambda _: None,
    report: Callable[[Progress], None] = lambda _: None,
) -> Policy:
    """Continue from a policy by PPO on the reward of its body's task; return the best, its start included.

    A careless start destroys a policy: noise too large, a critic that knows nothing, steps too long. So noise is
    limited, the critic learns first, batches are large, and the divergence of an update is kept small. The start
    competes too, so the result is worse at most by the noise of 20 episodes.

    Args:
        policy: where to start: emitted or trained.
        steps: environment steps.
        seed: seeds the critic, the resets, the exploration and the minibatches.
        threads: threads that share the simulations.
        critic: the start's critic, as ``Hypernetwork.generate_critic`` emits it; a new one when None.
        keep: called with every policy that leads so far; the start first.
        report: called after every update.

    Raises:
        KeyboardInterrupt: stopped by Ctrl-C, after the best so far was given to ``keep``.
    """
    ppo = dataclasses.replace(plain_ppo(policy.body, steps, seed, threads), **CAREFUL)
    recipe = Recipe(ppo, warm_up=0.05, loudest=-1.0)
    return Specialist(policy.body, recipe, policy, critic=critic).run(keep, report)


def expert_recipe(body: Body, steps: int, seed: int, threads: int) -> Recipe:
    """Return how experts of ``body`` are trained."""
    return Recipe(plain_ppo(body, steps, seed, threads), episode_seconds=EPISODE_SECONDS, patience=PATIENCE)


def plain_ppo(body: Body, steps: int, seed: int, threads: int) -> TrainConfig:
    """PPO's settings: as many gradient steps on every batch as one body alone can afford."""
    if steps < 1:
        raise MorphNetError(f"steps = {steps}: must be at least 1")
    num_sims = max(1, NUM_SIMS // max(1, threads))
    sims = num_sims * max(1, threads)
    horizon = min(LONGEST_HORIZON, max(2, steps // (sims * FEWEST_UPDATES)))
    return TrainConfig(
        steps=steps,
        seed=seed,
        threads=threads,
        num_sims=num_sims,
        horizon=horizon,
        epochs=8,
        minibatches=max(1, sims * horizon // MINIBATCH),
        learning_rate=3e-4,
        gae_lambda=_gae_lambda(body),
        kl_limit=0.05,
        entropy=4e-4,
        network=NetworkConfig(critic_hidden=CRITIC_HIDDEN, initial_log_std=-1.2),
    )


def _gae_lambda(body: Body) -> float:
    """Lambda of advantages that look ahead for as many seconds as the body's discount allows."""
    rate = max((1.0 - body.task.discount) / body.control_step, 1e-9)  # a discount of 1 has no end
    shortest, longest = ADVANTAGE_SECONDS
    return math.exp(-body.control_step / min(max(ADVANTAGE_SHARE / rate, shortest), longest))
