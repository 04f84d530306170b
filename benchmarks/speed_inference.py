"""One action at a time: ``Policy.act`` and its bare network against Stable-Baselines3's ``predict``."""

from __future__ import annotations

import time
from collections.abc import Callable

import mujoco
import numpy as np
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy

from benchmarks.interleave import Row, interleave, rows_of
from morphnet.bodies import Body
from morphnet.config import NetworkConfig
from morphnet.policy import ActorWeights, Policy
from morphnet.simulation import Observer

CALLS = 1000
REFERENCE = "SB3 predict"


def inference_rows(body: Body, repeats: int) -> list[Row]:
    """Measure the median time of a call, in microseconds.

    All three have the layer sizes of our default actor. SB3 is given a ready observation; ``Policy.act`` makes its
    own from the simulation's state.
    """
    policy, data = _policy(body), mujoco.MjData(body.model)
    mujoco.mj_step(body.model, data, 10)
    observation = policy.observe(data)
    hidden = [len(bias) for bias in policy.actor.biases[:2]]
    box = spaces.Box(-10.0, 10.0, observation.shape, np.float32)
    peer = ActorCriticPolicy(box, spaces.Box(-1.0, 1.0, (body.model.nu,), np.float32), lambda _: 1e-3, net_arch=hidden)
    contestants = {
        REFERENCE: _timed(lambda: peer.predict(observation, deterministic=True)),
        "Policy.act": _timed(lambda: policy.act(data)),
        "bare network": _timed(lambda: policy.actor.mean(observation)),
    }
    return rows_of("inference", body.name, "us a call (p50)", REFERENCE, interleave(contestants, repeats))


def _policy(body: Body) -> Policy:
    """A policy of the default size with random weights."""
    rng, sizes = np.random.default_rng(0), NetworkConfig()
    hidden = sizes.hidden + sizes.own * body.model.nu
    shapes = ((hidden, Observer(body).size), (hidden, hidden), (body.model.nu, hidden))
    first, second, third = (rng.normal(0, 0.1, shape).astype(np.float32) for shape in shapes)
    one, two, three = (np.zeros(shape[0], np.float32) for shape in shapes)
    return Policy(body, ActorWeights((first, second, third), (one, two, three), three), {})


def _timed(call: Callable[[], object]) -> Callable[[], float]:
    def run() -> float:
        seconds = []
        for _ in range(CALLS):
            start = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - start)
        return float(np.median(seconds)) * 1e6

    return run
