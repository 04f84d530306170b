"""Rollouts: a group's simulations driven by its generated actors.

Physics releases the interpreter's lock, so one group's physics overlaps another's observations and inference.
"""

from __future__ import annotations

import dataclasses
import time

import numpy as np
import torch
from torch import Tensor

from morphnet.learning.group import BodyGroup
from morphnet.networks import StackedActor


@dataclasses.dataclass
class Rollout:
    """What a group's B bodies did for T control steps, n simulations each; padded to the largest body.

    Attributes:
        observation: (T + 1, B, n, D). action: (T, B, n, A). noise: (T, B, n, A) in standard deviations.
        reward, ended: (T, B, n); ended is 1 for both kinds of ends.
        truncated: (t, body, sim, final observation) of every truncated episode.
        episodes: (body, return, length) of every episode that ended.
        seconds: time spent, by what it was spent on.
    """

    observation: Tensor
    action: Tensor
    noise: Tensor
    reward: Tensor
    ended: Tensor
    truncated: list[tuple[int, int, int, np.ndarray]]
    episodes: list[tuple[int, float, int]]
    seconds: dict[str, float]


class RolloutCollector:
    """Collects rollouts of one group into buffers that are allocated once."""

    def __init__(self, group: BodyGroup, horizon: int) -> None:
        """Allocate for ``horizon`` control steps."""
        self._group, self._horizon = group, horizon
        bodies, sims = group.size, group.simulations[0].num_sims
        observed, acted = group.robots.entry_mask.shape[1], group.robots.action_mask.shape[1]
        self._observation = torch.zeros(horizon + 1, bodies, sims, observed)
        self._action = torch.zeros(horizon, bodies, sims, acted)
        self._noise = torch.zeros(horizon, bodies, sims, acted)
        self._reward = torch.zeros(horizon, bodies, sims)
        self._ended = torch.zeros(horizon, bodies, sims)

    @torch.no_grad()
    def collect(self, actor: StackedActor) -> Rollout:
        """Run every simulation for the horizon under ``actor``; the buffers are overwritten the next time."""
        seconds = {"physics": 0.0, "observation": 0.0, "inference": 0.0}
        rollout = Rollout(self._observation, self._action, self._noise, self._reward, self._ended, [], [], seconds)
        std = actor.log_std.exp()
        for body in range(self._group.size):
            self._write_observation(0, body)
        for t in range(self._horizon):
            start = time.perf_counter()
            self._draw_noise(t)
            self._action[t] = actor.mean(self._observation[t]) + std * self._noise[t]
            acted = time.perf_counter()
            physics = sum(self._step(t, body, rollout) for body in range(self._group.size))
            seconds["inference"] += acted - start
            seconds["physics"] += physics
            seconds["observation"] += time.perf_counter() - acted - physics
        return rollout

    def _draw_noise(self, t: int) -> None:
        for body, (simulation, rng) in enumerate(zip(self._group.simulations, self._group.rngs, strict=True)):
            nu = simulation.body.model.nu
            noise = rng.standard_normal((simulation.num_sims, nu), np.float32)
            self._noise[t, body, :, :nu] = torch.from_numpy(noise)

    def _step(self, t: int, body: int, rollout: Rollout) -> float:
        """Step one body's simulations; return the seconds of physics."""
        simulation = self._group.simulations[body]
        physics = simulation.physics_seconds
        step = simulation.step(self._action[t, body].numpy()[:, : simulation.body.model.nu])
        self._reward[t, body] = torch.from_numpy(step.reward.total)
        self._ended[t, body] = torch.from_numpy(step.terminated | step.truncated)
        for row, sim in enumerate(step.done_ids):
            rollout.episodes.append((body, float(step.episode_returns[row]), int(step.episode_lengths[row])))
            if step.truncated[sim]:
                rollout.truncated.append((t, body, int(sim), step.final_observation[row]))
        self._write_observation(t + 1, body)
        return simulation.physics_seconds - physics

    def _write_observation(self, t: int, body: int) -> None:
        observation = self._group.simulations[body].observation
        self._observation[t, body, :, : observation.shape[1]] = torch.from_numpy(observation)
