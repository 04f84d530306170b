"""What people would use instead: vectorised environments of Gymnasium, Stable-Baselines3 and EnvPool.

They are given ready-made random actions and no policy, which favours them.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv

PEERS = ("gymnasium SyncVectorEnv", "gymnasium AsyncVectorEnv", "SB3 DummyVecEnv", "SB3 SubprocVecEnv", "EnvPool")


class Peer:
    """A vectorised environment that is stepped for a given time."""

    def __init__(self, kind: str, env_id: str, num_envs: int, seconds: float, threads: int) -> None:
        """Start it, and its processes; ``threads`` are EnvPool's, the others have one process an environment."""
        make = functools.partial(gymnasium.make, env_id)
        kinds: dict[str, Callable[[], Any]] = {
            PEERS[0]: lambda: gymnasium.vector.SyncVectorEnv([make] * num_envs),
            PEERS[1]: lambda: gymnasium.vector.AsyncVectorEnv([make] * num_envs),
            PEERS[2]: lambda: DummyVecEnv([make] * num_envs),
            PEERS[3]: lambda: SubprocVecEnv([make] * num_envs),
            PEERS[4]: lambda: _envpool(env_id, num_envs, threads),
        }
        self._env, self._num_envs, self._seconds = kinds[kind](), num_envs, seconds
        self._env.reset()
        space = gymnasium.spec(env_id).make().action_space
        assert isinstance(space, gymnasium.spaces.Box)
        shape = (100, num_envs, *space.shape)
        self._actions = np.random.default_rng(0).uniform(space.low, space.high, shape).astype(np.float32)

    def run(self) -> float:
        """Step for the time; return environment steps a second."""
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < self._seconds:
            self._env.step(self._actions[count % len(self._actions)])
            count += 1
        return count * self._num_envs / (time.perf_counter() - start)

    def close(self) -> None:
        """End it, and its processes."""
        self._env.close()


def _envpool(env_id: str, num_envs: int, threads: int) -> Any:
    import envpool

    return envpool.make_gymnasium(env_id, num_envs=num_envs, num_threads=threads)
