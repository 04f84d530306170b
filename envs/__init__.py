"""Gymnasium environments and the SB3 VecEnv."""

from morphnet.envs.body_env import BodyEnv
from morphnet.envs.reach_env import ReachEnv
from morphnet.envs.run_env import RunEnv
from morphnet.envs.vec_env import BodyVecEnv, make_vec

__all__ = ["BodyEnv", "BodyVecEnv", "ReachEnv", "RunEnv", "make_vec"]
