"""Branches: an expert goes on learning where its kin lack the same limbs and it lags; elsewhere it stays as it is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from test_family import best_return, make_puck, mean_return  # noqa: F401

from morphnet.bodies import Body
from morphnet.errors import SimulationError
from morphnet.learning import Progress
from morphnet.specialists import branches
from morphnet.specialists.branches import FEWEST, FULL, find_lagging, grow_branches, more_of_branches
from morphnet.specialists.family import FamilyTraining
from morphnet.specialists.family_expert import FamilyExpert, limbs_of

STEPS, BATCH = 400_000, 32 * 128


@pytest.fixture(scope="module")
def whole(make_puck) -> list[Body]:  # noqa: F811
    """Pucks with an arm, which push forwards."""
    return [make_puck(gear) for gear in (4.0, 5.0)]


@pytest.fixture(scope="module")
def armless(make_puck) -> list[Body]:  # noqa: F811
    """Those without it are driven by a motor that turns the other way."""
    return [make_puck(gear, arm=False) for gear in (-5.0, -4.5, -4.2, -4.0)]


@pytest.fixture(scope="module")
def expert(whole) -> FamilyExpert:
    """Has learnt on whole pucks alone."""
    return FamilyTraining(whole, [], 150_000, seed=0, threads=1).run()


def test_those_that_lag_learn_and_the_others_keep_what_they_have(expert, whole, armless):
    assert list(find_lagging(expert, whole, armless, 0)) == [limbs_of(armless[0])]
    assert find_lagging(expert, whole, armless[: FEWEST - 1], 0) == {}
    heard: list[Progress] = []
    grown = grow_branches(expert, whole, armless, STEPS, 0, heard.append)
    for body in armless:
        assert mean_return(body, expert) < 0.2 * best_return(body), body.name
        assert mean_return(body, grown) > 0.8 * best_return(body), body.name
    for body in whole:
        for name, tensor in expert.policy(body).actor.tensors().items():
            np.testing.assert_array_equal(grown.policy(body).actor.tensors()[name], tensor)
    assert heard[0].steps > STEPS
    assert 1.25 * STEPS <= heard[-1].steps < 1.25 * STEPS + BATCH
    assert heard[-1].total_steps == 2 * STEPS


def test_branches_share_the_steps(expert, whole, armless, monkeypatch):
    groups = {frozenset({str(number)}): armless for number in range(8)}
    monkeypatch.setattr(branches, "find_lagging", lambda *_: groups)
    heard: list[Progress] = []
    grow_branches(expert, whole, armless, 8 * 20_000, 0, heard.append)
    assert 2 * 8 * 20_000 <= heard[-1].steps < 2 * 8 * 20_000 + BATCH
    assert sorted(heard, key=lambda progress: progress.steps) == heard


def test_where_the_start_wins_there_is_no_branch(expert, whole, armless, monkeypatch):
    monkeypatch.setattr(branches.FamilyTraining, "run", lambda *_: dataclasses.replace(expert, steps=0))
    assert grow_branches(expert, whole, armless, STEPS, 0).branches == {}


def test_branches_are_in_the_file(expert, armless, tmp_path):
    shifted = dataclasses.replace(expert.actor, log_std=expert.actor.log_std + 1.0)
    branched = dataclasses.replace(expert, branches={limbs_of(armless[0]): shifted})
    branched.save(tmp_path / "puck.safetensors")
    again = FamilyExpert.load(tmp_path / "puck.safetensors")
    assert list(again.branches) == [limbs_of(armless[0])]
    np.testing.assert_array_equal(again.actor_for(armless[1]).log_std, shifted.log_std)
    np.testing.assert_array_equal(again.actor.log_std, expert.actor.log_std)


def test_a_branch_that_breaks_the_physics_is_left_out(expert, whole, armless, monkeypatch):
    def broken(*_: object, **__: object) -> FamilyExpert:
        raise SimulationError("broken")

    monkeypatch.setattr(branches.FamilyTraining, "run", broken)
    assert grow_branches(expert, whole, armless, STEPS, 0).branches == {}


def test_an_expert_that_loses_on_its_kin_has_no_branches(expert, whole, armless, monkeypatch):
    monkeypatch.setattr(branches, "judge", lambda policies, *_: -1.0 - len(policies))
    assert find_lagging(expert, whole, armless, 0) == {}


def test_branches_are_trained_on_mutants_of_few_and_those_are_taught(expert, whole, armless, monkeypatch):
    seen: list[list[str]] = []

    class Noted(FamilyTraining):
        def __init__(self, bodies, *arguments, **settings):
            seen.append([body.name for body in bodies])
            super().__init__(bodies, *arguments, **settings)

        def run(self, *_):
            self.workers.close()
            return dataclasses.replace(expert, steps=1)

    monkeypatch.setattr(branches, "FamilyTraining", Noted)
    grown = grow_branches(expert, whole, armless, STEPS, 0)
    more = more_of_branches(grown, whole, armless, 0)
    assert seen == [[body.name for body in (*armless, *more)]]
    assert len({*seen[0]}) == FULL
    assert {limbs_of(body) for body in more} == {limbs_of(armless[0])}
    sizes = {body.model.body_mass.tobytes() for body in (*armless, *more)}
    assert len(sizes) == FULL - len(armless) + 1, "the four given differ by their gears alone"
    assert not {body.name for body in more} & {body.name for body in (*whole, *armless)}
    assert more_of_branches(expert, whole, armless, 0) == [], "it has no branches"
    assert more_of_branches(grown, [*whole, *armless], [], 0) == [], "no mutants are wanted"
