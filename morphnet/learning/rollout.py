"""Rollouts: simulations driven by their generated actors.

Each body is run for the whole horizon by itself: nothing of it depends on another, so a thread that is done takes
the next body, and both threads are busy to the end. A body's horizon is one compiled call, which holds no lock; it is
taken up again wherever start states, which are drawn ahead in Python, have run low.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from morphnet.learning.actor_kernel import cut_out
from morphnet.learning.group import BodyGroup, Workers, step_cost
from morphnet.learning.rollout_kernel import SIGNATURE, Room, roll
from morphnet.networks import StackedActor
from morphnet.simulation import Simulation
from morphnet.simulation.compiled import compiled


@dataclasses.dataclass
class Rollout:
    """What a group's B bodies did for T control steps, n simulations each; padded to the largest body.

    Attributes:
        observation: (T + 1, B, n, D). action: (T, B, n, A). noise: (T, B, n, A) in standard deviations.
        reward, ended: (T, B, n); ended is 1 for both kinds of ends.
        truncated: (t, body, sim, final observation) of every truncated episode.
        episodes: (body, return, length) of every episode that ended.
    """

    observation: Tensor
    action: Tensor
    noise: Tensor
    reward: Tensor
    ended: Tensor
    truncated: list[tuple[int, int, int, np.ndarray]]
    episodes: list[tuple[int, float, int]]


def side_by_side(rollouts: Sequence[Rollout]) -> Rollout:
    """Put rollouts of the same bodies together, as if all simulations had been one batch."""
    names = ("observation", "action", "noise", "reward", "ended")
    joined = [torch.cat([getattr(rollout, name) for rollout in rollouts], dim=2) for name in names]
    first = np.cumsum([0] + [rollout.reward.shape[2] for rollout in rollouts]).tolist()
    truncated = [
        (t, body, sim + start, final)
        for rollout, start in zip(rollouts, first, strict=False)
        for t, body, sim, final in rollout.truncated
    ]
    observation, action, noise, reward, ended = joined
    episodes = [episode for rollout in rollouts for episode in rollout.episodes]
    return Rollout(observation, action, noise, reward, ended, truncated, episodes)


class RolloutCollector:
    """Collects rollouts of one group into buffers that are allocated once."""

    def __init__(self, group: BodyGroup, horizon: int) -> None:
        """Allocate for ``horizon`` control steps."""
        self.group, self._horizon = group, horizon
        bodies, sims = group.size, group.simulations[0].num_sims
        observed, acted = group.robots.entry_mask.shape[1], group.robots.action_mask.shape[1]
        self._observation = torch.zeros(horizon + 1, bodies, sims, observed)
        self._action = torch.zeros(horizon, bodies, sims, acted)
        self._noise = torch.zeros(horizon, bodies, sims, acted)
        self._reward = torch.zeros(horizon, bodies, sims)
        self._ended = torch.zeros(horizon, bodies, sims)
        self._roll = compiled(roll, *SIGNATURE)

    def collect(self, actor: StackedActor) -> Rollout:
        """Run every simulation for the horizon under ``actor``; the buffers are overwritten the next time."""
        return self.join([self.collect_body(actor, body) for body in range(self.group.size)])

    def join(self, parts: Sequence[Rollout]) -> Rollout:
        """Put together what ``collect_body`` returned for every body."""
        return dataclasses.replace(
            parts[0],
            truncated=[end for part in parts for end in part.truncated],
            episodes=[episode for part in parts for episode in part.episodes],
        )

    @torch.no_grad()
    def collect_body(self, actor: StackedActor, body: int) -> Rollout:
        """Run one body's simulations for the horizon, and fill in its part of the rollout.

        Raises:
            SimulationError: every simulation has diverged for several steps in a row.
        """
        simulation, rng = self.group.simulations[body], self.group.rngs[body]
        sims, nu, size = simulation.num_sims, simulation.body.model.nu, simulation.observer.size
        # one call gives the numbers that one a step would
        noise = rng.standard_normal((self._horizon, sims, nu), np.float32)
        self._noise[:, body, :, :nu] = torch.from_numpy(noise)
        perceptron, bias = cut_out(actor.mean, body, sims, size, nu)
        drift = bias + actor.log_std[body, :, :nu].exp().numpy() * noise
        observation = self._observation.numpy()[:, body]
        observation[0, :, :size] = simulation.observation
        log = _Log(simulation, self._horizon)
        written = (self._action.numpy()[:, body], self._reward.numpy()[:, body], self._ended.numpy()[:, body])
        given = (simulation.setting, perceptron, Room.for_rollouts(simulation), simulation.tally, log.progress, drift)
        while log.progress[0] < self._horizon:
            simulation.fill()
            self._roll(*given, observation, written[0][:, :, :nu], *written[1:], *log.arrays)
            simulation.check()
        simulation.see(observation[-1])
        buffers = (self._observation, self._action, self._noise, self._reward, self._ended)
        return Rollout(*buffers, *log.read(body))


class _Log:
    """Room for what a compiled rollout notes of ends, and how it is read."""

    def __init__(self, simulation: Simulation, horizon: int) -> None:
        sims = simulation.num_sims
        cuts = sims * (horizon // simulation.body.task.max_episode_steps + 1)
        self._lengths, self._returns = np.empty(horizon * sims, np.int64), np.empty(horizon * sims)
        self._cuts, self._finals = np.empty((cuts, 2), np.int64), np.empty((cuts, simulation.observer.size), np.float32)
        self.progress = np.zeros(3, np.int64)
        self.arrays = (self._lengths, self._returns, self._cuts, self._finals)

    def read(self, body: int) -> tuple[list[tuple[int, int, int, np.ndarray]], list[tuple[int, float, int]]]:
        """Return what ``Rollout`` calls truncated and episodes."""
        _, episodes, cuts = self.progress
        ends = zip(self._returns[:episodes].tolist(), self._lengths[:episodes].tolist(), strict=True)
        truncated = zip(self._cuts[:cuts].tolist(), self._finals[:cuts], strict=True)
        return [(t, body, sim, final) for (t, sim), final in truncated], [(body, *end) for end in ends]


def collect_rollouts(
    collectors: Sequence[RolloutCollector], actors: Sequence[StackedActor], workers: Workers
) -> list[Rollout]:
    """Collect the rollouts of all groups; the costliest bodies first, so that all threads end at the same time.

    What is collected does not depend on which thread runs which body.

    Args:
        collectors: one a group.
        actors: one a group.
        workers: the threads.
    """
    jobs = [(group, body) for group, collector in enumerate(collectors) for body in range(collector.group.size)]
    order = sorted(jobs, key=lambda job: -step_cost(collectors[job[0]].group.simulations[job[1]]))
    collected = workers.map(lambda job: collectors[job[0]].collect_body(actors[job[0]], job[1]), order)
    parts = dict(zip(order, collected, strict=True))
    return [
        collector.join([parts[group, body] for body in range(collector.group.size)])
        for group, collector in enumerate(collectors)
    ]
