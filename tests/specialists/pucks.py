"""Actors whose returns can be worked out."""

from __future__ import annotations

import numpy as np

from morphnet.bodies import Body
from morphnet.policy import ActorWeights
from morphnet.simulation import Observer


def constant_actor(body: Body, action: list[float], log_std: float = -0.5) -> ActorWeights:
    """An actor that always does the same, whatever it sees."""
    size, nu, hidden = Observer(body).size, body.model.nu, 12
    rng = np.random.default_rng(0)
    weights = tuple(rng.normal(size=shape).astype(np.float32) for shape in ((hidden, size), (hidden, hidden)))
    last = np.zeros((nu, hidden), np.float32)
    biases = (np.zeros(hidden, np.float32), np.zeros(hidden, np.float32), np.array(action, np.float32))
    return ActorWeights((*weights, last), biases, np.full(nu, log_std, np.float32))
