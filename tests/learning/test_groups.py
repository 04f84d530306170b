"""Groups: every body is in one, with what belongs to it; how many threads share them changes nothing."""

from __future__ import annotations

import dataclasses
import itertools
import types
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from morphnet.learning import Trainer
from morphnet.learning import group as grouping
from morphnet.learning.group import Workers


def cut(costs, threads):
    """Group bodies that are nothing but a cost; return the members of each group, by index."""
    bodies = [types.SimpleNamespace(index=index, cost=cost) for index, cost in enumerate(costs)]

    def keep(pairs, rngs):
        assert list(rngs) == [body.index for _, body in pairs], "a body keeps its own generator"
        assert [family for family, _ in pairs] == [f"family{body.index}" for _, body in pairs]
        return types.SimpleNamespace(simulations=[body for _, body in pairs])

    pairs = [(f"family{body.index}", body) for body in bodies]
    with mock.patch.multiple(grouping, step_cost=lambda b: b.cost, _size=lambda b: b.cost, _group=keep):
        groups = grouping.make_groups(pairs, range(len(bodies)), threads)
    return [[body.index for body in group.simulations] for group in groups]


@given(st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=40), st.integers(1, 12))
def test_groups_hold_every_body_once(costs, threads):
    groups = cut(costs, threads)
    assert sorted(index for group in groups for index in group) == list(range(len(costs)))
    assert all(groups)
    ranges = sorted((min(costs[i] for i in group), max(costs[i] for i in group)) for group in groups)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(ranges)), "alike together"


@given(st.integers(1, 30), st.integers(1, 4))
def test_equal_bodies_make_groups_of_equal_size(bodies, threads):
    sizes = [len(group) for group in cut([1.0] * bodies, threads)]
    assert len(sizes) >= min(bodies, threads)
    assert max(sizes) - min(sizes) <= 1


def train(robots, config, folder, workers):
    """Run two updates on groups as ``config`` cuts them, shared by another number of threads."""
    trainer = Trainer([("small", body) for body in robots], config, folder, {"bodies": "three"})
    trainer.workers.close()
    trainer.workers = trainer.ppo.workers = Workers(workers)
    trainer.run()
    return trainer


@pytest.mark.parametrize("groups", [1, 3])
def test_the_number_of_threads_changes_nothing(robots, tiny, tmp_path, groups):
    config = dataclasses.replace(tiny, steps=2 * 3 * 4 * 16, threads=groups)
    alone, shared = (train(robots, config, tmp_path / str(workers), workers) for workers in (1, 3))
    assert len(alone.groups) == len(shared.groups) == groups
    assert alone.update == 2
    for name, weights in alone.networks.state_dict().items():
        assert torch.equal(weights, shared.networks.state_dict()[name]), name
    for one, other in zip(alone.simulations, shared.simulations, strict=True):
        np.testing.assert_array_equal(one.observation, other.observation)


def test_another_cut_changes_no_bodys_starts_nor_noise(robots, tiny, tmp_path):
    """Each body has generators of its own: the same seed gives the same experience but for rounding."""
    seen = []
    for threads in (1, 2, 3):
        config = dataclasses.replace(tiny, steps=1, threads=threads)
        trainer = Trainer([("small", body) for body in robots], config, tmp_path / str(threads), {})
        starts = {s.body.name: s.observation.copy() for s in trainer.simulations}
        trainer.run()
        ends = {s.body.name: s.observation.copy() for s in trainer.simulations}
        noise = {
            s.body.name: rng.bit_generator.state
            for group in trainer.groups
            for s, rng in zip(group.simulations, group.rngs, strict=True)
        }
        seen.append((starts, ends, noise))
    assert len({str(state) for state in seen[0][2].values()}) == 3, "bodies do not share a generator"
    for starts, ends, noise in seen[1:]:
        assert noise == seen[0][2]
        for name in starts:
            np.testing.assert_array_equal(starts[name], seen[0][0][name])
            np.testing.assert_allclose(ends[name], seen[0][1][name], atol=2e-3)
