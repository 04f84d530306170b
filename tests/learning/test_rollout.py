"""Rollouts: what is recorded is what happened."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from morphnet.bodies import load_body
from morphnet.learning.checkpoint import build_networks
from morphnet.learning.group import make_groups
from morphnet.learning.rollout import Rollout, RolloutCollector, side_by_side
from morphnet.simulation import Simulation, TaskStarts

HORIZON = 60
ARM = """<mujoco><option timestep="0.02" gravity="0 0 0"/><worldbody><body><joint name="a" axis="0 0 1" range="-90 90"
  damping=".1"/><geom type="capsule" size=".02" fromto="0 0 0 1 0 0"/><body name="hand" pos="1 0 0">
  <joint name="b" axis="0 0 1" range="0 120" damping=".1"/><geom type="capsule" size=".02" fromto="0 0 0 .5 0 0"/>
  </body></body></worldbody><actuator><motor joint="a"/><motor joint="b"/></actuator></mujoco>"""
"""Two links that reach, in a plane."""


@pytest.fixture
def actor(make_group, tiny):
    robots = make_group(1).robots
    features = {kind: values.shape[-1] for kind, values in robots.features.items()}
    with torch.no_grad():
        return build_networks(features, tiny).actor(robots)


def collect(group, actor, rollouts=1):
    """Return a copy of the last of some rollouts, on which the collector would write its next."""
    collector = RolloutCollector(group, HORIZON)
    for _ in range(rollouts):
        rollout = collector.collect(actor)
    names = ("observation", "action", "noise", "reward", "ended")
    return dataclasses.replace(rollout, **{name: getattr(rollout, name).clone() for name in names})


def test_order_of_the_group(make_group):
    """The tests below index bodies by this order."""
    assert [s.body.name for s in make_group().simulations] == ["slider", "tipper", "crawler"]


def test_other_seeds_give_other_rollouts(make_group, actor):
    first, same, other = (collect(make_group(seed=seed), actor) for seed in (0, 0, 1))
    assert torch.equal(first.observation, same.observation)
    assert torch.equal(first.action, same.action)
    for body in range(3):
        assert not torch.equal(first.observation[0, body], other.observation[0, body])
        assert not torch.equal(first.noise[:, body], other.noise[:, body])
    assert not torch.equal(first.noise[:, 1], first.noise[:, 2])


@pytest.mark.parametrize("rollouts", [1, 2])
def test_replaying_the_actions_gives_the_recorded_observations_and_rewards(make_group, actor, rollouts):
    rollout = collect(make_group(), actor, rollouts)
    assert rollout.ended.sum(dim=(0, 2)).gt(0).all(), "an episode must end on every body"
    if rollouts > 1:  # bring fresh simulations to where the second rollout starts
        before = collect(make_group(), actor)
        assert torch.equal(before.observation[-1], rollout.observation[0])
    for body, simulation in enumerate(make_group().simulations):
        size, nu = simulation.observer.size, simulation.body.model.nu
        running = np.zeros(3)
        returns: list[float] = []
        if rollouts > 1:
            for action in before.action[:, body, :, :nu].numpy():
                step = simulation.step(action)
                running = np.where(step.terminated | step.truncated, 0.0, running + step.reward.total)
        for t in range(HORIZON):
            recorded = rollout.observation[t, body].numpy()
            np.testing.assert_array_equal(recorded[:, :size], simulation.observation)
            assert not recorded[:, size:].any()
            step = simulation.step(rollout.action[t, body, :, :nu].numpy())
            np.testing.assert_array_equal(rollout.reward[t, body], step.reward.total.astype(np.float32))
            running += step.reward.total
            ended = step.terminated | step.truncated
            np.testing.assert_array_equal(rollout.ended[t, body].numpy().astype(bool), ended)
            returns += running[ended].tolist()
            running[ended] = 0.0
        np.testing.assert_array_equal(rollout.observation[HORIZON, body, :, :size], simulation.observation)
        np.testing.assert_allclose([value for b, value, _ in rollout.episodes if b == body], returns)


class Counted:
    """Starts of a user's own, which are counted."""

    def __init__(self, body):
        self.own, self.draws = TaskStarts(body), 0

    def draw(self, rng, count):
        self.draws += 1
        return self.own.draw(rng, count)


