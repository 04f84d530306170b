"""Gymnasium environments and the SB3 VecEnv."""

import gymnasium

from morphnet.envs.run_env import RunEnv
from morphnet.envs.vec_env import BodyVecEnv, make_vec

__all__ = ["BodyVecEnv", "RunEnv", "make_vec"]

if "morphnet/Run-v0" not in gymnasium.registry:
    gymnasium.register(id="morphnet/Run-v0", entry_point="morphnet.envs.run_env:RunEnv")
