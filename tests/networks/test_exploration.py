"""Exploration noise against a unit mass: every draw changes its velocity equally, however long it is held."""

import numpy as np
import torch

from morphnet.config import NetworkConfig
from morphnet.embodiment import SLOT_TABLE
from morphnet.networks import ActorHypernetwork, exploration_shift, stack_tokens


def test_draws_of_any_control_step_kick_a_mass_equally_hard():
    rng, kicks = np.random.default_rng(0), []
    for control_step in (0.008, 0.02, 0.05):
        std = float(torch.exp(exploration_shift(torch.tensor(control_step))))
        velocity = np.zeros(20_000)
        for force in std * rng.normal(size=(10, 20_000)):
            velocity += force * control_step
        kicks.append(float(np.std(velocity)))
    assert np.ptp(kicks) < 0.05 * np.mean(kicks)


def test_an_untrained_actor_explores_as_configured(make_robot):
    robots = [make_robot(1, 2, 2), make_robot(2, 5, 3)]  # control steps of 20 and 50 ms
    config = NetworkConfig(hidden=6, own=3, width=8, depth=1, heads=2, initial_log_std=-1.0)
    features = {kind: array.shape[1] for kind, array in robots[0].features.items()}
    log_std = ActorHypernetwork(features, SLOT_TABLE, config)(stack_tokens(robots)).log_std
    torch.testing.assert_close(log_std[0, 0, :2], torch.full((2,), -1.0))
    torch.testing.assert_close(log_std[1, 0], torch.full((3,), -1.0 - float(np.log(2.5))))
