"""Stable-Baselines3: a stock PPO whose ``MlpPolicy`` holds a policy's weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor, nn

from morphnet.envs import make_vec
from morphnet.export.layers import CtrlLayers, ctrl_layers
from morphnet.policy import Policy

Predict = Callable[[np.ndarray], np.ndarray]


def write_sb3(policy: Policy, path: Path) -> Predict:
    """Write a zip that ``PPO.load`` reads where MorphNet is not installed; return what it does once loaded.

    Spaces are those of ``morphnet/Run-v0``; the discount is the task's. The critic is SB3's own and untrained.

    Args:
        policy: what to export.
        path: ends in ``.zip``.
    """
    layers = ctrl_layers(policy)
    sizes = [len(layers.biases[0]), len(layers.biases[1])]
    env = make_vec(policy.body, 1, nthread=1)
    model = PPO(
        "MlpPolicy",
        env,
        gamma=policy.body.task.discount,
        policy_kwargs={"net_arch": {"pi": sizes, "vf": [64, 64]}, "activation_fn": nn.Tanh},
        device="cpu",
    )
    _fill(model.policy, layers)
    model.save(path)
    loaded = PPO.load(path, device="cpu")
    return lambda observation: loaded.predict(observation, deterministic=True)[0]


@torch.no_grad()
def _fill(stock: ActorCriticPolicy, layers: CtrlLayers) -> None:
    own = [layer for layer in (*stock.mlp_extractor.policy_net, stock.action_net) if isinstance(layer, nn.Linear)]
    for layer, weight, bias in zip(own, layers.weights, layers.biases, strict=True):
        _copy(layer.weight, weight)
        _copy(layer.bias, bias)
    _copy(stock.log_std, layers.log_std)


def _copy(parameter: Tensor, array: np.ndarray) -> None:
    parameter.copy_(torch.from_numpy(np.ascontiguousarray(array)))
