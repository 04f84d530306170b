"""Returns inside Gymnasium's own, unmodified environments, driven through ``Policy.act(data)``.

python -m benchmarks.gymnasium_returns --checkpoint RUN --out benchmarks/results/NAME.csv
"""

from __future__ import annotations

import csv
from pathlib import Path

import gymnasium
import numpy as np
import tyro

from morphnet import Hypernetwork, Policy, load_body
from morphnet.console import print_table

ENVIRONMENTS = {
    "Ant-v5": ("gymnasium:ant", 1327.0),
    "HalfCheetah-v5": ("gymnasium:half_cheetah", 5819.0),
    "Hopper-v5": ("gymnasium:hopper", 2410.0),
    "Swimmer-v5": ("gymnasium:swimmer", 282.0),
    "Walker2d-v5": ("gymnasium:walker2d_v5", 3479.0),
}
"""Environment -> the body it runs, and the return of rl-zoo3's tuned PPO (one policy a body, 1M steps)."""


def episode_return(policy: Policy, env: gymnasium.Env, seed: int) -> tuple[float, int]:
    """Run one episode; return its undiscounted return and its length."""
    env.reset(seed=seed)
    data, total, length, ended = env.unwrapped.data, 0.0, 0, False
    while not ended:
        _, reward, terminated, truncated, _ = env.step(policy.act(data))
        total, length, ended = total + float(reward), length + 1, terminated or truncated
    return total, length


def measure(checkpoint: Path | None, episodes: int, seed: int) -> list[dict[str, object]]:
    """One row an episode, over all environments."""
    hypernetwork = Hypernetwork.load(checkpoint)
    rows: list[dict[str, object]] = []
    for name, (body, _) in ENVIRONMENTS.items():
        policy, env = hypernetwork.generate(load_body(body)), gymnasium.make(name)
        for episode in range(episodes):
            value, length = episode_return(policy, env, seed + episode)
            rows.append({"environment": name, "seed": seed + episode, "return": round(value, 2), "length": length})
        env.close()
    return rows


def main(checkpoint: Path | None = None, out: Path | None = None, episodes: int = 10, seed: int = 0) -> None:
    """Measure, print a table and write one CSV row an episode.

    Args:
        checkpoint: a checkpoint folder; the shipped one by default.
        out: the CSV.
        episodes: episodes an environment.
        seed: seed of the first episode.
    """
    rows = measure(checkpoint, episodes, seed)
    if out is not None:
        with out.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    table = []
    for name, (_, published) in ENVIRONMENTS.items():
        returns = [float(str(row["return"])) for row in rows if row["environment"] == name]
        table.append((name, float(np.mean(returns)), float(np.std(returns)), published))
    print_table("Returns", ("environment", "mean return", "std", "rl-zoo3 PPO"), table)


if __name__ == "__main__":
    tyro.cli(main)
