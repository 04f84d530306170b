"""Recorded states: those that the physics went through, and what a policy would have seen there."""

from __future__ import annotations

import dataclasses

import minari
import mujoco
import numpy as np
import pytest
from demonstrators import wobble

from morphnet.demonstrations import observations_of, pairs, read_demonstrations, record, write_demonstrations
from morphnet.errors import DemonstrationError
from morphnet.evaluation import evaluate
from morphnet.simulation import ControlScale, Simulation


class Wobble:
    def actions(self, observation):
        return wobble(observation)


def states(demonstration):
    return [getattr(demonstration, name) for name in ("qpos", "qvel", "act", "last_ctrl", "reward")]


def test_recording_gives_the_episodes_of_an_evaluation(hopper, hops):
    evaluation = evaluate(hopper, Wobble(), 3, seed=4)
    np.testing.assert_allclose([d.total_reward for d in hops], evaluation.returns, rtol=1e-12)
    assert [len(d) for d in hops] == evaluation.lengths.tolist()
    assert all(d.terminated for d in hops)
    assert len({len(d) for d in hops}) > 1


@pytest.mark.parametrize("name", ["hopper", "muscular"])
def test_mujoco_goes_through_the_recorded_states(name, request):
    body = request.getfixturevalue(name)
    rng = np.random.default_rng(1)
    (demonstration,) = record(body, lambda observation: rng.uniform(-1, 1, (1, body.model.nu)), 1, seed=2, steps=30)
    data = mujoco.MjData(body.model)
    data.qpos[:], data.qvel[:] = demonstration.qpos[0], demonstration.qvel[0]
    assert not demonstration.last_ctrl[0].any()
    assert not demonstration.act[0].any()
    for t, ctrl in enumerate(demonstration.ctrl):
        data.ctrl[:] = ctrl
        mujoco.mj_step(body.model, data, body.frame_skip)
        np.testing.assert_array_equal(data.qpos, demonstration.qpos[t + 1])
        np.testing.assert_array_equal(data.qvel, demonstration.qvel[t + 1])
        np.testing.assert_array_equal(data.act, demonstration.act[t + 1])
    assert np.ptp(demonstration.qpos, axis=0).max() > 1e-3


@pytest.mark.parametrize("name", ["hopper", "muscular", "crawler"])
def test_pairs_are_what_the_policy_observes_to_the_bit(name, request, untrained_policy):
    body = request.getfixturevalue(name)
    policy = untrained_policy(body)
    demonstrations = record(body, policy.actor.mean, 2, seed=3, steps=20, noise=0.3)
    observation, action = pairs(body, demonstrations)
    data, row = mujoco.MjData(body.model), 0
    for demonstration in demonstrations:
        for t in range(len(demonstration)):
            data.qpos[:], data.qvel[:] = demonstration.qpos[t], demonstration.qvel[t]
            data.act[:], data.ctrl[:] = demonstration.act[t], demonstration.last_ctrl[t]
            np.testing.assert_array_equal(policy.observe(data), observation[row])
            row += 1
    assert row == len(observation) == len(action)
    applied = np.concatenate([demonstration.ctrl for demonstration in demonstrations])
    np.testing.assert_allclose(ControlScale(body.model).to_ctrl(action), applied, atol=1e-12)


def test_without_noise_actions_are_the_policys(hopper, untrained_policy):
    policy = untrained_policy(hopper)
    observation, action = pairs(hopper, record(hopper, policy.actor.mean, 2, seed=3, steps=20))
    np.testing.assert_allclose(action, np.clip(policy.actor.mean(observation), -1, 1), atol=1e-7)


def test_noise_is_as_large_as_asked_and_follows_the_seed(hopper):
    def still(observation):
        return np.zeros((len(observation), 3))

    recorded = record(hopper, still, 20, seed=5, steps=15, noise=0.2)
    _, action = pairs(hopper, recorded)
    assert 0.17 < action.std() < 0.23
    again = record(hopper, still, 20, seed=5, steps=15, noise=0.2)
    for one, two in zip(recorded, again, strict=True):
        assert all((a == b).all() for a, b in zip(states(one), states(two), strict=True))


def test_steps_cut_episodes_off(hopper, hops):
    cut = record(hopper, wobble, 3, seed=4, steps=7)
    for short, whole in zip(cut, hops, strict=True):
        assert len(short) == 7
        assert not short.terminated
        for a, b in zip(states(short), states(whole.fragment(0, 7)), strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_fragment_is_a_piece_of_its_episode(hopper, hops):
    whole = hops[0]
    piece = whole.fragment(5, 4)
    assert len(piece) == 4
    assert not piece.terminated
    np.testing.assert_array_equal(piece.ctrl, whole.ctrl[5:9])
    np.testing.assert_array_equal(observations_of(hopper, piece), observations_of(hopper, whole)[5:10])
    end = whole.fragment(len(whole) - 3, 100)
    assert len(end) == 3
    assert end.terminated


def test_pairs_of_nothing_are_refused(hopper):
    with pytest.raises(DemonstrationError, match="no demonstrations of hopper"):
        pairs(hopper, [])


def test_demonstrations_of_reaching_hold_their_goals(arm, tmp_path):
    simulation = Simulation(arm, 2, np.random.default_rng(3), nthread=2)
    goals, first = simulation.command.copy(), simulation.observation.copy()
    demonstrations = record(arm, wobble, 2, seed=3, steps=8)
    assert [d.goal.tolist() for d in demonstrations] == goals.tolist()
    write_demonstrations(tmp_path / "reaching", arm, demonstrations)
    for before, after in zip(demonstrations, read_demonstrations(tmp_path / "reaching", arm), strict=True):
        assert np.array_equal(before.goal, after.goal)
        assert np.array_equal(after.fragment(2, 3).goal, before.goal)
    observed = [observations_of(arm, d)[0] for d in demonstrations]
    assert np.array_equal(observed, first)
    dataset = minari.MinariDataset(tmp_path / "reaching")
    options = next(iter(dataset.storage.get_episode_metadata([1])))["options"]
    assert np.array_equal(dataset.recover_environment().reset(options=options)[0], observed[1])


def test_a_demonstration_without_its_goal_is_refused(arm):
    demonstration = dataclasses.replace(record(arm, wobble, 1, seed=0, steps=4)[0], goal=None)
    with pytest.raises(DemonstrationError, match=r"^here: goal = None; flat_arm_3 is to reach"):
        demonstration.check(arm, "here")
