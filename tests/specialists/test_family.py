"""Experts of families: they learn on all kin at once, know bodies in between, and repeat."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pucks import PUCK, TASK

from morphnet.bodies import Body, load_body
from morphnet.evaluation import PolicyController, evaluate
from morphnet.policy import Policy
from morphnet.specialists.family import FamilyTraining, Member
from morphnet.specialists.family_expert import FamilyExpert
from morphnet.specialists.frame import Frame

ARM = PUCK[PUCK.index('<body name="arm">') : PUCK.index("</body>\n")] + "</body>\n"
STEPS = 250_000


@pytest.fixture(scope="module")
def make_puck(tmp_path_factory):
    """Pucks whose motor is of another strength, or pushes backwards; some of them without the arm."""

    def make(gear: float, arm: bool = True) -> Body:
        text = PUCK.replace('gear="5"', f'gear="{gear}"')
        if not arm:
            text = text.replace(ARM, "").replace('<motor name="turn" joint="spin"/>', "")
        path = tmp_path_factory.mktemp("pucks") / f"puck_{gear}_{arm}.xml"
        path.write_text(text)
        path.with_suffix(".toml").write_text(TASK)
        return load_body(path)

    return make


@pytest.fixture(scope="module")
def kin(make_puck) -> list[Body]:
    return [make_puck(gear, arm) for gear, arm in ((5, True), (3, False), (-3, True), (-5, True), (-4.5, False))]


def train(bodies: list[Body], steps: int, threads: int = 1) -> FamilyExpert:
    return FamilyTraining(bodies[:2], bodies[2:], steps, seed=0, threads=threads).run()


@pytest.fixture(scope="module")
def expert(kin) -> FamilyExpert:
    return train(kin, STEPS)


def mean_return(body: Body, expert: FamilyExpert) -> float:
    return float(evaluate(body, PolicyController(expert.policy(body)), 20, 7).returns.mean())


def best_return(body: Body) -> float:
    """Of the constant push that pays most: reward is the puck's velocity less half of the squared control."""
    damping, dt = 1.0, body.control_step
    gear, mass = float(body.model.actuator_gear[0, 0]), float(body.model.body_subtreemass[1])
    best = -np.inf
    for push in np.linspace(-1.0, 1.0, 201):
        velocity, total = 0.0, 0.0
        for _ in range(body.task.max_episode_steps):
            velocity += dt * (gear * push - damping * velocity) / mass
            total += velocity - 0.5 * push**2
        best = max(best, total)
    return best


def test_it_learns_on_all_kin_and_knows_those_in_between(kin, expert, make_puck):
    for body in [*kin, make_puck(4), make_puck(-4), make_puck(4, arm=False), make_puck(-4, arm=False)]:
        assert mean_return(body, expert) > 0.8 * best_return(body) > 30, (body.name, mean_return(body, expert))


def test_what_tells_kin_apart_is_in_the_code(kin, expert):
    fit = expert.frame.fit(kin[0])
    blind = dataclasses.replace(fit, code=np.zeros_like(fit.code)).actor(expert.actor)
    returns = evaluate(kin[0], PolicyController(Policy(kin[0], blind, {})), 20, 7).returns
    assert returns.mean() < 0.5 * mean_return(kin[0], expert)


def test_it_repeats_however_many_threads(kin):
    one, other = train(kin, 12_000), train(kin, 12_000, threads=2)
    for name, tensor in one.actor.tensors().items():
        np.testing.assert_array_equal(tensor, other.actor.tensors()[name])


@given(st.integers(0, 9), st.integers(1, 30), st.integers(1, 20), st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_all_take_turns_and_nobody_twice_at_a_time(always, others, room, seed):
    room = min(room, others)
    training = object.__new__(FamilyTraining)
    training.members, training._turns = list(range(always + others)), []
    training._always, training._at_once, training._rng = always, always + room, np.random.default_rng(seed)
    counts = np.zeros(always + others, int)
    for _ in range(40):
        turn = training._whose_turn(always + others)
        assert len(turn) == len(set(turn)) == always + room
        counts[turn] += 1
    assert (counts[:always] == 40).all()
    assert counts[always:].max() - counts[always:].min() <= 1


def test_mutants_come_in_one_after_the_other_the_likest_first(make_puck):
    bodies, mutants = [make_puck(5.0)], [make_puck(gear) for gear in np.linspace(1.0, 4.5, 30)]
    training = FamilyTraining(bodies, mutants, 1000, 0, 1)
    training.workers.close()
    codes = np.array([training.frame.fit(member.fit.body).code for member in training.members])
    assert training.members[0].fit.body is bodies[0]
    assert (np.diff(np.linalg.norm(codes - codes[0], axis=1)) >= 0).all()
    seen = []
    for done in (0.0, 0.15, 0.3, 0.45, 0.6, 1.0):
        training.steps = int(done * 1000)
        seen.append(training._ready())
    assert seen[:2] == [16, 16]
    assert seen[-2:] == [31, 31]
    assert 16 < seen[2] < seen[3] < 31
    newest = {id(member) for _ in range(20) for member in training._whose_turn(20)}
    assert newest == {id(member) for member in training.members[:20]}


def test_looking_at_all_leaves_no_turns_of_those_that_are_not_due(make_puck):
    bodies, mutants = [make_puck(5.0)], [make_puck(gear) for gear in np.linspace(1.0, 4.5, 20)]
    training, seen = FamilyTraining(bodies, mutants, 40_000, 0, 1), []
    whose = training._whose_turn

    def note(ready: int) -> list[Member]:
        turn = whose(ready)
        seen.append((ready, [training.members.index(member) for member in turn]))
        return turn

    training._whose_turn = note
    training.run()
    assert seen[0][0] == 21
    assert any(ready == 16 for ready, _ in seen)
    assert all(max(turn) < ready for ready, turn in seen)


def test_samples_hold_what_was_done_and_the_mean_of_what_is_missing(kin):
    frame = Frame.of(kin)
    bare = frame.fit(kin[-1])
    member = Member(bare, 2, np.random.SeedSequence(0))
    training = FamilyTraining(kin, [], 1000, 0, 1)
    training.workers.close()
    training.actor.perceptron.layers.three[:] = [0.3, -0.2]
    whole, critic = training.actor(), training.critic(training.actor.statistics)
    samples = member.collect(training.actor.emitted(), whole, critic, 0.9)
    done = member.collector._action.transpose(0, 1).flatten(1, 2)
    assert torch.equal(samples.action[:, :, bare.actuators], done)
    (missing,) = set(range(len(frame.actuators))) - set(bare.actuators.tolist())
    assert torch.equal(samples.action[:, :, missing], whole.mean(samples.observation)[:, :, missing])
    normal = torch.distributions.Normal(whole.mean(samples.observation), whole.log_std.exp())
    torch.testing.assert_close(samples.log_prob, normal.log_prob(samples.action).sum(dim=-1), rtol=1e-4, atol=1e-4)
