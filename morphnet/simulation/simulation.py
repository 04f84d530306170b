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
from morphnet.simulation.goals import GoalSampler
from morphnet.simulation.judge import Judge, Verdict
from morphnet.simulation.kinematics import Kinematics
from morphnet.simulation.observation import Observer
from morphnet.simulation.reach import ReachJudge
from morphnet.simulation.reward import ContactCost, ReachReward, Reward
from morphnet.simulation.starts import Starts, StartStates, TaskStarts

_STALE, _FRESH = mujoco.mjtStage.mjSTAGE_NONE.value, mujoco.mjtStage.mjSTAGE_VEL.value
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
        final_state: the m states before that reset; None where nothing ended.
        episode_returns: (m,) summed rewards of the episodes that ended.
        episode_lengths: (m,) their lengths.
    """

    reward: Reward | ReachReward
    terminated: np.ndarray
    truncated: np.ndarray
    done_ids: np.ndarray
    final_observation: np.ndarray
    final_state: Kinematics | None
    episode_returns: np.ndarray
    episode_lengths: np.ndarray


class Simulation:
    """A batch of simulations with observations, rewards, terminations and automatic resets.

    Attributes:
        body: the body.
        num_sims: number of simulations n.
        observation: (n, size) float32, of the present states.
        command: (n, 2) world direction in which each simulation is to run, or (n, 3) the point that it is to reach.
        diverged: how many simulations have diverged and been reset so far.
        physics_seconds: time spent inside ``mj_step``, for the split that training reports.
    """

    def __init__(
        self,
        body: Body,
        num_sims: int,
        rng: np.random.Generator,
        *,
        exact: bool = False,
        nthread: int = 1,
        starts: Starts | None = None,
    ) -> None:
        """Allocate and reset.

        Args:
            body: the body.
            num_sims: number of simulations.
            rng: source of the reset noise.
            exact: whether contact costs are computed, where the task has them.
            nthread: physics threads.
            starts: where episodes begin; the task's start states when None.
        """
        self.body = body
        self.num_sims = num_sims
        self.diverged = 0
        self.physics_seconds = 0.0
        self._rng = rng
        self._starts = starts or TaskStarts(body)
        self._all = np.arange(num_sims)
        self._batch = Batch(body.model, num_sims, nthread, persistent=True)
        self._first_state = self._batch.state[0].copy()
        self._kinematics = Kinematics.of_batch(self._batch)
        self._observer = Observer(body)
        self._controls = ControlScale(body.model)
        reaches = body.task.kind == "reach"
        self._judge = (ReachJudge if reaches else Judge)(body, self._batch, self._kinematics)
        self._goals = GoalSampler(body) if reaches else None
        self._contact = ContactCost(body, self._batch) if exact and body.task.contact_cost else None
        self._no_contact = np.zeros(num_sims)
        self._reads_stale = self._judge.reads_stale or self._contact is not None
        self._failures = 0
        self._no_ids, self._no_returns = np.zeros(0, np.int64), np.zeros(0)
        self._no_observations = np.zeros((0, self._observer.size), np.float32)
        self.command = np.zeros((num_sims, 3)) if reaches else np.tile(np.array(body.task.direction), (num_sims, 1))
        self.reset()

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
        self._judge.age[:] = self._rng.integers(0, self.body.task.max_episode_steps, self.num_sims)

    def set_state(
        self,
        qpos: np.ndarray,
        qvel: np.ndarray,
        sim: int = 0,
        act: np.ndarray | None = None,
        ctrl: np.ndarray | None = None,
    ) -> None:
        """Put one simulation at a state, at the start of an episode; act and ctrl are those of a reset where None."""
        self._start(np.array([sim]), StartStates(qpos, qvel, act, ctrl))
        self._observe()

    def set_command(self, command: np.ndarray, sim: int = 0) -> None:
        """Tell one simulation where to run (2,), or which point to reach (3,)."""
        self.command[sim] = command
        self._observe()

    def reset(self, rng: np.random.Generator | None = None) -> np.ndarray:
        """Start every simulation anew; return the observation."""
        self._rng = rng or self._rng
        self._reset(self._all)
        self._observe()
        return self.observation

    def step(self, action: np.ndarray, out: np.ndarray | None = None) -> Step:
        """Advance one control step.

        Args:
            action: (n, nu) in [-1, 1] over the control range; clipped.
            out: (n, at least size) float32 that ``observation`` is to be written to and to stay in; a new array
                when None.

        Raises:
            SimulationError: every simulation has diverged for several steps in a row.
        """
        self._controls.write_ctrl(action, self._kinematics.ctrl)
        start = time.perf_counter()
        self._batch.step(nstep=self.body.frame_skip, stage=_STALE if self._reads_stale else _FRESH)
        self.physics_seconds += time.perf_counter() - start
        self._judge.read_places()
        contact = self._contact() if self._contact else self._no_contact
        if self._reads_stale:
            self._batch.forward(stage=_FRESH)
        verdict = self._judge.judge(self.command, contact)
        self._count(verdict.diverged)
        self._observe(out)
        return self._finish(verdict)

    def _observe(self, out: np.ndarray | None = None, sims: np.ndarray | None = None) -> None:
        written = self._observer.observe(self._kinematics, self.command, out, self._all if sims is None else sims)
        self.observation = written[:, : self._observer.size]

    def _finish(self, verdict: Verdict) -> Step:
        ends = (verdict.reward, verdict.terminated, verdict.truncated)
        if not verdict.ended:
            return Step(*ends, self._no_ids, self._no_observations, None, self._no_returns, self._no_ids)
        done_ids = np.flatnonzero(verdict.terminated | verdict.truncated)
        final = np.nan_to_num(self.observation[done_ids])
        final_state = self._kinematics.rows(done_ids)
        returns, lengths = self._judge.returns[done_ids], self._judge.age[done_ids]
        self._reset(done_ids)
        self._observe(self.observation, done_ids)
        return Step(*ends, done_ids, final, final_state, returns, lengths)

    def _count(self, diverged: int) -> None:
        self.diverged += diverged
        self._failures = self._failures + 1 if diverged == self.num_sims else 0
        if self._failures >= _MAX_FAILURES:
            raise SimulationError(
                f"{self.body.name}: the physics diverges at every step (NaN or huge accelerations); "
                "try a smaller timestep, more damping or armature, or smaller gears in the MJCF"
            )

    def _reset(self, ids: np.ndarray) -> None:
        states = self._starts.draw(self._rng, len(ids))
        if self._goals is not None:
            self.command[ids] = self._goals.draw(self._rng, len(ids))
        self._start(ids, states)

    def _start(self, ids: np.ndarray, states: StartStates) -> None:
        """Begin episodes at given states.

        Gives the bits that ``Batch.reset`` would give, which also clears every derived field of every
        simulation that is reset: ten times the cost, and all but a few are computed anew before they are read.
        """
        batch = self._batch
        batch.state[ids], batch.warning[ids] = self._first_state, 0
        self._kinematics.qpos[ids], self._kinematics.qvel[ids] = states.qpos, states.qvel
        for field, given in ((self._kinematics.act, states.act), (self._kinematics.ctrl, states.ctrl)):
            if given is not None:
                field[ids] = given
        batch.forward(ids, stage=_FRESH)
        self._judge.start(ids)

    def state_dict(self) -> dict[str, np.ndarray]:
        """Everything that a bit-exact continuation needs, but for the random generator."""
        return {
            "state": self._batch.state.copy(),
            "position": self._judge.place.copy(),
            "command": self.command.copy(),
            "counts": np.array([self.diverged, self._failures]),
            "age": self._judge.age.copy(),
            "return": self._judge.returns.copy(),
        }

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Continue from a ``state_dict``."""
        self._batch.state[:] = state["state"]
        self._judge.place[:] = state["position"]
        self.command[:] = state["command"]
        self.diverged, self._failures = (int(count) for count in state["counts"])
        self._judge.age[:] = state["age"]
        self._judge.returns[:] = state["return"]
        self._batch.forward(stage=_FRESH)
        self._observe()

    @property
    def rng_state(self) -> dict[str, Any]:
        """State of the random generator, as JSON can hold it."""
        return dict(self._rng.bit_generator.state)

    @rng_state.setter
    def rng_state(self, state: dict[str, Any]) -> None:
        self._rng.bit_generator.state = state
