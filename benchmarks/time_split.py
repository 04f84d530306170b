"""Where the time of a training went: physics, observations and rewards, inference, update, experts.

How long rollouts, updates and experts took is read off the run's ``metrics.csv``. What rollouts spend on physics and on
inference is measured afterwards, on idle cores, taking turns, with the policies of the run's final checkpoint and the
simulations of its PPO; the same shares are taken for the distillation's rollouts. Bare physics can come out slower than
rollouts, which keep it in the caches: nothing is then left for observations and rewards.

python -m benchmarks.time_split --run RUN --suite planar --out benchmarks/results/NAME.csv
"""

from __future__ import annotations

import csv
import time
from pathlib import Path

import numpy as np
import tyro
from numba import types

from benchmarks.interleave import interleave
from benchmarks.speed_ceiling import CompiledCeiling, record
from benchmarks.speed_rollouts import Rollouts
from morphnet.bodies import load_suite
from morphnet.console import print_table
from morphnet.learning import load_checkpoint
from morphnet.learning.actor_kernel import PERCEPTRON, Perceptron, act, cut_out
from morphnet.learning.group import Workers
from morphnet.simulation.compiled import compiled, reads, writes

NAMES = ("physics", "observations, rewards, resets", "inference", "update")


class Inference:
    """The actors alone, on what they saw in a rollout."""

    def __init__(self, rollouts: Rollouts, workers: Workers) -> None:
        """Record a rollout."""
        self._steps, self._workers = rollouts.steps, workers
        self._act = compiled(_act_all, PERCEPTRON, *_ARRAYS)
        rollouts.rewind()
        self._jobs = []
        for collector, actor, seen in zip(rollouts.collectors, rollouts.actors, rollouts.collect(), strict=True):
            for index, simulation in enumerate(collector.group.simulations):
                nu, sims = simulation.body.model.nu, simulation.num_sims
                perceptron, bias = cut_out(actor.mean, index, sims, simulation.observer.size, nu)
                observation = seen.observation.numpy()[:-1, index].copy()
                drift = np.broadcast_to(bias, (len(observation), sims, nu)).astype(np.float32)
                self._jobs.append((perceptron, observation, drift, np.empty_like(drift)))

    def run(self) -> float:
        """Act at every step; return environment steps a second."""
        start = time.perf_counter()
        self._workers.map(lambda job: self._act(*job), self._jobs)
        return self._steps / (time.perf_counter() - start)


_ARRAYS = (reads(3, types.float32), reads(3, types.float32), writes(3, types.float32))


def _act_all(actor: Perceptron, observation: np.ndarray, drift: np.ndarray, action: np.ndarray) -> None:
    for t in range(len(action)):
        act(actor, observation[t], drift[t], action[t])


def main(run: Path, suite: str, out: Path, repeats: int = 5) -> None:
    """Measure, and write a row a stage of the training.

    Args:
        run: the run's folder.
        suite: the suite it was trained on.
        out: the CSV.
        repeats: rounds of the measurement; medians count.
    """
    networks, checkpoint = load_checkpoint(run)
    config = checkpoint["train"]
    workers = Workers(config["threads"])
    bodies = load_suite(suite).bodies("train")
    rollouts = Rollouts(bodies, config["num_sims"], config["horizon"], config["threads"], workers, networks)
    physics = CompiledCeiling(record(rollouts), rollouts.steps, config["threads"], workers)
    physics.run()
    physics.check()
    contestants = {"rollouts": rollouts.run, "physics": physics.run, "inference": Inference(rollouts, workers).run}
    speed = {name: float(np.median(values)) for name, values in interleave(contestants, repeats).items()}
    workers.close()
    inference = speed["rollouts"] / speed["inference"]
    shares = {"inference": inference, "physics": min(speed["rollouts"] / speed["physics"], 1.0 - inference)}
    rows = [_row(*stage, shares) for stage in _stages(run)]
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    print_table("Where the time went", list(rows[0]), [list(row.values()) for row in rows])


def _stages(run: Path) -> list[tuple[str, list[dict[str, str]], float]]:
    """(name, rows of the metrics, seconds) of every stage; experts have no rows."""
    with (run / "metrics.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    learnt = [row for row in rows if row.get("loss/imitation", "nan") == "nan"]
    taught = [row for row in rows if row not in learnt]
    stages = [("PPO", learnt, float(learnt[-1]["seconds"]))]
    if taught:
        before, after = float(learnt[-1]["seconds"]), float(taught[0]["seconds"])
        own = sum(float(taught[0][name]) for name in ("seconds/rollout", "seconds/update"))
        stages.append(("experts", [], after - own - before))
        stages.append(("distillation", taught, float(taught[-1]["seconds"]) - after + own))
    return stages


def _row(
    name: str, rows: list[dict[str, str]], seconds: float, shares: dict[str, float]
) -> dict[str, str | float | None]:
    """Minutes and environment steps a second of a stage, and the shares of its time."""
    row: dict[str, str | float | None] = {"stage": name, "minutes": round(seconds / 60, 2)}
    row |= dict.fromkeys(("steps_per_second", *NAMES))
    if not rows:
        return row
    rolling, updating = (sum(float(r[column]) for r in rows) for column in ("seconds/rollout", "seconds/update"))
    steps = sum(float(r["steps_per_second"]) * (float(r["seconds/rollout"]) + float(r["seconds/update"])) for r in rows)
    own = (shares["physics"], 1.0 - shares["physics"] - shares["inference"], shares["inference"])
    parts = [part * rolling for part in own] + [updating]
    row["steps_per_second"] = round(steps / seconds)
    row |= {part: round(value / (rolling + updating), 4) for part, value in zip(NAMES, parts, strict=True)}
    return row


if __name__ == "__main__":
    tyro.cli(main)
