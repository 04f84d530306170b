"""One policy a body: what a number of environment steps gives, by our engine and by Stable-Baselines3's PPO.

python -m benchmarks.single_bodies --engine ours --steps 1000000 --out benchmarks/results/NAME.csv
"""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import tyro

from morphnet import load_body, make_vec, train_expert
from morphnet.bodies import Body
from morphnet.console import print_table
from morphnet.evaluation import Controller, PolicyController, evaluate
from morphnet.learning import Progress
from morphnet.simulation import ControlScale

BODIES = ("gymnasium:half_cheetah", "gymnasium:walker2d_v5", "gymnasium:hopper")
EPISODES = 20


class Sb3Controller:
    """Mean actions of an SB3 policy behind ``VecNormalize``."""

    def __init__(self, body: Body, model: Any, normalise: Any) -> None:
        """Wrap a model and the normalisation that it was trained with."""
        self._model, self._normalise, self._scale = model, normalise, ControlScale(body.model)

    def actions(self, observation: np.ndarray) -> np.ndarray:
        """(n, nu) actions in [-1, 1]."""
        ctrl, _ = self._model.predict(self._normalise.normalize_obs(observation), deterministic=True)
        return self._scale.to_action(ctrl)


def train_ours(body: Body, steps: int, seed: int, threads: int) -> Controller:
    """Train by ``morphnet expert``."""
    return PolicyController(train_expert(body, steps, seed, threads, report=show))


def show(progress: Progress) -> None:
    """Print every twentieth update."""
    if progress.update % 20 == 0:
        print(f"{progress.steps:>9,} {progress.seconds:7.0f} s {progress.returns}", flush=True)


def train_sb3(body: Body, steps: int, seed: int, threads: int) -> Controller:
    """Train SB3's PPO with its own defaults, but for 16 environments of 128 steps; the last policy counts."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.vec_env import VecNormalize

    torch.set_num_threads(threads)
    normalise = VecNormalize(make_vec(body, 16, seed, threads), gamma=body.task.discount)
    model = PPO("MlpPolicy", normalise, n_steps=128, gamma=body.task.discount, seed=seed, device="cpu")
    model.learn(steps)
    normalise.training = False
    return Sb3Controller(body, model, normalise)


def main(
    engine: Literal["ours", "sb3"] = "ours",
    out: Path | None = None,
    bodies: tuple[str, ...] = BODIES,
    steps: int = 1_000_000,
    seed: int = 0,
    threads: int = 2,
) -> None:
    """Train one policy a body, evaluate it on fresh start states, write one CSV row a body.

    Args:
        engine: whose PPO.
        out: the CSV.
        bodies: BODY names.
        steps: environment steps a body.
        seed: seeds the training.
        threads: threads of rollouts and of updates.
    """
    train = {"ours": train_ours, "sb3": train_sb3}[engine]
    rows = []
    for name in bodies:
        body, started, cpu = load_body(name), time.monotonic(), time.process_time()
        controller = train(body, steps, seed, threads)
        seconds, cpu = time.monotonic() - started, time.process_time() - cpu
        result = evaluate(body, controller, EPISODES, seed + 5000)
        mean, spread = float(result.returns.mean()), float(result.returns.std())
        rows.append((engine, name, steps, seed, threads, round(seconds), round(cpu), round(mean, 1), round(spread, 1)))
    columns = ("engine", "body", "steps", "seed", "threads", "seconds", "cpu_seconds", "return_mean", "return_std")
    print_table("One policy a body", columns, rows)
    if out is not None:
        with out.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([columns, *rows])


if __name__ == "__main__":
    tyro.cli(main)
