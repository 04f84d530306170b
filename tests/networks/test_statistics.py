"""Observation statistics against numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from morphnet.embodiment import SLOT_TABLE
from morphnet.networks import ObservationStatistics, stack_tokens

OFFSETS = dict(zip(SLOT_TABLE.sizes, np.cumsum([0, *SLOT_TABLE.sizes.values()]), strict=False))
KINDS = tuple(SLOT_TABLE.sizes)


def slots_of(robot):
    """Name of the slot of each observation entry."""
    return [(KINDS[k], int(s)) for k, s in zip(robot.observation_kind, robot.observation_slot, strict=True)]


def position(slot):
    return int(OFFSETS[slot[0]]) + slot[1]


@pytest.fixture
def robots(make_robot):
    return [make_robot(5, 3, 2), make_robot(6, 6, 4)]


def chunks(robots, lengths, rng):
    """Padded observations of both robots; each slot has a mean and a scale of its own."""
    longest = max(r.observation_size for r in robots)
    for length in lengths:
        observation = np.full((2, length, longest), 1e6, np.float32)  # padding that must not be read
        for row, robot in enumerate(robots):
            for entry, slot in enumerate(slots_of(robot)):
                centre, spread = np.sin(position(slot)), 0.2 + 0.1 * (position(slot) % 5)
                observation[row, :, entry] = centre + row + spread * rng.normal(size=length)
        yield observation


def test_update_equals_numpy_over_everything_seen(robots):
    statistics, batch = ObservationStatistics(SLOT_TABLE), stack_tokens(robots)
    seen: dict[tuple[str, int], list[np.ndarray]] = {}
    for observation in chunks(robots, (3, 40, 1, 17), np.random.default_rng(0)):
        statistics.update(torch.from_numpy(observation), batch)
        for row, robot in enumerate(robots):
            for entry, slot in enumerate(slots_of(robot)):
                seen.setdefault(slot, []).append(observation[row, :, entry].astype(np.float64))
    assert any(len(parts) > 8 for parts in seen.values()), "some slot must be shared by many tokens"
    for slot, parts in seen.items():
        at, values = position(slot), np.concatenate(parts)
        if slot[0] == "task":
            continue
        assert statistics.count[at] == len(values)
        np.testing.assert_allclose(statistics.mean[at], values.mean(), atol=1e-6)
        np.testing.assert_allclose(statistics.variance[at], values.var(), rtol=1e-5)
    unseen = set(range(SLOT_TABLE.total)) - {position(slot) for slot in seen}
    assert unseen
    for at in unseen | {position(("task", 0)), position(("task", 1))}:
        assert (float(statistics.mean[at]), float(statistics.variance[at])) == (0.0, 1.0)


def test_actors_on_raw_observations_equal_actors_without_statistics_on_normalised_ones(robots, networks):
    actor, batch = networks[0], stack_tokens(robots).to(torch.float64)
    mean, variance = actor.statistics.mean.clone(), actor.statistics.variance.clone()
    raw = torch.from_numpy(np.random.default_rng(1).normal(size=(2, 9, max(r.observation_size for r in robots))))
    raw *= batch.entry_mask[:, None]
    normalised = torch.zeros_like(raw)
    for row, robot in enumerate(robots):
        at = [position(slot) for slot in slots_of(robot)]
        size = robot.observation_size
        normalised[row, :, :size] = (raw[row, :, :size] - mean[at]) / variance[at].sqrt()
    on_raw = actor(batch).mean(raw)
    actor.statistics.mean.zero_()
    actor.statistics.variance.fill_(1.0)
    plain = actor(batch).mean(normalised)
    assert plain.abs().max() > 0.01
    torch.testing.assert_close(on_raw, plain, atol=1e-10, rtol=0)


@pytest.mark.parametrize("value", [0.0, 1.0, 3.3, 10.0])
def test_an_observation_that_never_varies_stays_harmless(robots, value):
    statistics, batch = ObservationStatistics(SLOT_TABLE), stack_tokens(robots)
    observation = torch.full((2, 37, max(r.observation_size for r in robots)), value)
    for _ in range(5):
        statistics.update(observation, batch)
    mean, std = statistics.of_entries(batch)
    assert torch.isfinite(mean).all()
    assert std.min() > 1e-3
    assert statistics.variance.min() > -1e-5


def test_statistics_travel_with_the_weights(robots):
    statistics, batch = ObservationStatistics(SLOT_TABLE), stack_tokens(robots)
    for observation in chunks(robots, (5,), np.random.default_rng(2)):
        statistics.update(torch.from_numpy(observation), batch)
    copy = ObservationStatistics(SLOT_TABLE)
    copy.load_state_dict(statistics.state_dict())
    more = next(iter(chunks(robots, (7,), np.random.default_rng(3))))
    for each in (statistics, copy):
        each.update(torch.from_numpy(more), batch)
    assert torch.equal(copy.mean, statistics.mean)
    assert torch.equal(copy.variance, statistics.variance)
