"""A training of seconds."""

from __future__ import annotations

import pytest

from morphnet.config import NetworkConfig, TrainConfig


@pytest.fixture
def tiny() -> TrainConfig:
    network = NetworkConfig(hidden=16, own=4, initial_log_std=-0.2)  # at 50 ms: -0.66
    return TrainConfig(steps=1500, num_sims=4, horizon=16, epochs=4, minibatches=2, threads=1, network=network)
