"""Our rollouts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from morphnet.bodies import Body
from morphnet.config import TrainConfig
from morphnet.embodiment import feature_sizes, tokens_of
from morphnet.learning.checkpoint import Networks, build_networks
from morphnet.learning.group import Workers, make_groups
from morphnet.learning.rollout import Rollout, RolloutCollector, collect_rollouts
from morphnet.simulation import Simulation


class Rollouts:
    """Training's own rollouts: generated actors of the default size with exploration, observations, rewards, resets.

    Unless others are given, networks are untrained, so that bodies fall, and are reset, as often as at the start of a
    training. Every run starts from the same states and random numbers, and is the same to the bit.

    Attributes:
        steps: environment steps a run.
        actors: what drives each group.
        collectors: one a group of bodies.
    """

    def __init__(
        self,
        bodies: Sequence[Body],
        num_sims: int,
        horizon: int,
        threads: int,
        workers: Workers,
        networks: Networks | None = None,
    ) -> None:
        """Build ``num_sims`` simulations a body; one body alone is cut into one part a thread.

        ``networks`` are trained ones, in place of untrained.
        """
        if len(bodies) == 1:
            bodies, num_sims = list(bodies) * threads, num_sims // threads
        config = TrainConfig(num_sims=num_sims, horizon=horizon, threads=threads)
        pairs = [
            (body.name, Simulation(body, num_sims, np.random.default_rng([0, i]))) for i, body in enumerate(bodies)
        ]
        for _, simulation in pairs:
            simulation.stagger()
        groups = make_groups(pairs, [np.random.default_rng([1, i]) for i in range(len(bodies))], threads)
        self.collectors = [RolloutCollector(group, horizon) for group in groups]
        self.steps = len(bodies) * num_sims * horizon
        self._workers = workers
        torch.manual_seed(0)
        first = groups[0].simulations[0]
        networks = networks or build_networks(feature_sizes(tokens_of(first.body, first.observer.layout)), config)
        with torch.no_grad():
            self.actors = [networks.actor(group.robots) for group in groups]
        self._start = [self._remember(c, b) for c in self.collectors for b in range(c.group.size)]

    def run(self) -> float:
        """Roll out; return environment steps a second."""
        self.rewind()
        start = time.perf_counter()
        self.collect()
        return self.steps / (time.perf_counter() - start)

    def collect(self) -> list[Rollout]:
        """Roll out from wherever the simulations are."""
        return collect_rollouts(self.collectors, self.actors, self._workers)

    def rewind(self) -> None:
        """Put simulations and random generators back to the start."""
        for simulation, state, resets, rng, noise in self._start:
            simulation.load_state_dict(state)
            simulation.rng_state, rng.bit_generator.state = resets, noise

    @staticmethod
    def _remember(collector: RolloutCollector, body: int) -> tuple[Any, ...]:
        simulation, rng = collector.group.simulations[body], collector.group.rngs[body]
        return simulation, simulation.state_dict(), simulation.rng_state, rng, rng.bit_generator.state
