"""Rollouts: simulations driven by their generated actors.

Each body is run for the whole horizon by itself: nothing of it depends on another, so a thread that is done takes
the next body, and both threads are busy to the end. Physics, compiled loops and torch all release the
interpreter's lock; what holds it is a few microseconds a control step.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from morphnet.learning.group import BodyGroup, Workers, step_cost
from morphnet.networks import StackedActor, StackedMLP


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
        self.group, self._horizon = group, horizon
        bodies, sims = group.size, group.simulations[0].num_sims
        observed, acted = group.robots.entry_mask.shape[1], group.robots.action_mask.shape[1]
        self._observation = torch.zeros(horizon + 1, bodies, sims, observed)
        self._action = torch.zeros(horizon, bodies, sims, acted)
        self._noise = torch.zeros(horizon, bodies, sims, acted)
        self._reward = torch.zeros(horizon, bodies, sims)
        self._ended = torch.zeros(horizon, bodies, sims)

    def collect(self, actor: StackedActor) -> Rollout:
        """Run every simulation for the horizon under ``actor``; the buffers are overwritten the next time."""
        return self.join([self.collect_body(actor, body) for body in range(self.group.size)])

    def join(self, parts: Sequence[Rollout]) -> Rollout:
        """Put together what ``collect_body`` returned for every body."""
        return dataclasses.replace(
            parts[0],
            truncated=[end for part in parts for end in part.truncated],
            episodes=[episode for part in parts for episode in part.episodes],
            seconds={name: sum(part.seconds[name] for part in parts) for name in parts[0].seconds},
        )

    @torch.no_grad()
    def collect_body(self, actor: StackedActor, body: int) -> Rollout:
        """Run one body's simulations for the horizon, and fill in its part of the rollout."""
        simulation, rng = self.group.simulations[body], self.group.rngs[body]
        sims, nu = simulation.num_sims, simulation.body.model.nu
        buffers = (self._observation, self._action, self._noise, self._reward, self._ended)
        rollout = Rollout(*buffers, [], [], {"physics": 0.0, "observation": 0.0, "inference": 0.0})
        seen = self._observation[:, body, :, : simulation.observer.size]
        seen[0] = torch.from_numpy(simulation.observation)
        # one call gives the numbers that one a step would
        noise = torch.from_numpy(rng.standard_normal((self._horizon, sims, nu), np.float32))
        self._noise[:, body, :, :nu] = noise
        mean = _BodyMean(actor.mean.select(slice(body, body + 1)), sims, simulation.observer.size, nu)
        wandering = mean.bias + actor.log_std[body, :, :nu].exp() * noise
        action = torch.empty_like(noise)
        physics, start = simulation.physics_seconds, time.perf_counter()
        observations, actions = seen.unbind(), action.unbind()
        rows = (self._observation.numpy()[1:, body], action.numpy())
        for t, (out, driven) in enumerate(zip(*rows, strict=True)):
            before = time.perf_counter()
            mean.add(observations[t], wandering[t], actions[t])
            rollout.seconds["inference"] += time.perf_counter() - before
            self._step(t, body, driven, out, rollout)
        self._action[:, body, :, :nu] = action
        rollout.seconds["physics"] = simulation.physics_seconds - physics
        spent = rollout.seconds["physics"] + rollout.seconds["inference"]
        rollout.seconds["observation"] = time.perf_counter() - start - spent
        return rollout

    def _step(self, t: int, body: int, action: np.ndarray, out: np.ndarray, rollout: Rollout) -> None:
        """Step one body's simulations, whose observations go to ``out``."""
        step = self.group.simulations[body].step(action, out)
        self._reward.numpy()[t, body] = step.reward.total
        self._ended.numpy()[t, body] = step.terminated | step.truncated
        for row, sim in enumerate(step.done_ids):
            rollout.episodes.append((body, float(step.episode_returns[row]), int(step.episode_lengths[row])))
            if step.truncated[sim]:
                rollout.truncated.append((t, body, int(sim), step.final_observation[row]))


class _BodyMean:
    """One body's perceptron, cut out of its stack and run without allocating."""

    def __init__(self, stack: StackedMLP, sims: int, inputs: int, outputs: int) -> None:
        first, second, third = (weight[0] for weight in stack.weights)
        one, two, three = (bias[0] for bias in stack.biases)
        self._weights = (first[:inputs].contiguous(), second.contiguous(), third[:, :outputs].contiguous())
        self._biases = (one, two)
        self._hidden = (torch.empty(sims, first.shape[1]), torch.empty(sims, second.shape[1]))
        self.bias = three[:, :outputs]

    def add(self, observation: Tensor, start: Tensor, out: Tensor) -> None:
        """Write ``start`` plus the mean action, but for the last layer's ``bias``, to ``out``."""
        (one, two), (first, second) = self._biases, self._hidden
        torch.addmm(one, observation, self._weights[0], out=first).tanh_()
        torch.addmm(two, first, self._weights[1], out=second).tanh_()
        torch.addmm(start, second, self._weights[2], out=out)


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
