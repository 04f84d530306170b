"""Rollouts: every body's simulations driven by its generated actor, on a thread a core.

Bodies are split into as many groups as there are threads. A group runs its whole horizon alone: physics
releases the interpreter's lock, so one group's physics overlaps the other's observations and inference.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from morphnet.networks import StackedActor
from morphnet.simulation import Simulation


@dataclasses.dataclass
class Episodes:
    """Episodes that ended during a rollout: one list of returns and of lengths a body."""

    returns: list[list[float]]
    lengths: list[list[int]]


@dataclasses.dataclass
class Rollout:
    """What all bodies did for T control steps, padded to the largest observation and action.

    Attributes:
        observation: (T + 1, B, n, D). action: (T, B, n, A). noise: (T, B, n, A) in standard deviations.
        reward, ended, truncated: (T, B, n); ended counts both kinds of ends.
        final_observation: (T, B, n) -> a list of (t, body, sim, observation) for truncated episodes.
        episodes: the episodes that ended.
        seconds: time spent by all threads together, by what it was spent on.
    """

    observation: Tensor
    action: Tensor
    noise: Tensor
    reward: Tensor
    ended: Tensor
    truncated: list[tuple[int, int, int, np.ndarray]]
    episodes: Episodes
    seconds: dict[str, float]


class RolloutCollector:
    """Collects rollouts into buffers that are allocated once."""

    def __init__(self, simulations: Sequence[Simulation], horizon: int, seed: int, threads: int) -> None:
        """Allocate.

        Args:
            simulations: one a body, all with the same number of simulations.
            horizon: control steps a rollout.
            seed: seeds the exploration noise, body by body.
            threads: groups that run at the same time.
        """
        self._simulations = simulations
        self._groups = [slice(*bounds) for bounds in _balanced(simulations, threads)]
        self._pool = ThreadPoolExecutor(max_workers=threads)
        count, sims = len(simulations), simulations[0].num_sims
        observed = max(s.observer.size for s in simulations)
        acted = max(s.body.model.nu for s in simulations)
        self._observation = torch.zeros(horizon + 1, count, sims, observed)
        self._action = torch.zeros(horizon, count, sims, acted)
        self._noise = torch.zeros(horizon, count, sims, acted)
        self._reward = torch.zeros(horizon, count, sims)
        self._ended = torch.zeros(horizon, count, sims)
        self._rngs = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(count)]

    def collect(self, actor: StackedActor) -> Rollout:
        """Run every simulation for the horizon under ``actor``."""
        parts = list(self._pool.map(lambda group: self._run(group, actor.select(group)), self._groups))
        count = len(self._simulations)
        episodes = Episodes([[] for _ in range(count)], [[] for _ in range(count)])
        truncated: list[tuple[int, int, int, np.ndarray]] = []
        seconds = {"physics": 0.0, "observation": 0.0, "inference": 0.0}
        for part in parts:
            truncated += part.truncated
            for body, value, length in part.ended:
                episodes.returns[body].append(value)
                episodes.lengths[body].append(length)
            for name, spent in part.seconds.items():
                seconds[name] += spent
        return Rollout(
            self._observation, self._action, self._noise, self._reward, self._ended, truncated, episodes, seconds
        )

    @torch.no_grad()
    def _run(self, group: slice, actor: StackedActor) -> _Part:
        torch.set_num_threads(1)
        part = _Part()
        std = actor.log_std.exp()
        bodies = range(group.start, group.stop)
        for body in bodies:
            self._write_observation(0, body)
        for t in range(len(self._action)):
            start = time.perf_counter()
            for body in bodies:
                nu = self._simulations[body].body.model.nu
                noise = self._noise[t, body].numpy()
                noise[:, :nu] = self._rngs[body].standard_normal((len(noise), nu), np.float32)
            mean = actor.mean(self._observation[t, group])
            self._action[t, group] = mean + std * self._noise[t, group]
            part.seconds["inference"] += time.perf_counter() - start
            for body in bodies:
                self._step(t, body, part)
        return part

    def _step(self, t: int, body: int, part: _Part) -> None:
        start = time.perf_counter()
        simulation = self._simulations[body]
        physics = simulation.physics_seconds
        step = simulation.step(self._action[t, body].numpy()[:, : simulation.body.model.nu])
        self._reward[t, body] = torch.from_numpy(step.reward.total)
        self._ended[t, body] = torch.from_numpy(step.terminated | step.truncated)
        for row, sim in enumerate(step.done_ids):
            part.ended.append((body, float(step.episode_returns[row]), int(step.episode_lengths[row])))
            if step.truncated[sim]:
                part.truncated.append((t, body, int(sim), step.final_observation[row]))
        self._write_observation(t + 1, body)
        physics = simulation.physics_seconds - physics
        part.seconds["physics"] += physics
        part.seconds["observation"] += time.perf_counter() - start - physics

    def _write_observation(self, t: int, body: int) -> None:
        observation = self._simulations[body].observation
        self._observation[t, body, :, : observation.shape[1]] = torch.from_numpy(observation)

    def rng_states(self) -> list[dict]:  # type: ignore[type-arg]
        """States of the exploration noise, as JSON can hold them."""
        return [dict(rng.bit_generator.state) for rng in self._rngs]

    def set_rng_states(self, states: list[dict]) -> None:  # type: ignore[type-arg]
        """Continue the exploration noise from ``rng_states``."""
        for rng, state in zip(self._rngs, states, strict=True):
            rng.bit_generator.state = state

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown()


@dataclasses.dataclass
class _Part:
    """What one group reports."""

    ended: list[tuple[int, float, int]] = dataclasses.field(default_factory=list)
    truncated: list[tuple[int, int, int, np.ndarray]] = dataclasses.field(default_factory=list)
    seconds: dict[str, float] = dataclasses.field(
        default_factory=lambda: {"physics": 0.0, "observation": 0.0, "inference": 0.0}
    )


def _balanced(simulations: Sequence[Simulation], groups: int) -> list[tuple[int, int]]:
    """Cut the bodies into contiguous groups of about equal cost; ``by_cost`` has put them in order."""
    costs = np.array([simulation_cost(s) for s in simulations])
    groups = min(groups, len(costs))
    ends = np.cumsum(costs) / costs.sum()
    cuts = [0, *(int(np.searchsorted(ends, g / groups)) + 1 for g in range(1, groups)), len(costs)]
    return [(a, b) for a, b in zip(cuts, cuts[1:], strict=False) if b > a]


def simulation_cost(simulation: Simulation) -> float:
    """Estimate the cost of a control step, from sizes alone so that runs repeat: microseconds, roughly."""
    model, skip = simulation.body.model, simulation.body.frame_skip
    stages = 4 if model.opt.integrator == 1 else 1
    return 10.0 + skip * stages * (1.0 + 0.25 * model.nv + 0.15 * model.ngeom)
