"""Actor and critic with plain weights: what they emit, and what they normalise by."""

from __future__ import annotations

import numpy as np
import torch

from morphnet.policy import ActorWeights
from morphnet.specialists.direct import DirectActor, DirectCritic, EntryStatistics


def random_actor(seed=0):
    rng = np.random.default_rng(seed)
    shapes = ((9, 5), (9, 9), (2, 9))
    weights = tuple(rng.normal(size=shape).astype(np.float32) for shape in shapes)
    biases = tuple(rng.normal(size=shape[0]).astype(np.float32) for shape in shapes)
    return ActorWeights(weights, biases, rng.normal(size=2).astype(np.float32))


def observations(count=200, seed=1):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(count, 5)) * [0.1, 1, 3, 0, 1] + [5, 0, -2, 1, 0]).astype(np.float32)


def test_statistics_are_those_of_all_rows():
    statistics, rows = EntryStatistics(5), observations()
    for part in np.split(rows, [10, 90, 91]):
        statistics.update(torch.from_numpy(part)[None])
    np.testing.assert_allclose(statistics.mean, rows.mean(axis=0, dtype=np.float64), atol=1e-6)
    np.testing.assert_allclose(statistics.variance, rows.var(axis=0, dtype=np.float64), atol=1e-6)
    statistics.fixed = True
    statistics.update(100 + torch.from_numpy(rows)[None])
    np.testing.assert_allclose(statistics.mean, rows.mean(axis=0, dtype=np.float64), atol=1e-6)


def test_folding_equals_normalising_first():
    actor, rows = DirectActor(5, 2, 9, -1.0), observations()
    actor.perceptron.values += np.random.default_rng(3).normal(size=actor.perceptron.values.shape).astype(np.float32)
    actor.statistics.update(torch.from_numpy(rows)[None])
    std = np.maximum(rows.std(axis=0, dtype=np.float64), 0.02)
    normal = (rows - rows.mean(axis=0, dtype=np.float64)) / std
    first, second, third, one, two, three, _ = actor.perceptron.layers
    expected = np.tanh(np.tanh(normal @ first + one) @ second + two) @ third.T + three
    stacked = actor().mean(torch.from_numpy(rows)[None])[0].numpy()
    np.testing.assert_allclose(stacked, expected, atol=1e-3)  # weights are float32, some of them 50 times as large
    np.testing.assert_allclose(actor.emitted().mean(rows), expected, atol=1e-3)


def test_an_emitted_actor_is_taken_over_whatever_the_statistics():
    given, rows = random_actor(), observations()
    actor = DirectActor(5, 2, 9, -1.0)
    actor.statistics.update(torch.from_numpy(rows)[None])
    actor.take(given)
    np.testing.assert_allclose(actor.emitted().mean(rows), given.mean(rows), atol=1e-4)
    np.testing.assert_array_equal(actor.emitted().log_std, given.log_std)


def test_the_critic_shares_the_statistics():
    statistics, critic = EntryStatistics(5), DirectCritic(5, 8)
    rows = observations()
    before = critic(statistics)(torch.from_numpy(rows)[None]).numpy()
    statistics.update(torch.from_numpy(rows)[None])
    normal = ((rows - rows.mean(axis=0)) / np.maximum(rows.std(axis=0), 0.02)).astype(np.float32)
    after = critic(statistics)(torch.from_numpy(rows)[None]).numpy()
    np.testing.assert_allclose(after, critic(EntryStatistics(5))(torch.from_numpy(normal)[None]), atol=1e-4)
    assert np.abs(after - before).max() > 1e-2