def test_goals_and_starts_of_a_users_own_are_those_that_single_steps_begin_with(tmp_path, tiny):
    """They are drawn in Python, which the compiled rollout goes back to when it has used up what was drawn before."""
    (tmp_path / "arm.xml").write_text(ARM)
    (tmp_path / "arm.toml").write_text('kind = "reach"\nend_effector = "hand"\nmax_episode_steps = 7\nframe_skip = 1\n')
    body = load_body(tmp_path / "arm.xml")
    starts = [Counted(body) for _ in range(2)]
    first, twin = (Simulation(body, 3, np.random.default_rng(0), starts=start) for start in starts)
    for simulation in (first, twin):
        simulation.stagger()
    (group,) = make_groups([("arm", first)], [np.random.default_rng(1)], threads=1)
    features = {kind: values.shape[-1] for kind, values in group.robots.features.items()}
    with torch.no_grad():
        actor = build_networks(features, tiny).actor(group.robots)
    goals = twin.command.copy()
    for _ in range(2):
        rollout = collect(group, actor)
        for t in range(HORIZON):
            np.testing.assert_array_equal(rollout.observation[t, 0], twin.observation)
            step = twin.step(rollout.action[t, 0].numpy())
            np.testing.assert_array_equal(rollout.reward[t, 0], step.reward.total.astype(np.float32))
        np.testing.assert_array_equal(first.command, twin.command)
    assert (first.command != goals).any(axis=1).all()
    ends = 2 * HORIZON * 3 // 7
    assert starts[0].draws <= ends // 3 + 3, "many at a time"


def test_both_kinds_of_ends_occur_and_are_told_apart(make_group, actor):
    rollout = collect(make_group(), actor)
    truncated = torch.zeros_like(rollout.ended)
    for t, body, sim, _ in rollout.truncated:
        truncated[t, body, sim] = 1.0
    assert truncated.sum() == len(rollout.truncated)
    assert truncated[:, 0].sum() == rollout.ended[:, 0].sum() == 3 * (HORIZON // 11)
    assert (truncated <= rollout.ended).all()
    assert truncated[:, 1].sum() < rollout.ended[:, 1].sum(), "the tipper is terminated"
    assert truncated[:, 2].sum() == 3 * (HORIZON // 25)
    assert {length for body, _, length in rollout.episodes if body == 0} == {11}
    counts = [sum(b == body for b, _, _ in rollout.episodes) for body in range(3)]
    assert counts == rollout.ended.sum(dim=(0, 2)).int().tolist()


@pytest.mark.parametrize("body", [0, 2])
def test_a_truncated_episode_reports_the_state_it_ended_in(make_group, actor, simulate, body):
    """Without a limit on its length, an episode goes on: there is the observation that truncation hid."""
    group = make_group()
    rollout = collect(group, actor)
    robot = group.simulations[body].body
    seed = next(i for i, s in enumerate(simulate()) if s.body is robot)
    endless = robot.with_task(robot.task.replace(max_episode_steps=10**6))
    simulation = Simulation(endless, 3, np.random.default_rng([0, seed]))
    length = robot.task.max_episode_steps
    for t in range(length):
        simulation.step(rollout.action[t, body, :, : robot.model.nu].numpy())
    finals = {sim: final for t, b, sim, final in rollout.truncated if (t, b) == (length - 1, body)}
    assert sorted(finals) == [0, 1, 2]
    for sim, final in finals.items():
        np.testing.assert_array_equal(final, simulation.observation[sim])
        assert not np.array_equal(final, rollout.observation[length, body, sim, : len(final)].numpy())


def test_actions_are_the_actors_means_plus_its_noise(make_group, actor):
    rollout = collect(make_group(), actor)
    mean = actor.mean(rollout.observation[:HORIZON].transpose(0, 1).flatten(1, 2))
    for body, nu in enumerate((1, 2, 2)):
        noise = (rollout.action[:, body] - mean[body].view(HORIZON, 3, -1))[..., :nu]
        noise /= actor.log_std[body, 0, :nu].exp()
        torch.testing.assert_close(rollout.noise[:, body, :, :nu], noise, atol=1e-5, rtol=1e-4)
    drawn = rollout.noise[:, 1].flatten()
    assert abs(float(drawn.mean())) < 5 / len(drawn) ** 0.5
    assert float(drawn.std()) == pytest.approx(1.0, abs=0.2)


def test_rollouts_side_by_side_are_one_of_all_simulations():
    """Every number says which rollout, step and simulation it is of."""

    def coded(rollout: int, sims: int) -> Rollout:
        code = torch.tensor([[[100.0 * rollout + 10 * t + sim for sim in range(sims)]] for t in range(4)])
        ends = [(2, 0, sims - 1, np.full(3, rollout))]
        vectors = code[..., None].expand(-1, -1, -1, 3)
        return Rollout(vectors, vectors[:3, ..., :2], vectors[:3, ..., :2], code[:3], code[:3], ends, [(0, rollout, 5)])

    joined = side_by_side([coded(0, 2), coded(1, 3)])
    assert joined.reward[1, 0].tolist() == [10, 11, 110, 111, 112]
    assert joined.observation[3, 0, :, 1].tolist() == [30, 31, 130, 131, 132]
    assert joined.action.shape == joined.noise.shape == (3, 1, 5, 2)
    assert [(t, body, sim, int(final[0])) for t, body, sim, final in joined.truncated] == [(2, 0, 1, 0), (2, 0, 4, 1)]
    assert joined.episodes == [(0, 0, 5), (0, 1, 5)]
