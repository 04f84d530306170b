"""Teachers: which mutants are worth teaching, and families that are trained already."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from morphnet.bodies import load_suite
from morphnet.config import TrainConfig
from morphnet.errors import CheckpointError
from morphnet.policy import ActorWeights, Policy
from morphnet.specialists.family_expert import FAMILY_EXPERT, FamilyExpert
from morphnet.specialists.frame import Frame
from morphnet.specialists.teachers import WORTH, WORTH_EPISODES, Folders, find_teachers, judge, worth_teaching

HIDDEN = 4


def lazy(name: str, push: float) -> Policy:
    """Pushes all the same, always."""
    body = load_suite("planar").load(name)
    nu = body.model.nu
    size = len(Policy(body, zeros(0, nu), {}).observation_names)
    actor = zeros(size, nu)
    actor.biases[2][:] = push
    return Policy(body, actor, {})


def zeros(size: int, nu: int) -> ActorWeights:
    weights = [np.zeros(shape, np.float32) for shape in ((HIDDEN, size), (HIDDEN, HIDDEN), (nu, HIDDEN))]
    biases = [np.zeros(width, np.float32) for width in (HIDDEN, HIDDEN, nu)]
    return ActorWeights(
        (weights[0], weights[1], weights[2]), (biases[0], biases[1], biases[2]), np.zeros(nu, np.float32)
    )


def test_only_mutants_that_reach_a_share_of_their_kin_are_taught():
    policies = [lazy("hopper", push) for push in (0.0, 0.3, -0.3, 1.0)]
    returns = [judge([policy], 0, WORTH_EPISODES) for policy in policies]
    assert min(returns) > 0.0
    assert len({*returns}) == 4
    for lowest in returns:
        kept = worth_teaching(policies, lowest / WORTH * (1.0 - 1e-9), 0)
        assert kept == [policy for policy, value in zip(policies, returns, strict=True) if value >= lowest]
    assert worth_teaching(policies, -1.0, 0) == policies
    assert worth_teaching(policies, 1e9, 0) == []


@pytest.fixture
def folders(tmp_path) -> Folders:
    return Folders(*(tmp_path / name for name in ("emitted", "families", "teachers", "mutants")))


@pytest.fixture
def config() -> TrainConfig:
    return dataclasses.replace(TrainConfig(), family_steps=1_000_000_000, mutants=2, threads=1)


def find(folders: Folders, config: TrainConfig) -> None:
    names = ("hopper", "hopper_heavy")
    for name in names:
        lazy(name, -1.0).save(folders.emitted / name)
    assert [*find_teachers(load_suite("planar"), [names], folders, config)] == [names]


def test_a_family_that_is_trained_already_is_not_trained_again(folders, config):
    frame = Frame.of([load_suite("planar").load(name) for name in ("hopper", "hopper_heavy")])
    folders.families.mkdir()
    expert = FamilyExpert(frame, zeros(frame.size, len(frame.actuators)), 7)
    expert.save(folders.families / "hopper.safetensors")
    find(folders, config)
    for name in ("hopper", "hopper_heavy"):
        taught = Policy.load(folders.teachers / name)
        assert taught.origin == {"kind": FAMILY_EXPERT, "steps": 7}
        assert not taught.actor.weights[0].any()


def test_a_family_of_other_bodies_is_refused(folders, config):
    frame = Frame.of([load_suite("planar").load("walker")])
    folders.families.mkdir()
    FamilyExpert(frame, zeros(frame.size, len(frame.actuators)), 7).save(folders.families / "hopper.safetensors")
    with pytest.raises(CheckpointError, match="an expert of other bodies: it knows not all names of hopper"):
        find(folders, config)
