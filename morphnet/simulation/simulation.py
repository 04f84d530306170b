"""Simulation: n simulations of one body, run as a reinforcement-learning environment."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import mujoco
import numpy as np
from mujoco.batch import Batch

from morphnet.bodies import Body
from morphnet.errors import SimulationError
from morphnet.simulation.control import ControlScale
from morphnet.simulation.kinematics import Kinematics
from morphnet.simulation.observation import Observer
from morphnet.simulation.reward import ContactCost, Health, Progress, Reward

_STALE, _FRESH = mujoco.mjtStage.mjSTAGE_NONE.value, mujoco.mjtStage.mjSTAGE_VEL.value
_DIVERGED = [
    int(w)
    for w in (mujoco.mjtWarning.mjWARN_BADQPOS, mujoco.mjtWarning.mjWARN_BADQVEL, mujoco.mjtWarning.mjWARN_BADQACC)
]
_MAX_FAILURES = 5
"""Control steps in a row in which every simulation diverges, after which the physics is declared broken."""


@dataclasses.dataclass
class Step:
    """What one control step of n simulations gave.

    Attributes:
        reward: the terms, each (n,).
        terminated: (n,) bool, the task's limits were left (or the physics diverged).
        truncated: (n,) bool, the episode reached its longest.
        done_ids: (m,) simulations that ended and were reset.
        final_observation: (m, size) observations before that reset.
        final_qpos: (m, nq) positions before that reset.
        episode_returns: (m,) summed rewards of the episodes that ended.
        episode_lengths: (m,) their lengths.
    """

    reward: Reward
    terminated: np.ndarray
    truncated: np.ndarray
    done_ids: np.ndarray
    final_observation: np.ndarray
    final_qpos: np.ndarray
    episode_returns: np.ndarray
    episode_lengths: np.ndarray


class Simulation:
    """A batch of simulations with observations, rewards, terminations and automatic resets.

    Attributes:
        body: the body.
        observation: (n, size) float32, of the present states.
        direction: (n, 2) world direction in which each simulation is to run.
        diverged: how many simulations have diverged and been reset so far.
        physics_seconds: time spent inside ``mj_step``, for the split that training reports.
    """

    def __init__(
        self, body: Body, num_sims: int, rng: np.random.Generator, *, exact: bool = False, nthread: int = 1
    ) -> None:
        """Allocate and reset.

        Args:
            body: the body.
            num_sims: number of simulations.
            rng: source of the reset noise.
            exact: whether contact costs are computed, where the task has them.
            nthread: physics threads.
        """
        self.body = body
        self.diverged = 0
        self.physics_seconds = 0.0
        self._rng = rng
        self._batch = Batch(body.model, num_sims, nthread, persistent=True)
        self._kinematics = Kinematics.of_batch(self._batch)
        self._observer = Observer(body)
        self._controls = ControlScale(body.model)
        self._progress = Progress(body, self._batch)
        self._health = Health(body)
        self._contact = ContactCost(body, self._batch) if exact and body.task.contact_cost else None
        self._warned: np.ndarray = np.zeros(num_sims, np.int64)
        self._reads_stale = self._progress.is_stale or self._contact is not None
        self._age = np.zeros(num_sims, np.int64)
        # kept from step to step: Gymnasium's "before" is what the step before left, stale as it may be
        self._position = np.zeros((num_sims, 2))
        self._return = np.zeros(num_sims)
        self._failures = 0
        self.direction = np.tile(np.array(body.task.direction), (num_sims, 1))
        self._reset(np.arange(num_sims))
        self.observation = self._observer.observe(self._kinematics, self.direction)

    @property
    def num_sims(self) -> int:
        """Number of simulations."""
        return int(self._batch.nsim)

    @property
    def observer(self) -> Observer:
        """What turns states into observations."""
        return self._observer

    @property
    def kinematics(self) -> Kinematics:
        """Live states and derived fields."""
        return self._kinematics

    def get_data(self, sim: int) -> mujoco.MjData:
        """Copy one simulation out, to render it or to hand it to anyone's policy."""
        data: mujoco.MjData = self._batch.get_data(sim)
        return data

    def stagger(self) -> None:
        """Spread the episodes' ages evenly, so that they do not all end at the same step."""
        self._age[:] = self._rng.integers(0, self.body.task.max_episode_steps, self.num_sims)

    def set_state(self, qpos: np.ndarray, qvel: np.ndarray, sim: int = 0) -> None:
        """Put one simulation at a state, at the start of an episode."""
        ids = np.array([sim])
        self._batch.reset(ids, stage=_STALE)
        self._kinematics.qpos[sim], self._kinematics.qvel[sim] = qpos, qvel
        self._batch.forward(ids, stage=_FRESH)
        self._position[sim] = self._progress.read()[sim]
        self._age[sim], self._return[sim] = 0, 0.0
        self.observation = self._observer.observe(self._kinematics, self.direction)

    def reset(self, rng: np.random.Generator | None = None) -> np.ndarray:
        """Start every simulation anew; return the observation."""
        self._rng = rng or self._rng
        self._reset(np.arange(self.num_sims))
        self.observation = self._observer.observe(self._kinematics, self.direction)
        return self.observation

    def step(self, action: np.ndarray) -> Step:
        """Advance one control step.

        Args:
            action: (n, nu) in [-1, 1] over the control range; clipped.

        Raises:
            SimulationError: every simulation has diverged for several steps in a row.
        """
        self._kinematics.ctrl[:] = self._controls.to_ctrl(np.nan_to_num(action))
        start = time.perf_counter()
        self._batch.step(nstep=self.body.frame_skip, stage=_STALE if self._reads_stale else _FRESH)
        self.physics_seconds += time.perf_counter() - start
        warned, self._warned = self._warned, self._warnings()
        diverged = (self._warned != warned) | ~np.isfinite(self._kinematics.qpos).all(axis=1)
        before, self._position = self._position, self._progress.read()
        contact = self._contact() if self._contact else np.zeros(self.num_sims)
        if self._reads_stale:
            self._batch.forward(stage=_FRESH)
        return self._finish(self._position - before, contact, diverged)

    def _finish(self, moved: np.ndarray, contact: np.ndarray, diverged: np.ndarray) -> Step:
        k = self._kinematics
        healthy = self._health(k.qpos, k.qvel, k.xmat) & ~diverged
        reward = self._reward(moved, contact, healthy, diverged)
        self._count(diverged)
        self._age += 1
        self._return += reward.total
        terminated = ~healthy if self._ends else diverged.copy()
        truncated = (self._age >= self.body.task.max_episode_steps) & ~terminated
        done_ids = np.flatnonzero(terminated | truncated)
        self.observation = self._observer.observe(k, self.direction)
        final, final_qpos = np.nan_to_num(self.observation[done_ids]), k.qpos[done_ids]
        returns, lengths = self._return[done_ids].copy(), self._age[done_ids].copy()
        if len(done_ids):
            self._reset(done_ids)
            rows = self._kinematics.rows(done_ids)
            self.observation[done_ids] = self._observer.observe(rows, self.direction[done_ids])
        return Step(reward, terminated, truncated, done_ids, final, final_qpos, returns, lengths)

    @property
    def _ends(self) -> bool:
        """Whether leaving the limits ends an episode: it does wherever there are limits."""
        task = self.body.task
        limits = (task.height, task.angle, task.tilt)
        return any(limit is not None for limit in limits) or np.isfinite(task.state_limit)

    def _reward(self, moved: np.ndarray, contact: np.ndarray, healthy: np.ndarray, diverged: np.ndarray) -> Reward:
        task = self.body.task
        velocity = np.sum(moved * self.direction, axis=1) / self.body.control_step
        ctrl = np.sum(np.square(self._kinematics.ctrl), axis=1)
        terms = (task.forward_weight * velocity, task.healthy_reward * healthy, -task.ctrl_cost * ctrl, -contact)
        return Reward(*(np.where(diverged, 0.0, term) for term in terms) if diverged.any() else terms)

    def _warnings(self) -> np.ndarray:
        """(n,) how often each simulation has diverged; MuJoCo itself resets one and keeps status 0."""
        counts: np.ndarray = self._batch.warning[:, _DIVERGED, 1].sum(axis=1)
        return counts

    def _count(self, diverged: np.ndarray) -> None:
        self.diverged += int(diverged.sum())
        self._failures = self._failures + 1 if diverged.all() else 0
        if self._failures >= _MAX_FAILURES:
            raise SimulationError(
                f"{self.body.name}: the physics diverges at every step (NaN or huge accelerations); "
                "try a smaller timestep, more damping or armature, or smaller gears in the MJCF"
            )

    def _reset(self, ids: np.ndarray) -> None:
        task, model, count = self.body.task, self.body.model, len(ids)
        self._batch.reset(ids, stage=_STALE)
        qpos_noise = self._rng.uniform(-task.qpos_noise, task.qpos_noise, (count, model.nq))
        uniform = task.qvel_noise_kind == "uniform"
        unit = self._rng.uniform(-1, 1, (count, model.nv)) if uniform else self._rng.normal(size=(count, model.nv))
        self._kinematics.qpos[ids] = model.qpos0 + qpos_noise
        self._kinematics.qvel[ids] = task.qvel_noise * unit
        self._batch.forward(ids, stage=_FRESH)
        self._position[ids] = self._progress.read()[ids]
        self._warned = self._warnings()  # a reset clears its simulations' counters
        self._age[ids] = 0
        self._return[ids] = 0.0

    def state_dict(self) -> dict[str, np.ndarray]:
        """Everything that a bit-exact continuation needs, but for the random generator."""
        return {
            "state": self._batch.state.copy(),
            "position": self._position.copy(),
            "direction": self.direction.copy(),
            "counts": np.array([self.diverged, self._failures]),
            "age": self._age.copy(),
            "return": self._return.copy(),
        }

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Continue from a ``state_dict``."""
        self._batch.state[:] = state["state"]
        self._position[:] = state["position"]
        self.direction[:] = state["direction"]
        self.diverged, self._failures = (int(count) for count in state["counts"])
        self._age[:] = state["age"]
        self._return[:] = state["return"]
        self._batch.forward(stage=_FRESH)
        self.observation = self._observer.observe(self._kinematics, self.direction)

    @property
    def rng_state(self) -> dict[str, Any]:
        """State of the random generator, as JSON can hold it."""
        return dict(self._rng.bit_generator.state)

    @rng_state.setter
    def rng_state(self, state: dict[str, Any]) -> None:
        self._rng.bit_generator.state = state
