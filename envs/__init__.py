"""Gymnasium environments and the SB3 VecEnv."""

from morphnet.envs.run_env import RunEnv
from morphnet.envs.vec_env import BodyVecEnv, make_vec

__all__ = ["BodyVecEnv", "RunEnv", "make_vec"]
