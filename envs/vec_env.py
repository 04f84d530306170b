"""BodyVecEnv: many simulations of one body as a Stable-Baselines3 VecEnv."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv

from morphnet.bodies import Body, load_body
from morphnet.envs.body_env import observation_space
from morphnet.simulation import ControlScale, Simulation


class BodyVecEnv(VecEnv):
    """Batched physics behind SB3's interface; actions are ctrl in MuJoCo's units."""

    def __init__(self, body: Body, num_envs: int, seed: int = 0, nthread: int = 0) -> None:
        """Allocate.

        Args:
            body: the body.
            num_envs: number of simulations.
            seed: seeds the start states.
            nthread: physics threads; 0 for all cores.
        """
        self.body = body
        self._simulation = Simulation(body, num_envs, np.random.default_rng(seed), nthread=nthread)
        self._controls = ControlScale(body.model)
        self._actions = np.zeros((num_envs, body.model.nu))
        self.render_mode = None
        low, high = self._controls.low.astype(np.float32), self._controls.high.astype(np.float32)
        super().__init__(
            num_envs, observation_space(self._simulation.observer.size), spaces.Box(low, high, dtype=np.float32)
        )

    @property
    def simulation(self) -> Simulation:
        """The simulations behind the environment."""
        return self._simulation

    def reset(self) -> np.ndarray:
        """Start every episode anew, from the seed where ``seed`` was called."""
        seed = self._seeds[0]
        self._reset_seeds()
        return self._simulation.reset(None if seed is None else np.random.default_rng(seed)).copy()

    def step_async(self, actions: np.ndarray) -> None:
        """Keep the actions for ``step_wait``."""
        self._actions = np.asarray(actions, np.float64)

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Advance one control step; ended episodes are reset and report their last observation."""
        step = self._simulation.step(self._controls.to_action(self._actions))
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for row, sim in enumerate(step.done_ids):
            infos[sim] = {
                "terminal_observation": step.final_observation[row],
                "TimeLimit.truncated": bool(step.truncated[sim]),
                "episode": {
                    "r": float(step.episode_returns[row]),
                    "l": int(step.episode_lengths[row]),
                    "t": 0.0,
                },
            }
        reward = step.reward.total.astype(np.float32)
        return self._simulation.observation.copy(), reward, step.terminated | step.truncated, infos

    def close(self) -> None:
        """Nothing to free."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute of this environment once for every index."""
        return [getattr(self, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Set an attribute; all simulations share it."""
        setattr(self, attr_name, value)

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> list[Any]:
        """Call a method of this environment once for every index."""
        return [getattr(self, method_name)(*method_args, **method_kwargs) for _ in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        """No simulation is wrapped."""
        return [False for _ in self._get_indices(indices)]

    def get_images(self) -> Sequence[np.ndarray | None]:
        """No pictures: render states with ``morphnet.rendering``."""
        return [None for _ in range(self.num_envs)]


def make_vec(body: str | Path | Body, num_envs: int, seed: int = 0, nthread: int = 0) -> BodyVecEnv:
    """Make an SB3 VecEnv of any body on batched physics.

    Args:
        body: any BODY name, a path, or a loaded body.
        num_envs: number of simulations.
        seed: seeds the start states.
        nthread: physics threads; 0 for all cores.
    """
    return BodyVecEnv(body if isinstance(body, Body) else load_body(body), num_envs, seed, nthread)
