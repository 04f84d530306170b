"""Training one body: environment steps a second and return, beside Stable-Baselines3's PPO with the same settings.

Both train the same networks (two hidden tanh layers of 64 units, for actor and critic apart) with 16 environments,
rollouts of 128 steps, minibatches of 1024 and ten epochs, the same schedule of the learning rate, discount, lambda,
clip range, noise and gradient norm; SB3 in a ``SubprocVecEnv``, with its own normalisation of observations and rewards.
They take turns. Ours observes more entries, so its first layer is wider.

python -m benchmarks.speed_training --out benchmarks/results/speed_training.csv     about an hour on two idle cores
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from pathlib import Path

import gymnasium
import numpy as np
import torch
import tyro
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import SubprocVecEnv, VecNormalize

from benchmarks.interleave import Row, rows_of, save, show
from morphnet import load_body
from morphnet.config import NetworkConfig, TrainConfig
from morphnet.console import say
from morphnet.evaluation import PolicyController, evaluate
from morphnet.learning.ppo import WARM_UP
from morphnet.networks import exploration_shift
from morphnet.policy import Policy
from morphnet.specialists.contest import Rounds
from morphnet.specialists.trainer import Recipe, Specialist

CASES = {
    "half_cheetah": ("gymnasium:half_cheetah", "HalfCheetah-v5"),
    "walker2d": ("gymnasium:walker2d_v5", "Walker2d-v5"),
    "hopper": ("gymnasium:hopper", "Hopper-v5"),
}
# of both
ENVIRONMENTS, HORIZON, BATCH, EPOCHS, HIDDEN = 16, 128, 1024, 10, 64
LEARNING_RATE, DISCOUNT, LAMBDA, CLIP, LOG_STD = 3e-4, 0.99, 0.95, 0.2, -1.0
EPISODES, NO_LIMIT = 10, 1e6
SB3 = "SB3 PPO, SubprocVecEnv"
Trained = tuple[float, float]
"""Environment steps a second, and mean return of episodes of mean actions."""


def ours(name: str, env_id: str, steps: int, seed: int, threads: int) -> Trained:
    """Train by our PPO, judging two snapshots by an episode each."""
    body = load_body(name)
    body = dataclasses.replace(body, task=body.task.replace(discount=DISCOUNT))
    nu, shift = body.model.nu, float(exploration_shift(torch.tensor(body.control_step)))
    config = TrainConfig(
        steps=steps,
        seed=seed,
        threads=threads,
        num_sims=max(1, round(ENVIRONMENTS / threads)),
        horizon=HORIZON,
        epochs=EPOCHS,
        minibatches=ENVIRONMENTS * HORIZON // BATCH,
        learning_rate=LEARNING_RATE,
        clip=CLIP,
        kl_limit=NO_LIMIT,
        gae_lambda=LAMBDA,
        entropy=0.0,
        network=NetworkConfig(hidden=HIDDEN - nu, own=1, critic_hidden=HIDDEN, initial_log_std=LOG_STD - shift),
    )
    specialist = Specialist(body, Recipe(config, rounds=Rounds(snapshots=1, quick=1, final=1)), None)
    start = time.perf_counter()
    specialist.run(lambda _: None, lambda _: None)
    seconds = time.perf_counter() - start
    policy = Policy(body, specialist.actor.emitted(), {})
    returns = evaluate(body, PolicyController(policy), EPISODES, seed + 1).returns
    return specialist.steps / seconds, float(returns.mean())


def stable_baselines(name: str, env_id: str, steps: int, seed: int, threads: int) -> Trained:
    """Train by Stable-Baselines3's PPO; its processes start before the clock does."""
    torch.set_num_threads(threads)
    vectors = make_vec_env(env_id, ENVIRONMENTS, seed, vec_env_cls=SubprocVecEnv)
    normalised = VecNormalize(vectors, gamma=DISCOUNT)
    model = PPO(
        "MlpPolicy",
        normalised,
        n_steps=HORIZON,
        batch_size=BATCH,
        n_epochs=EPOCHS,
        learning_rate=lambda left: _learning_rate(1.0 - left),
        gamma=DISCOUNT,
        gae_lambda=LAMBDA,
        clip_range=CLIP,
        policy_kwargs={"net_arch": [HIDDEN, HIDDEN], "log_std_init": LOG_STD},
        seed=seed,
        device="cpu",
    )
    start = time.perf_counter()
    model.learn(steps)
    seconds = time.perf_counter() - start
    result = model.num_timesteps / seconds, _sb3_return(model, normalised, env_id, seed + 1)
    vectors.close()
    torch.set_num_threads(1)
    return result


def _learning_rate(done: float) -> float:
    """The schedule that our PPO follows."""
    cosine = 0.05 + 0.95 * 0.5 * (1.0 + math.cos(math.pi * min(done, 1.0)))
    return LEARNING_RATE * min((done + 1e-3) / WARM_UP, 1.0) * cosine


def _sb3_return(model: PPO, normalised: VecNormalize, env_id: str, seed: int) -> float:
    env, returns = gymnasium.make(env_id), []
    for episode in range(EPISODES):
        observation, _ = env.reset(seed=seed + episode)
        total, over = 0.0, False
        while not over:
            action, _ = model.predict(normalised.normalize_obs(observation), deterministic=True)
            observation, reward, terminated, truncated, _ = env.step(action)
            total, over = total + float(reward), terminated or truncated
        returns.append(total)
    return float(np.mean(returns))


CONTESTANTS: dict[str, Callable[[str, str, int, int, int], Trained]] = {SB3: stable_baselines, "MorphNet": ours}


def main(
    out: Path,
    cases: tuple[str, ...] = tuple(CASES),
    steps: int = 1_000_000,
    repeats: int = 3,
    threads: int = 2,
) -> None:
    """Train each case by both, in turn, with another seed every round.

    Args:
        out: the CSV.
        cases: bodies.
        steps: environment steps a training.
        repeats: rounds.
        threads: threads of ours, and torch's of SB3.
    """
    rows: list[Row] = []
    for case in cases:
        rounds = []
        for seed in range(repeats):
            rounds.append({name: train(*CASES[case], steps, seed, threads) for name, train in CONTESTANTS.items()})
            say(f"{case}, seed {seed}: {rounds[-1]}")
        for part, column, unit in (("training", 0, "steps/s"), ("return after training", 1, "return")):
            measured = {name: np.array([one[name][column] for one in rounds]) for name in CONTESTANTS}
            rows += rows_of(part, case, unit, SB3, measured)
        save(rows, out)
    show(rows)


if __name__ == "__main__":
    tyro.cli(main)
