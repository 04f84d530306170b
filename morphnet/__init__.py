"""MorphNet: a robot in as MJCF, the weights of its policy out.

Names are loaded when they are first used: ``morphnet doctor`` must run where MuJoCo or torch do not import.
"""

import importlib
from typing import TYPE_CHECKING, Any

import gymnasium

__version__ = "0.1.0"

if TYPE_CHECKING:
    from morphnet.adaptation import adapt
    from morphnet.bodies import Body, Suite, Task, load_body, load_suite, suite_from_folder
    from morphnet.config import AdaptConfig
    from morphnet.demonstrations import Demonstration, read_demonstrations, record, write_demonstrations
    from morphnet.envs import make_vec
    from morphnet.errors import MorphNetError
    from morphnet.hypernetwork import Hypernetwork
    from morphnet.policy import Policy
    from morphnet.specialists import finetune, train_expert

__all__ = [
    "AdaptConfig",
    "Body",
    "Demonstration",
    "Hypernetwork",
    "MorphNetError",
    "Policy",
    "Suite",
    "Task",
    "__version__",
    "adapt",
    "finetune",
    "load_body",
    "load_suite",
    "make_vec",
    "read_demonstrations",
    "record",
    "suite_from_folder",
    "train_expert",
    "write_demonstrations",
]

_HOMES = {
    "AdaptConfig": "config",
    "Body": "bodies",
    "Demonstration": "demonstrations",
    "Hypernetwork": "hypernetwork",
    "MorphNetError": "errors",
    "Policy": "policy",
    "Suite": "bodies",
    "Task": "bodies",
    "adapt": "adaptation",
    "finetune": "specialists",
    "load_body": "bodies",
    "load_suite": "bodies",
    "make_vec": "envs",
    "read_demonstrations": "demonstrations",
    "record": "demonstrations",
    "suite_from_folder": "bodies",
    "train_expert": "specialists",
    "write_demonstrations": "demonstrations",
}


gymnasium.register(id="morphnet/Run-v0", entry_point="morphnet.envs.run_env:RunEnv")
gymnasium.register(id="morphnet/Reach-v0", entry_point="morphnet.envs.reach_env:ReachEnv")


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'morphnet' has no attribute {name!r}")
    return getattr(importlib.import_module(f"morphnet.{_HOMES[name]}"), name)
