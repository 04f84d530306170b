"""The compiled actor against the same perceptron in plain double precision."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import types

from morphnet.learning.actor_kernel import PERCEPTRON, act, cut_out, tanh
from morphnet.networks import StackedMLP
from morphnet.simulation.compiled import compiled, reads, writes


def _act(actor, observation, drift, action):
    act(actor, observation, drift, action)


def _tanh(values):
    for index in range(values.shape[0]):
        values[index] = tanh(values[index])


def run(stack, body, observation, noise, outputs):
    single = types.float32
    kernel = compiled(_act, PERCEPTRON, reads(2, single), reads(2, single), writes(2, single))
    perceptron, bias = cut_out(stack, body, len(observation), observation.shape[1], outputs)
    action = np.full((len(observation), outputs), np.nan, np.float32)
    kernel(perceptron, observation, (noise + bias).astype(np.float32), action)
    return action


def make_stack(inputs, hidden, outputs, seed=0, second=None):
    """Two perceptrons, and padding in their first and last layers."""
    rng = torch.Generator().manual_seed(seed)
    second = hidden if second is None else second
    shapes = ((inputs + 3, hidden), (hidden, second), (second, outputs + 2))
    weights = tuple(torch.randn(2, *shape, generator=rng) / math.sqrt(shape[0]) for shape in shapes)
    biases = tuple(torch.randn(2, 1, shape[1], generator=rng) for shape in shapes)
    return StackedMLP(weights, biases)


def expected(stack, body, observation, outputs):
    values = observation.astype(np.float64)
    inputs = values.shape[1]
    for layer, (weight, bias) in enumerate(zip(stack.weights, stack.biases, strict=True)):
        matrix = weight[body].double().numpy()
        values = values @ (matrix[:inputs] if layer == 0 else matrix) + bias[body].double().numpy()
        values = np.tanh(values) if layer < 2 else values[:, :outputs]
    return values


@settings(max_examples=40, deadline=None)
@given(
    sims=st.integers(1, 9),
    inputs=st.integers(1, 21),
    hidden=st.integers(1, 40),
    second=st.integers(1, 40),
    outputs=st.integers(1, 7),
    seed=st.integers(0, 99),
)
def test_equals_the_perceptron_at_any_size(sims, inputs, hidden, second, outputs, seed):
    """Sizes that are no multiples of what goes through a layer together included."""
    rng, stack = np.random.default_rng(seed), make_stack(inputs, hidden, outputs, seed, second)
    observation = rng.normal(size=(sims, inputs)).astype(np.float32)
    noise = rng.normal(size=(sims, outputs))
    for body in range(2):
        action = run(stack, body, observation, noise, outputs)
        np.testing.assert_allclose(action, expected(stack, body, observation, outputs) + noise, rtol=0, atol=1e-5)


def test_a_row_does_not_depend_on_the_others():
    rng, stack = np.random.default_rng(0), make_stack(38, 152, 3)
    observation, noise = rng.normal(size=(16, 38)).astype(np.float32), rng.normal(size=(16, 3))
    together = run(stack, 0, observation, noise, 3)
    for row in range(16):
        alone = run(stack, 0, observation[row : row + 1], noise[row : row + 1], 3)
        np.testing.assert_array_equal(alone[0], together[row])


def test_tanh():
    values = np.linspace(-12, 12, 100001).astype(np.float32)
    truth = [math.tanh(float(value)) for value in values]
    kernel = compiled(_tanh, writes(1, types.float32))
    kernel(values)
    np.testing.assert_allclose(values, truth, rtol=0, atol=5e-7)
    assert (np.abs(values) <= 1).all()


@pytest.mark.parametrize(("value", "result"), [(np.inf, 1.0), (-np.inf, -1.0), (1e-20, 1e-20), (0.0, 0.0)])
def test_tanh_at_the_ends(value, result):
    values = np.array([value], np.float32)
    compiled(_tanh, writes(1, types.float32))(values)
    assert values[0] == pytest.approx(result, rel=1e-6)


def test_what_is_no_number_stays_none():
    values = np.array([np.nan], np.float32)
    compiled(_tanh, writes(1, types.float32))(values)
    assert np.isnan(values[0])
