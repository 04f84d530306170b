"""Actor and critic with plain weights: what they emit, what they normalise by, and when they stand still."""

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
    with torch.no_grad():
        for parameter in actor.parameters():
            parameter += torch.randn(parameter.shape, generator=torch.Generator().manual_seed(3))
    actor.statistics.update(torch.from_numpy(rows)[None])
    std = np.maximum(rows.std(axis=0, dtype=np.float64), 0.02)
    normal = (rows - rows.mean(axis=0, dtype=np.float64)) / std
    weights, biases = ([p.detach().numpy() for p in part] for part in (actor.weights, actor.biases))
    hidden = np.tanh(normal @ weights[0].T + biases[0])
    expected = np.tanh(hidden @ weights[1].T + biases[1]) @ weights[2].T + biases[2]
    stacked = actor().mean(torch.from_numpy(rows)[None])[0].detach().numpy()
    np.testing.assert_allclose(stacked, expected, atol=1e-3)  # weights are float32, some of them 50 times as large
    np.testing.assert_allclose(actor.emitted().mean(rows), expected, atol=1e-3)


def test_an_emitted_actor_is_taken_over_whatever_the_statistics():
    given, rows = random_actor(), observations()
    actor = DirectActor(5, 2, 9, -1.0)
    actor.statistics.update(torch.from_numpy(rows)[None])
    actor.take(given)
    np.testing.assert_allclose(actor.emitted().mean(rows), given.mean(rows), atol=1e-4)
    np.testing.assert_array_equal(actor.emitted().log_std, given.log_std)


def test_a_frozen_actor_receives_no_gradient_and_a_free_one_does():
    actor, rows = DirectActor(5, 2, 9, -1.0), torch.from_numpy(observations())[None]
    for frozen in (True, False):
        actor.frozen = frozen
        stacked = actor()
        means = stacked.mean(rows)
        assert means.requires_grad is not frozen
        assert stacked.log_prob(means, torch.zeros_like(means)).requires_grad is not frozen


def test_the_critic_shares_the_statistics():
    statistics, critic = EntryStatistics(5), DirectCritic(5, 8)
    rows = observations()
    before = critic(None, statistics)(torch.from_numpy(rows)[None]).detach().numpy()
    statistics.update(torch.from_numpy(rows)[None])
    normal = ((rows - rows.mean(axis=0)) / np.maximum(rows.std(axis=0), 0.02)).astype(np.float32)
    after = critic(None, statistics)(torch.from_numpy(rows)[None]).detach().numpy()
    np.testing.assert_allclose(
        after, critic(None, EntryStatistics(5))(torch.from_numpy(normal)[None]).detach(), atol=1e-4
    )
    assert np.abs(after - before).max() > 1e-2
