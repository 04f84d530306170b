"""Stacked perceptrons and Gaussian actors against torch's own modules and distributions."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from morphnet.networks import StackedActor, StackedMLP

SIZES = ((7, 10, 3), (4, 6, 1), (5, 10, 2))  # inputs, hidden units, outputs of three robots


@pytest.fixture
def plain() -> list[nn.Sequential]:
    torch.manual_seed(0)
    return [nn.Sequential(nn.Linear(i, h), nn.Tanh(), nn.Linear(h, h), nn.Tanh(), nn.Linear(h, o)) for i, h, o in SIZES]


@pytest.fixture
def stacked(plain: list[nn.Sequential]) -> StackedMLP:
    """The weights of ``plain`` in one padded stack."""
    inputs, hidden, outputs = (max(size[k] for size in SIZES) for k in range(3))
    widths = ((inputs, hidden), (hidden, hidden), (hidden, outputs))
    weights = [torch.zeros(len(plain), *width) for width in widths]
    biases = [torch.zeros(len(plain), 1, width[1]) for width in widths]
    for row, module in enumerate(plain):
        for layer, linear in enumerate(m for m in module if isinstance(m, nn.Linear)):
            weights[layer][row, : linear.in_features, : linear.out_features] = linear.weight.detach().T
            biases[layer][row, 0, : linear.out_features] = linear.bias.detach()
    return StackedMLP((weights[0], weights[1], weights[2]), (biases[0], biases[1], biases[2]))


def test_stack_equals_plain_modules(plain, stacked):
    observation = torch.randn(3, 11, 7)
    actions = stacked(observation)
    for row, (module, (inputs, _, outputs)) in enumerate(zip(plain, SIZES, strict=True)):
        expected = module(observation[row, :, :inputs])
        torch.testing.assert_close(actions[row, :, :outputs], expected, atol=1e-6, rtol=1e-6)


def test_stack_has_the_gradient_of_plain_modules(plain, stacked):
    for tensor in (*stacked.weights, *stacked.biases):
        tensor.requires_grad_()
    observation = torch.randn(3, 11, 7)
    target = torch.randn(3, 11, 3)
    total = torch.zeros(())
    loss = torch.zeros(())
    for row, (module, (inputs, _, outputs)) in enumerate(zip(plain, SIZES, strict=True)):
        total = total + (module(observation[row, :, :inputs]) - target[row, :, :outputs]).square().sum()
        loss = loss + (stacked(observation)[row, :, :outputs] - target[row, :, :outputs]).square().sum()
    total.backward()
    loss.backward()
    for row, module in enumerate(plain):
        for layer, linear in enumerate(m for m in module if isinstance(m, nn.Linear)):
            gradient = stacked.weights[layer].grad[row, : linear.in_features, : linear.out_features]
            torch.testing.assert_close(gradient, linear.weight.grad.T, atol=1e-4, rtol=1e-4)


def test_select_is_a_view(stacked):
    part = stacked.select(slice(1, 3))
    observation = torch.randn(3, 5, 7)
    torch.testing.assert_close(part(observation[1:]), stacked(observation)[1:])
    for whole, cut in zip((*stacked.weights, *stacked.biases), (*part.weights, *part.biases), strict=True):
        assert cut.data_ptr() == whole[1].data_ptr()
    stacked.weights[2][1] += 1.0
    torch.testing.assert_close(part(observation[1:]), stacked(observation)[1:])


@pytest.fixture
def actor(stacked: StackedMLP) -> StackedActor:
    mask = torch.zeros(3, 1, 3)
    for row, (_, _, outputs) in enumerate(SIZES):
        mask[row, 0, :outputs] = 1.0
    torch.manual_seed(1)
    return StackedActor(stacked, torch.randn(3, 1, 3), mask)


def test_density_and_entropy_are_those_of_normal_distributions(actor):
    mean, action = torch.randn(3, 11, 3), torch.randn(3, 11, 3)
    density, entropy = actor.log_prob(mean, action), actor.entropy()
    assert density.shape == (3, 11)
    assert entropy.shape == (3,)
    for row, (_, _, outputs) in enumerate(SIZES):
        std = actor.log_std[row, 0, :outputs].exp()
        normal = torch.distributions.Normal(mean[row, :, :outputs], std)
        torch.testing.assert_close(density[row], normal.log_prob(action[row, :, :outputs]).sum(-1))
        torch.testing.assert_close(entropy[row], torch.distributions.Normal(0.0, std).entropy().sum())
