"""Tracking: how closely a body follows demonstrations, told from its observations alone; no reward is read.

A state is worth the more, the nearer some demonstrated state is (any: the phase of a gait is free) and the nearer the
body's speed over the last half second is to the demonstrated one. Speed is judged by itself because standing in a
demonstrated pose is near the demonstration as well. A body that has left the limits of its task gains nothing more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch

from morphnet.bodies import Body
from morphnet.demonstrations import Demonstration, observations_of
from morphnet.policy import ActorWeights
from morphnet.simulation import ObservationLayout, Observer, Simulation
from morphnet.simulation.observation_kernel import SPEED

LARGEST = 2000
"""Demonstrated states that are compared with; more are thinned out evenly."""
SMALLEST_SPREAD = 0.1
"""Entries that hardly vary in a demonstration would otherwise outweigh all others; in observations' scaled units."""
SHARPNESS = 4.0
"""Likeness is exp(-SHARPNESS d^2), d^2 the mean square of the differences in standard deviations."""
MEMORY = 0.5
"""Seconds over which a body's speed is averaged."""
SLOWEST = 0.1
"""Deviations of speed count in shares of the demonstrated speed, or of this (m/s) where that is lower."""


@dataclasses.dataclass(frozen=True)
class Following:
    """How an actor followed demonstrations over whole episodes, means of them.

    Attributes:
        score: worth a control step, from 0 to 1; after a fall it is 0.
        survival: share of the longest episode that was sustained.
        speed: along the task's direction while it lasted (m/s).
        likeness: of states to the nearest demonstrated ones while it lasted, from 0 to 1.
    """

    score: float
    survival: float
    speed: float
    likeness: float


class Tracking:
    """Worth of states, between 0 and 1, and of whole episodes.

    Attributes:
        speed: demonstrated speed (m/s) along the task's direction, over the last quarter of each demonstration.
        longest: control steps for which an episode is to be sustained: the task's longest, or as long as the
            demonstrator lasted on average where all its episodes ended in a fall.
    """

    def __init__(self, body: Body, demonstrations: Sequence[Demonstration]) -> None:
        """Observe the demonstrations."""
        self._body = body
        layout = Observer(body).layout
        observed = [observations_of(body, demonstration) for demonstration in demonstrations]
        self._velocity = _velocity_entries(layout)
        self.speed = float(np.mean([self.speeds(o[-max(len(o) // 4, 1) :]).mean() for o in observed]))
        states = np.concatenate(observed)
        states = states[np.unique(np.linspace(0, len(states) - 1, LARGEST).round().astype(int))]
        spread = np.maximum(states.std(axis=0), SMALLEST_SPREAD)
        self._weight = torch.from_numpy((1.0 / spread / np.sqrt(layout.size)).astype(np.float32))
        self._states = torch.from_numpy(states) * self._weight
        self._decay = float(np.exp(-body.control_step / MEMORY))
        fell = all(demonstration.terminated for demonstration in demonstrations)
        steps = np.mean([len(demonstration) for demonstration in demonstrations])
        self.longest = max(1, round(float(steps))) if fell else body.task.max_episode_steps

    def likeness(self, observation: np.ndarray) -> np.ndarray:
        """Likeness (...) of observations (..., D) to the nearest demonstrated one, 1 where they are equal."""
        rows = torch.from_numpy(np.ascontiguousarray(observation)).flatten(0, -2) * self._weight
        nearest = torch.cat([torch.cdist(part, self._states).amin(dim=1) for part in rows.split(1024)])
        return np.asarray(torch.exp(-SHARPNESS * nearest.square()).view(observation.shape[:-1]))

    def speeds(self, observation: np.ndarray) -> np.ndarray:
        """Speed (...) along the task's direction (m/s) at observations (..., D)."""
        speed = np.zeros(observation.shape[:-1])
        for velocity, direction in self._velocity:
            speed += observation[..., velocity] * observation[..., direction] / SPEED
        return speed

    def worth(self, observation: np.ndarray, begins: np.ndarray, smooth: np.ndarray) -> np.ndarray:
        """Worth (T, n) of successive observations (T, n, D).

        Args:
            observation: of n simulations.
            begins: (T, n) bool, where an episode begins.
            smooth: (n,) speeds averaged so far; brought up to date.
        """
        likeness = self.likeness(observation)
        if not self._velocity:
            return likeness
        speeds, keeping = self.speeds(observation), np.empty(likeness.shape)
        for t, speed in enumerate(speeds):
            smooth[begins[t]] = self.speed  # a body that has only just begun is not held to be slow
            smooth += (1.0 - self._decay) * (speed - smooth)
            keeping[t] = np.abs(smooth - self.speed)
        keeping = np.maximum(1.0 - keeping / max(abs(self.speed), SLOWEST), 0.0)
        return 0.5 * (likeness + keeping)

    def follow(self, actor: ActorWeights, episodes: int, seed: int) -> Following:
        """Let an actor drive whole episodes from the task's start states."""
        simulation = Simulation(self._body, episodes, np.random.default_rng(seed), nthread=2)
        observed: list[np.ndarray] = []
        alive = [np.ones(episodes, bool)]
        while len(observed) < self.longest and alive[-1].any():
            observed.append(simulation.observation)
            step = simulation.step(actor.mean(simulation.observation))
            alive.append(alive[-1] & ~(step.terminated | step.truncated))
        lived, states = np.array(alive[: len(observed)]), np.array(observed)
        begins = np.zeros(lived.shape, bool)
        begins[0] = True
        worth = self.worth(states, begins, np.full(episodes, self.speed)) * lived
        count = max(lived.sum(), 1)
        return Following(
            score=float(worth.sum() / (self.longest * episodes)),
            survival=float(lived.sum() / (self.longest * episodes)),
            speed=float((self.speeds(states) * lived).sum() / count),
            likeness=float((self.likeness(states) * lived).sum() / count),
        )


def _velocity_entries(layout: ObservationLayout) -> list[tuple[int, int]]:
    """Entries of the root's horizontal velocity, each with the task direction's entry of that axis."""
    names = list(layout.names)
    pairs = (("root/root/velocity_x", "task/task/direction_x"), ("root/root/velocity_y", "task/task/direction_y"))
    return [(names.index(v), names.index(d)) for v, d in pairs if v in names and d in names]
