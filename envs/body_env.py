"""BodyEnv: one simulation of any body as a Gymnasium environment; what all tasks have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from morphnet.bodies import Body, Task, body_from_dict, load_body
from morphnet.errors import MorphNetError, TaskError
from morphnet.simulation import ControlScale, Simulation

STATE = ("qpos", "qvel", "act", "ctrl")
"""Options of ``reset`` that say where to start."""


class BodyEnv(gymnasium.Env[np.ndarray, np.ndarray]):
    """A body and its task; ``RunEnv`` and ``ReachEnv`` say what the tasks are.

    Action: ``Box(nu)``, ctrl in MuJoCo's units within the control range.

    Observation: ``Box(D)`` float32, a function of state, last control and task alone; ``observation_names``
    says what each entry is. The same as ``Policy.observe`` and the vectorised environment give, to the bit.

    Reward: see ``morphnet.Task``; its terms are in ``info`` and sum to it.

    Episode: starts at qpos0 with the task's noise, is terminated when the task's limits are left and truncated
    after ``task.max_episode_steps``.

    Rendering: ``render_mode="rgb_array"`` gives 480 x 480 pictures from a camera that follows the robot.

    Attributes:
        kind: the kind of task that this environment is for.
    """

    kind = "run"
    metadata = {"render_modes": ["rgb_array"], "render_fps": 50}  # noqa: RUF012

    def __init__(
        self,
        body: str | Path | Body | dict[str, Any],
        task: Task | None = None,
        render_mode: str | None = None,
    ) -> None:
        """Load the body.

        Args:
            body: any BODY name, a path, a loaded body, or what ``body_to_dict`` made of one (as datasets carry it).
            task: overrides the body's task.
            render_mode: None or "rgb_array".

        Raises:
            BodyError: no such body.
            TaskError: its task is of another kind.
        """
        if isinstance(body, dict):
            body = body_from_dict(body, environment_id(self.kind))
        loaded = body if isinstance(body, Body) else load_body(body)
        self.body = loaded.with_task(task) if task else loaded
        if self.body.task.kind != self.kind:
            other = environment_id(self.body.task.kind)
            raise TaskError(f"{self.body.name}: its task is to {self.body.task.kind}; use {other}")
        self.render_mode = render_mode
        self.metadata = {**self.metadata, "render_fps": round(1.0 / self.body.control_step)}
        self._simulation = Simulation(self.body, 1, np.random.default_rng(), exact=True)
        self._controls = ControlScale(self.body.model)
        low, high = self._controls.low.astype(np.float32), self._controls.high.astype(np.float32)
        self.action_space = spaces.Box(low, high, dtype=np.float32)
        self.observation_space = observation_space(self._simulation.observer.size)
        # copies: the simulation begins the next episode by itself
        self._qpos, self._command = self._simulation.kinematics.qpos[0].copy(), self._simulation.command[0].copy()
        self._filmer: Any = None

    @property
    def observation_names(self) -> tuple[str, ...]:
        """What each entry of the observation is."""
        return self._simulation.observer.layout.names

    @property
    def simulation(self) -> Simulation:
        """The simulation behind the environment."""
        return self._simulation

    @property
    def goal(self) -> np.ndarray | None:
        """(3,) the episode's point to reach, in the world (m); None where the body runs."""
        return self._command if self.kind == "reach" else None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode; see ``gymnasium.Env.reset``.

        Args:
            seed: seeds the start state.
            options: ``qpos`` and ``qvel`` to start at, and ``act`` and the last ``ctrl`` where they are not 0; a
                random start state where there are none.

        Raises:
            MorphNetError: some of these options, without ``qpos`` or without ``qvel``.
        """
        start = {name: options[name] for name in STATE if name in options} if options else {}
        missing = [name for name in ("qpos", "qvel") if name not in start]
        if start and missing:
            raise MorphNetError(
                f"reset: options give {', '.join(start)} without {' and '.join(missing)}; a start needs qpos and qvel"
            )
        super().reset(seed=seed)
        self._simulation.reset(self.np_random)
        if start:
            self._simulation.set_state(**start)
        self._qpos, self._command = self._simulation.kinematics.qpos[0].copy(), self._simulation.command[0].copy()
        return self._simulation.observation[0].copy(), self._facts()

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Advance one control step; see ``gymnasium.Env.step``."""
        step = self._simulation.step(self._controls.to_action(np.asarray(action, np.float64))[None])
        ended = bool(step.terminated[0] or step.truncated[0])
        # the simulation has begun the next episode by itself: what is shown is this one's end
        self._qpos = step.final_state.qpos[0] if step.final_state else self._simulation.kinematics.qpos[0].copy()
        observation = step.final_observation[0] if ended else self._simulation.observation[0].copy()
        terms = {f"reward_{name}": float(value[0]) for name, value in vars(step.reward).items()}
        info = {**terms, **self._facts()}
        return observation, float(step.reward.total[0]), bool(step.terminated[0]), bool(step.truncated[0]), info

    def _facts(self) -> dict[str, Any]:
        """What ``info`` says besides the reward's terms."""
        return {}

    def render(self) -> np.ndarray | None:
        """Return a picture (480, 480, 3) uint8, or None without a render mode."""
        if self.render_mode is None:
            return None
        from morphnet.rendering.frames import Filmer

        if self._filmer is None:
            self._filmer = Filmer(self.body, width=480, height=480)
        picture: np.ndarray = self._filmer.picture(self._qpos, self.goal)
        return picture

    def close(self) -> None:
        """Free the renderer."""
        if self._filmer is not None:
            self._filmer.close()
            self._filmer = None


def environment_id(kind: str) -> str:
    """Gymnasium's id of the environment for a kind of task."""
    return f"morphnet/{kind.capitalize()}-v0"


def observation_space(size: int) -> spaces.Box:
    """Space of observations; they are clipped to +-10 where they are made."""
    return spaces.Box(-10.0, 10.0, (size,), np.float32)
