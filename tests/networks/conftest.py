"""Random robots, described to the networks by random features, and tiny networks to read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from morphnet.config import NetworkConfig
from morphnet.embodiment import SLOT_TABLE
from morphnet.networks import ActorHypernetwork, CriticHypernetwork, Tokens
from morphnet.simulation import KINDS

FEATURES = {"body": 5, "joint": 4, "actuator": 3, "task": 2}
TINY = NetworkConfig(hidden=6, own=3, width=8, depth=2, heads=2)


def random_robot(seed: int, limbs: int, actuators: int) -> Tokens:
    """Return a random tree of ``limbs`` bodies, a joint each, the first ``actuators`` of them driven."""
    rng = np.random.default_rng(seed)
    counts = {"body": limbs, "joint": limbs, "actuator": actuators, "task": 1}
    slot_counts = {"root": 1, **counts}
    joint, actuator = limbs, 2 * limbs
    edges = [(int(rng.integers(0, child)), child, 0) for child in range(1, limbs)]
    edges += [(limb, joint + limb, 1) for limb in range(limbs)]
    edges += [(joint + limb, actuator + limb, 2) for limb in range(actuators)]
    entries = [
        (kind, token, slot)
        for kind, name in enumerate(KINDS)
        for token in range(slot_counts[name])
        for slot in range(SLOT_TABLE.sizes[name])
        if rng.random() < 0.3 or name == "task"
    ]
    kind, token, slot = np.array(entries).T
    return Tokens(
        {name: rng.normal(size=(counts[name], size)).astype(np.float32) for name, size in FEATURES.items()},
        np.array(edges),
        limbs // 2,  # the root body
        kind,
        token,
        slot,
        0.01 * limbs,
    )


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Keep torch to one thread: for sizes like these its threads do nothing but wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def make_robot() -> Callable[[int, int, int], Tokens]:
    return random_robot


@pytest.fixture
def tiny_config() -> NetworkConfig:
    return TINY


@pytest.fixture
def networks() -> tuple[ActorHypernetwork, CriticHypernetwork]:
    """Return an actor's and a critic's hypernetwork in double precision, with observation statistics to fold."""
    torch.manual_seed(0)
    actor = ActorHypernetwork(FEATURES, SLOT_TABLE, TINY)
    critic = CriticHypernetwork(FEATURES, SLOT_TABLE, TINY)
    statistics = actor.statistics
    statistics.mean.copy_(torch.randn_like(statistics.mean))
    statistics.variance.copy_(0.1 + torch.rand_like(statistics.variance))
    with torch.no_grad():  # untrained, the exploration would be the same for all actuators
        actor.log_std.weight.normal_()
    return actor.double(), critic.double()
