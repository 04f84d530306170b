"""Teachers: which mutants are worth teaching, and families that are trained already."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import pytest

from morphnet.bodies import load_suite
from morphnet.config import TrainConfig
from morphnet.errors import CheckpointError
from morphnet.policy import ActorWeights, Policy
from morphnet.specialists import teachers
from morphnet.specialists.family_expert import FAMILY_EXPERT, FamilyExpert
from morphnet.specialists.frame import Frame
from morphnet.specialists.kin import mutate_alike
from morphnet.specialists.teachers import WORTH, WORTH_EPISODES, Folders, family_file, judge, worth_teaching

HIDDEN = 4
NAMES = ["hopper", "hopper_heavy"]


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


def test_only_mutants_that_reach_a_share_of_their_kin_are_taught(monkeypatch):
    policies = [lazy("hopper", push) for push in (0.0, 0.3, -0.3, 1.0)]
    returns = [judge([policy], 0, WORTH_EPISODES) for policy in policies]
    assert min(returns) > 0.0
    assert len({*returns}) == 4
    for lowest in returns:
        kept = worth_teaching(policies, lowest / WORTH * (1.0 - 1e-9), 0)
        assert kept == [policy for policy, value in zip(policies, returns, strict=True) if value >= lowest]
    assert worth_teaching(policies, 1e9, 0) == []
    assert worth_teaching(policies, -1.0, 0) == policies
    monkeypatch.setattr(teachers, "judge", lambda judged, *_: -math.inf if judged == [policies[1]] else -5.0)
    assert worth_teaching(policies, -1.0, 0) == [policies[0], *policies[2:]]


@pytest.fixture
def folders(tmp_path) -> Folders:
    return Folders(*(tmp_path / name for name in ("emitted", "families", "teachers", "mutants")))


@pytest.fixture
def find(folders, monkeypatch):
    """Returns a function that finds the teachers of two hoppers, whose expert is there already, and two mutants."""

    def untrained(*_: object, **__: object) -> None:
        raise AssertionError("nothing is to be trained")

    def run(knows: Sequence[str] = NAMES) -> None:
        bodies = [load_suite("planar").load(name) for name in knows]
        frame = Frame.of(bodies)
        folders.families.mkdir()
        expert = FamilyExpert(frame, zeros(frame.size, len(frame.actuators)), 7, [body.identity for body in bodies], {})
        expert.save(family_file(folders.families, "hopper"))
        for name in NAMES:
            lazy(name, -1.0).save(folders.emitted / name)
        config = dataclasses.replace(TrainConfig(), mutants=2, threads=1)
        assert teachers._find(load_suite("planar"), NAMES, folders, config) == NAMES

    monkeypatch.setattr(teachers, "FamilyTraining", untrained)
    return run


def test_a_family_that_is_trained_already_is_not_trained_again(find, folders):
    find()
    for name in NAMES:
        taught = Policy.load(folders.teachers / name)
        assert taught.origin == {"kind": FAMILY_EXPERT, "steps": 7}
        assert not taught.actor.weights[0].any()


@pytest.mark.parametrize("worth", [[True, True], [True, False], [False, False]])
def test_mutants_that_are_not_worth_it_are_not_kept(find, folders, monkeypatch, worth):
    honest = teachers.judge

    def judge(policies: Sequence[Policy], seed: int, *episodes: int) -> float:
        (number,) = {int(policy.body.name.partition("~")[2] or -1) for policy in policies}
        return honest(policies, seed, *episodes) if number < 0 or worth[number] else -1.0

    monkeypatch.setattr(teachers, "judge", judge)
    find()
    kept = sorted(path.name for path in (folders.mutants / "hopper").iterdir())
    assert kept == [f"hopper~{number:03d}" for number in range(2) if worth[number]]


def test_those_that_make_up_the_number_of_a_branch_are_taught(find, folders, monkeypatch):
    more = mutate_alike([load_suite("planar").load("hopper")], 1, 0)
    monkeypatch.setattr(teachers, "more_of_branches", lambda *_: more)
    monkeypatch.setattr(teachers, "worth_teaching", lambda mutants, *_: list(mutants))
    find()
    kept = sorted(path.name for path in (folders.mutants / "hopper").iterdir())
    assert kept == ["hopper~000", "hopper~001", "hopper~alike000"]


def test_a_family_of_other_bodies_is_refused(find):
    with pytest.raises(CheckpointError, match=r"hopper\.safetensors: an expert of other bodies, .*: hopper_four$"):
        find(["hopper_four"])
