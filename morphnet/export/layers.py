"""A policy's network from observation to ctrl: what other software runs."""

from __future__ import annotations

import dataclasses

import numpy as np

from morphnet.policy import Policy
from morphnet.simulation import ControlScale


@dataclasses.dataclass(frozen=True, eq=False)
class CtrlLayers:
    """Three dense layers with two tanh between them; observation (D,) to ctrl (nu,) in MuJoCo's units, to be clipped.

    Attributes:
        weights: (H, D), (H, H), (nu, H), float32, as in ``torch.nn.Linear``.
        biases: (H,), (H,), (nu,), float32.
        log_std: (nu,) float32, logarithm of the exploration's standard deviation, in MuJoCo's units.
        low, high: (nu,) float32, ends of the control ranges.
    """

    weights: tuple[np.ndarray, np.ndarray, np.ndarray]
    biases: tuple[np.ndarray, np.ndarray, np.ndarray]
    log_std: np.ndarray
    low: np.ndarray
    high: np.ndarray


def ctrl_layers(policy: Policy) -> CtrlLayers:
    """Return a policy's layers with the map from [-1, 1] to the control ranges taken into the last one."""
    actor, scale = policy.actor, ControlScale(policy.body.model)
    first, second, third = actor.weights
    one, two, three = actor.biases
    return CtrlLayers(
        weights=(first, second, _float32(scale.half[:, None] * third)),
        biases=(one, two, _float32(scale.centre + scale.half * three)),
        log_std=_float32(actor.log_std + np.log(scale.half)),
        low=_float32(scale.low),
        high=_float32(scale.high),
    )


def _float32(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32)
