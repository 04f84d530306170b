"""Simulation: n simulations of one body, run as a reinforcement-learning environment."""

from __future__ import annotations

import dataclasses
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import mujoco
import numpy as np

from morphnet.bodies import Body
from morphnet.errors import SimulationError
from morphnet.simulation.compiled import compiled
from morphnet.simulation.control import ControlScale
from morphnet.simulation.judge import make_episodes
from morphnet.simulation.kinematics import Kinematics
from morphnet.simulation.observation import Observer
from morphnet.simulation.observation_kernel import room_for_slots
from morphnet.simulation.physics import Physics
from morphnet.simulation.reward import ReachReward, Reward, reward_of
from morphnet.simulation.start_queue import StartQueue
from morphnet.simulation.starts import Starts, TaskStarts
from morphnet.simulation.step_kernel import (
    BEGIN_SIGNATURE,
    RESTART_SIGNATURE,
    STEP_SIGNATURE,
    Setting,
    begin,
    count_failures,
    restart,
    step,
)

MAX_FAILURES = 5
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
        observer: what turns states into observations.
        setting: the simulations as compiled loops see them; what changes in it changes here.
        tally: (2,) how many simulations have diverged and been reset so far, and for how many control steps in a
            row all of them have.
        rng: source of start states and goals.
        observation: (n, size) float32, of the present states.
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
            rng: source of start states and goals.
            exact: whether contact costs are computed, where the task has them.
            nthread: threads that share the simulations of a step; 0 for all cores.
            starts: where episodes begin; the task's start states when None.
        """
        self.body, self.num_sims, self.rng = body, num_sims, rng
        self.observer = Observer(body)
        self.tally = np.zeros(2, np.int64)
        self._physics = Physics(body.model, num_sims, body.frame_skip)
        self._episodes = make_episodes(body, num_sims, exact=exact)
        controls = ControlScale(body.model).table
        self._queue = StartQueue(body, num_sims, starts or TaskStarts(body))
        waiting, senses = self._queue.waiting, self.observer.senses
        self.setting = Setting(self._physics.world, self._episodes, senses, waiting, controls)
        self._step = compiled(step, *STEP_SIGNATURE)
        self._restart = compiled(restart, *RESTART_SIGNATURE)
        self._begin = compiled(begin, *BEGIN_SIGNATURE)
        self._all = np.arange(num_sims)
        threads = min(nthread or os.cpu_count() or 1, num_sims)
        self._shares = np.array_split(self._all, threads)
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._no_ids, self._no_returns = np.zeros(0, np.int64), np.zeros(0)
        self._no_observations = np.zeros((0, self.observer.size), np.float32)
        self.reset()

    @property
    def command(self) -> np.ndarray:
        """(n, 2) world direction to run in, or (n, 3) point to reach, of each simulation; write to it to change it."""
        return self._episodes.command

    @property
    def diverged(self) -> int:
        """How many simulations have diverged and been reset so far."""
        return int(self.tally[0])

    @property
    def kinematics(self) -> Kinematics:
        """Present states and derived fields, to be read."""
        return self._physics.kinematics

    def get_data(self, sim: int) -> mujoco.MjData:
        """Copy one simulation out, to render it or to hand it to anyone's policy."""
        return self._physics.get_data(sim)

    def stagger(self) -> None:
        """Spread the episodes' ages evenly, so that they do not all end at the same step."""
        self._episodes.age[:] = self.rng.integers(0, self.body.task.max_episode_steps, self.num_sims)

    def set_state(
        self,
        qpos: np.ndarray,
        qvel: np.ndarray,
        sim: int = 0,
        act: np.ndarray | None = None,
        ctrl: np.ndarray | None = None,
    ) -> None:
        """Put one simulation at a state, at the start of an episode; act and ctrl are those of a reset where None."""
        self._physics.put(sim, qpos, qvel, act, ctrl)
        self._physics.read([sim])
        self._begin(self.setting, self._all[sim : sim + 1])
        self._observe()

    def set_command(self, command: np.ndarray, sim: int = 0) -> None:
        """Tell one simulation where to run (2,), or which point to reach (3,)."""
        self.command[sim] = command
        self._observe()

    def reset(self, rng: np.random.Generator | None = None) -> np.ndarray:
        """Start every simulation anew; return the observation."""
        self.rng = rng or self.rng
        self._queue.clear()  # what was drawn ahead is another generator's
        self.fill()
        self._restart(self.setting, self._all)
        self._observe()
        return self.observation

    def fill(self) -> None:
        """Draw start states ahead, enough for compiled loops to start every simulation anew."""
        self._queue.fill(self.rng)

    def step(self, action: np.ndarray, out: np.ndarray | None = None) -> Step:
        """Advance one control step.

        Args:
            action: (n, nu) in [-1, 1] over the control range; clipped. What is no number counts as 0.
            out: (n, at least size) float32 that ``observation`` is to be written to and to stay in; a new array
                when None.

        Raises:
            SimulationError: every simulation has diverged for several steps in a row.
            ValueError: one of the arrays is of another shape.
        """
        action, size = np.asarray(action, np.float64), self.observer.size
        out = np.empty((self.num_sims, size), np.float32) if out is None else out
        # the compiled loop checks nothing, and it writes to MuJoCo's own memory
        if action.shape != (self.num_sims, self.body.model.nu):
            raise ValueError(f"actions of shape {action.shape}: expected ({self.num_sims}, {self.body.model.nu})")
        if len(out) != self.num_sims or out.shape[1] < size:
            raise ValueError(f"room for observations of shape {out.shape}: expected ({self.num_sims}, {size} or more)")
        terms, ends = np.empty((5, self.num_sims)), np.empty((2, self.num_sims), np.bool_)

        def advance(sims: np.ndarray) -> tuple[int, int]:
            return self._step(self.setting, sims, action, room_for_slots(self.observer.senses), out, terms, ends)

        counts = self._pool.map(advance, self._shares) if self._pool else [advance(self._all)]
        ended, diverged = (sum(parts) for parts in zip(*counts, strict=True))
        count_failures(self.tally, diverged, self.num_sims)
        self.check()
        self.see(out)
        return self._finish(terms, ends, ended)

    def see(self, observation: np.ndarray) -> None:
        """Take the first columns of (n, at least size) as the observation of the present states."""
        self.observation = observation[:, : self.observer.size]

    def check(self) -> None:
        """Fail where the physics has diverged too often.

        Raises:
            SimulationError: every simulation has diverged for several steps in a row.
        """
        if self.tally[1] >= MAX_FAILURES:
            raise SimulationError(
                f"{self.body.name}: the physics diverges at every step (NaN or huge accelerations); "
                "try a smaller timestep, more damping or armature, or smaller gears in the MJCF"
            )

    def _observe(self) -> None:
        self.see(self.observer.observe(self.kinematics, self.command))

    def _finish(self, terms: np.ndarray, ends: np.ndarray, ended: int) -> Step:
        reward, terminated, truncated = reward_of(self.body.task, terms), ends[0], ends[1]
        if not ended:
            nothing = (self._no_ids, self._no_observations, None, self._no_returns, self._no_ids)
            return Step(reward, terminated, truncated, *nothing)
        done_ids = np.flatnonzero(terminated | truncated)
        final = np.nan_to_num(self.observation[done_ids])
        final_state = self.kinematics.rows(done_ids)
        returns, lengths = self._episodes.returns[done_ids], self._episodes.age[done_ids]
        self.fill()
        self._restart(self.setting, done_ids)
        self.observer.observe(self.kinematics, self.command, self.observation, done_ids)
        return Step(reward, terminated, truncated, done_ids, final, final_state, returns, lengths)

    def state_dict(self) -> dict[str, np.ndarray]:
        """Everything that a bit-exact continuation needs, but for the random generator."""
        return {
            "state": self._physics.state,
            "position": self._episodes.before.copy(),
            "command": self.command.copy(),
            "counts": self.tally.copy(),
            "age": self._episodes.age.copy(),
            "return": self._episodes.returns.copy(),
            "starts": self.setting.waiting.rows.copy(),
            "waiting": self.setting.waiting.span.copy(),
        }

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Continue from a ``state_dict``."""
        self._physics.state = state["state"]
        self._episodes.before[:] = state["position"]
        self.command[:] = state["command"]
        self.tally[:] = state["counts"]
        self._episodes.age[:] = state["age"]
        self._episodes.returns[:] = state["return"]
        self.setting.waiting.rows[:], self.setting.waiting.span[:] = state["starts"], state["waiting"]
        self._observe()

    @property
    def rng_state(self) -> dict[str, Any]:
        """State of the random generator, as JSON can hold it."""
        return dict(self.rng.bit_generator.state)

    @rng_state.setter
    def rng_state(self, state: dict[str, Any]) -> None:
        self.rng.bit_generator.state = state
