"""Returns of a policy: whole episodes, every simulation's first, on exact rewards."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import numpy as np

from morphnet.bodies import Body
from morphnet.policy import Policy
from morphnet.simulation import Simulation


class Controller(Protocol):
    """Whatever turns observations into actions."""

    def actions(self, observation: np.ndarray) -> np.ndarray:
        """(n, nu) actions in [-1, 1] for observations (n, D)."""


class RandomController:
    """Uniform actions, the floor of every score."""

    def __init__(self, body: Body, seed: int) -> None:
        """Seed the actions."""
        self._nu, self._rng = body.model.nu, np.random.default_rng(seed)

    def actions(self, observation: np.ndarray) -> np.ndarray:
        """(n, nu) uniform in [-1, 1]."""
        return self._rng.uniform(-1.0, 1.0, (len(observation), self._nu))


class PolicyController:
    """A policy's mean actions, over many simulations at once."""

    def __init__(self, policy: Policy) -> None:
        """Wrap ``policy``."""
        self._policy = policy

    def actions(self, observation: np.ndarray) -> np.ndarray:
        """(n, nu) mean actions."""
        return self._policy.actor.mean(observation)


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Undiscounted returns and lengths of episodes, each (episodes,)."""

    returns: np.ndarray
    lengths: np.ndarray

    def summary(self) -> dict[str, float | int]:
        """Return the numbers that result files hold."""
        return {
            "return_mean": float(self.returns.mean()),
            "return_std": float(self.returns.std()),
            "length_mean": float(self.lengths.mean()),
            "episodes": len(self.returns),
        }


def evaluate(body: Body, controller: Controller, episodes: int, seed: int) -> Evaluation:
    """Run episodes from the task's start states.

    Args:
        body: the body.
        controller: what drives it.
        episodes: number of episodes; all run at the same time.
        seed: seeds the start states.
    """
    simulation = Simulation(body, episodes, np.random.default_rng(seed), exact=True, nthread=2)
    returns, lengths = np.full(episodes, np.nan), np.zeros(episodes, np.int64)
    while np.isnan(returns).any():
        step = simulation.step(controller.actions(simulation.observation))
        first = np.isnan(returns[step.done_ids])
        returns[step.done_ids[first]] = step.episode_returns[first]
        lengths[step.done_ids[first]] = step.episode_lengths[first]
    return Evaluation(returns, lengths)
