"""Our rollouts, and their ceiling: the same physics replayed by bare ``mj_step`` on every core."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import Any

import mujoco
import numpy as np
import torch

from morphnet.bodies import Body
from morphnet.config import TrainConfig
from morphnet.embodiment import feature_sizes, tokens_of
from morphnet.learning.checkpoint import build_networks
from morphnet.learning.group import Workers, make_groups
from morphnet.learning.rollout import Rollout, RolloutCollector, collect_rollouts
from morphnet.simulation import ControlScale, Simulation


class Rollouts:
    """Training's own rollouts: generated actors of the default size with exploration, observations, rewards, resets.

    The networks are untrained, so that bodies fall, and are reset, as often as at the start of a training. Every
    run starts from the same states and random numbers, and is the same to the bit.

    Attributes:
        steps: environment steps a run.
        collectors: one a group of bodies.
    """

    def __init__(self, bodies: Sequence[Body], num_sims: int, horizon: int, threads: int, workers: Workers) -> None:
        """Build ``num_sims`` simulations a body; one body alone is cut into one part a thread."""
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
        networks = build_networks(feature_sizes(tokens_of(first.body, first.observer.layout)), config)
        with torch.no_grad():
            self._actors = [networks.actor(group.robots) for group in groups]
        self._start = [self._remember(c, b) for c in self.collectors for b in range(c.group.size)]

    def run(self) -> float:
        """Roll out; return environment steps a second."""
        self.rewind()
        start = time.perf_counter()
        self.collect()
        return self.steps / (time.perf_counter() - start)

    def collect(self) -> list[Rollout]:
        """Roll out from wherever the simulations are."""
        return collect_rollouts(self.collectors, self._actors, self._workers)

    def rewind(self) -> None:
        """Put simulations and random generators back to the start."""
        for simulation, state, resets, rng, noise in self._start:
            simulation.load_state_dict(state)
            simulation.rng_state, rng.bit_generator.state = resets, noise

    @staticmethod
    def _remember(collector: RolloutCollector, body: int) -> tuple[Any, ...]:
        simulation, rng = collector.group.simulations[body], collector.group.rngs[body]
        return simulation, simulation.state_dict(), simulation.rng_state, rng, rng.bit_generator.state


@dataclasses.dataclass(frozen=True)
class Recording:
    """What one simulation was told: enough to repeat its physics without us.

    Attributes:
        start: its data before the first step.
        ctrl: (T, nu).
        resets: step after which it was reset -> (qpos, qvel) it was put at.
        final: qpos after the last step, to prove that the replay is one.
    """

    start: mujoco.MjData
    ctrl: np.ndarray
    resets: dict[int, tuple[np.ndarray, np.ndarray]]
    final: np.ndarray


def record(rollouts: Rollouts) -> list[tuple[Body, list[Recording]]]:
    """Run the rollouts once, then once more step by step, and note what every simulation was told."""
    rollouts.rewind()
    actions = [rollout.action.numpy().copy() for rollout in rollouts.collect()]
    rollouts.rewind()
    return [
        _record_body(simulation, action[:, index, :, : simulation.body.model.nu])
        for collector, action in zip(rollouts.collectors, actions, strict=True)
        for index, simulation in enumerate(collector.group.simulations)
    ]


def _record_body(simulation: Simulation, actions: np.ndarray) -> tuple[Body, list[Recording]]:
    sims, kinematics = range(simulation.num_sims), simulation.kinematics
    starts = [simulation.get_data(sim) for sim in sims]
    resets: list[dict[int, tuple[np.ndarray, np.ndarray]]] = [{} for _ in sims]
    for t, action in enumerate(actions):
        for sim in simulation.step(action).done_ids:
            resets[sim][t] = kinematics.qpos[sim].copy(), kinematics.qvel[sim].copy()
    ctrl = ControlScale(simulation.body.model).to_ctrl(actions)
    finals = kinematics.qpos.copy()
    return simulation.body, [Recording(starts[s], ctrl[:, s].copy(), resets[s], finals[s]) for s in sims]


class Ceiling:
    """Replays recordings: ``mj_step(model, data, nstep)``, and ``mj_resetData`` where there was a reset."""

    def __init__(self, recordings: Sequence[tuple[Body, list[Recording]]], steps: int, threads: int, workers: Workers):
        """Share every body's simulations among the threads."""
        self._steps, self._workers = steps, workers
        self._jobs = [(body, found[part::threads]) for body, found in recordings for part in range(threads)]
        self._data = [[mujoco.MjData(body.model) for _ in found] for body, found in self._jobs]

    def run(self) -> float:
        """Replay everything; return environment steps a second."""
        for (body, found), datas in zip(self._jobs, self._data, strict=True):
            for recording, data in zip(found, datas, strict=True):
                mujoco.mj_copyData(data, body.model, recording.start)
        start = time.perf_counter()
        self._workers.map(self._replay, range(len(self._jobs)))
        return self._steps / (time.perf_counter() - start)

    def check(self) -> None:
        """Fail unless the last run ended where the recorded one did."""
        for (_, found), datas in zip(self._jobs, self._data, strict=True):
            for recording, data in zip(found, datas, strict=True):
                np.testing.assert_array_equal(data.qpos, recording.final)

    def _replay(self, job: int) -> None:
        (body, found), datas = self._jobs[job], self._data[job]
        model, skip = body.model, body.frame_skip
        simulations = [(data, data.ctrl, r.ctrl, r.resets) for data, r in zip(datas, found, strict=True)]
        for t in range(len(found[0].ctrl)):
            for data, ctrl, controls, resets in simulations:
                ctrl[:] = controls[t]
                mujoco.mj_step(model, data, skip)
                if t in resets:
                    mujoco.mj_resetData(model, data)
                    data.qpos[:], data.qvel[:] = resets[t]
