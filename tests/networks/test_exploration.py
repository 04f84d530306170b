"""Exploration noise against hand arithmetic."""

import dataclasses

import numpy as np
import torch

from morphnet.config import NetworkConfig
from morphnet.embodiment import SLOT_TABLE
from morphnet.networks import ActorHypernetwork, exploration_shift, stack_tokens


def test_the_longer_a_draw_is_held_the_smaller_it_is():
    std = torch.exp(exploration_shift(torch.tensor([0.02, 0.32, 0.00125])))
    torch.testing.assert_close(std, torch.tensor([1.0, 1.0 / 8.0, 8.0]))  # 16 times the time, the root of it cubed


def test_an_untrained_actor_explores_as_configured(make_robot):
    robots = [make_robot(1, 2, 2), make_robot(2, 5, 3)]  # control steps of 20 and 50 ms
    config = NetworkConfig(hidden=6, own=3, width=8, depth=1, heads=2, initial_log_std=-1.0)
    features = {kind: array.shape[1] for kind, array in robots[0].features.items()}
    log_std = ActorHypernetwork(features, SLOT_TABLE, config)(stack_tokens(robots)).log_std
    torch.testing.assert_close(log_std[0, 0, :2], torch.full((2,), -1.0))
    torch.testing.assert_close(log_std[1, 0], torch.full((3,), -1.0 - 0.75 * float(np.log(2.5))))


def test_mean_actions_are_in_units_of_the_noise(make_robot):
    """Where draws are eight times smaller, so are mean actions: a step of the weights then moves both policies as far."""
    robot = make_robot(1, 2, 2)
    slower = dataclasses.replace(robot, control_step=16.0 * robot.control_step)
    config = NetworkConfig(hidden=6, own=3, width=8, depth=1, heads=2)
    features = {kind: array.shape[1] for kind, array in robot.features.items()}
    actors = ActorHypernetwork(features, SLOT_TABLE, config)(stack_tokens([robot, slower]))
    mean = actors.mean(torch.randn(1, 5, robot.observation_size).expand(2, -1, -1))
    torch.testing.assert_close(mean[1], 0.125 * mean[0])
    torch.testing.assert_close(actors.log_std[1].exp(), 0.125 * actors.log_std[0].exp())
    assert mean.abs().max() > 1e-3
