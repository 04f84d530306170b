"""Exploration noise against a random walk: draws that are held longer move it as far in the same time."""

import numpy as np
import torch

from morphnet.config import NetworkConfig
from morphnet.embodiment import SLOT_TABLE
from morphnet.networks import ActorHypernetwork, exploration_shift, stack_tokens


def test_noise_of_any_control_step_carries_a_walker_equally_far():
    rng, seconds, far = np.random.default_rng(0), 4.0, []
    for control_step in (0.008, 0.02, 0.05):
        std = float(torch.exp(exploration_shift(torch.tensor(control_step))))
        draws = std * rng.normal(size=(4000, round(seconds / control_step)))
        far.append(float(np.std(draws.sum(axis=1) * control_step)))
    assert np.ptp(far) < 0.05 * np.mean(far)


def test_an_untrained_actor_explores_as_configured(make_robot):
    robots = [make_robot(1, 2, 2), make_robot(2, 5, 3)]  # control steps of 20 and 50 ms
    config = NetworkConfig(hidden=6, own=3, width=8, depth=1, heads=2, initial_log_std=-1.0)
    features = {kind: array.shape[1] for kind, array in robots[0].features.items()}
    log_std = ActorHypernetwork(features, SLOT_TABLE, config)(stack_tokens(robots)).log_std
    torch.testing.assert_close(log_std[0, 0, :2], torch.full((2,), -1.0))
    torch.testing.assert_close(log_std[1, 0], torch.full((3,), -1.0 - 0.5 * float(np.log(2.5))))
