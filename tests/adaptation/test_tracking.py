"""The worth of states and episodes, by hand on a puck; and that no reward enters it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pucks import constant_actor

from morphnet.adaptation.imitation import DemonstratedStarts, ImitationAim, Marker
from morphnet.adaptation.lesson import Lesson
from morphnet.adaptation.tracking import MEMORY, SHARPNESS, SLOWEST, SMALLEST_SPREAD, Tracking
from morphnet.bodies import load_body
from morphnet.demonstrations import observations_of, record
from morphnet.evaluation import PolicyController, evaluate
from morphnet.learning.rollout import Rollout
from morphnet.policy import Policy


@pytest.fixture
def tracking(puck, pushes):
    return Tracking(puck, pushes)


def test_demonstrated_states_are_most_alike_and_others_by_their_distance(puck, pushes, tracking):
    shown = np.concatenate([observations_of(puck, d) for d in pushes])
    np.testing.assert_allclose(tracking.likeness(shown), 1.0, atol=1e-3)
    names = Policy(puck, constant_actor(puck, [0, 0]), {}).observation_names
    entry = names.index("joint/spin/sine")
    far = shown[:1].copy()
    far[0, entry] += 5.0
    spread = max(shown[:, entry].std(), SMALLEST_SPREAD)
    nearest = min((far[0, entry] - shown[:, entry]) ** 2) / spread**2 / len(names)
    assert tracking.likeness(far)[0] <= np.exp(-SHARPNESS * nearest) + 1e-6
    assert tracking.likeness(far)[0] == pytest.approx(np.exp(-SHARPNESS * nearest), rel=0.5)


def test_speed_is_that_of_the_last_quarter(pushes, tracking):
    expected = np.mean([d.qvel[-(len(d.qvel) // 4) :, 0].mean() for d in pushes])
    assert tracking.speed == pytest.approx(expected, rel=1e-4)
    assert tracking.speed > 1.0


def test_worth_follows_the_smoothed_speed(puck, pushes, tracking):
    shown = observations_of(puck, pushes[0])[:6, None]
    begins = np.zeros((6, 1), bool)
    begins[[0, 4]] = True
    smooth, expected, mean = np.zeros(1), [], 0.0
    decay = np.exp(-puck.control_step / MEMORY)
    for t, speed in enumerate(pushes[0].qvel[:6, 0]):
        mean = tracking.speed if begins[t, 0] else mean
        mean = decay * mean + (1 - decay) * speed
        expected.append(0.5 + 0.5 * max(0.0, 1 - abs(mean - tracking.speed) / max(tracking.speed, SLOWEST)))
    np.testing.assert_allclose(tracking.worth(shown, begins, smooth)[:, 0], expected, atol=1e-4)
    assert smooth[0] == pytest.approx(mean, rel=1e-4)


def test_who_does_as_shown_is_worth_most(puck, tracking):
    best, *others = (tracking.follow(constant_actor(puck, [push, 0.0]), 6, seed=9) for push in (1.0, 0.6, 0.1, -1.0))
    assert best.score > max(other.score for other in others) + 0.2
    assert best.likeness > max(other.likeness for other in others)


def test_survival_is_the_share_of_the_longest_episode():
    hopper = load_body("hopper")
    actor = constant_actor(hopper, [0.3, -0.2, 0.1])
    episodes = record(hopper, actor.mean, 2, seed=4)
    assert all(d.terminated for d in episodes)
    short = Tracking(hopper, episodes)
    assert short.longest == round(np.mean([len(d) for d in episodes]))
    tracking = Tracking(hopper, [episodes[0].fragment(0, 20)])
    assert tracking.longest == hopper.task.max_episode_steps
    lengths = evaluate(hopper, PolicyController(Policy(hopper, actor, {})), 5, seed=8).lengths
    followed = tracking.follow(actor, 5, seed=8)
    assert followed.survival == pytest.approx(lengths.sum() / 5 / tracking.longest)
    assert followed.score < followed.survival


def test_rewards_become_worth_and_episodes_their_sums(puck, pushes, tracking):
    shown = [observations_of(puck, d)[:7] for d in pushes[:2]]
    observation = torch.from_numpy(np.stack(shown, axis=1)[:, None])
    ended = torch.zeros(6, 1, 2)
    ended[3, 0, 1] = ended[5, 0, 0] = 1.0
    unused = torch.zeros(6, 1, 2, 2)
    rollout = Rollout(observation, unused, unused, torch.full((6, 1, 2), -99.0), ended, [], [(0, -5.0, 4), (0, 7.0, 6)])
    Marker(tracking, 2)(rollout)
    begins = np.zeros((6, 2), bool)
    begins[0] = begins[4, 1] = True
    worth = tracking.worth(observation[:-1, 0].numpy(), begins, np.zeros(2))
    np.testing.assert_allclose(rollout.reward[:, 0], worth, atol=1e-6)
    (_, second, length), (_, first, _) = rollout.episodes
    assert length == 4
    assert second == pytest.approx(worth[:4, 1].sum() / tracking.longest)
    assert first == pytest.approx(worth[:, 0].sum() / tracking.longest)


def test_a_rollout_goes_on_where_the_last_one_stopped(puck, pushes, tracking):
    whole = torch.from_numpy(observations_of(puck, pushes[0])[:13])[:, None, None]

    def rollout(first, last):
        steps = last - first
        unused = torch.zeros(steps, 1, 1, 2)
        nothing = torch.zeros(steps, 1, 1)
        return Rollout(whole[first : last + 1], unused, unused, nothing.clone(), nothing.clone(), [], [])

    at_once, one, two = rollout(0, 12), rollout(0, 5), rollout(5, 12)
    Marker(tracking, 1)(at_once)
    mark = Marker(tracking, 1)
    mark(one)
    mark(two)
    torch.testing.assert_close(at_once.reward, torch.cat([one.reward, two.reward]))


def test_about_half_of_the_starts_are_demonstrated(puck, pushes):
    drawn = DemonstratedStarts(puck, pushes).draw(np.random.default_rng(0), 2000)
    shown = {state.tobytes() for d in pushes for state in d.qvel[:-1]}
    demonstrated = np.array([state.tobytes() in shown for state in drawn.qvel])
    assert 0.45 < demonstrated.mean() < 0.55
    assert not drawn.ctrl[~demonstrated].any()
    assert (drawn.ctrl[demonstrated] == [1.0, 0.0]).all(axis=1).mean() > 0.9, "all but the first of an episode"


def test_the_anchor_holds_what_was_demonstrated(puck, pushes):
    lesson = Lesson.of(puck, pushes, np.random.default_rng(0))
    anchor = ImitationAim(lesson, pushes, Tracking(puck, pushes)).anchor
    assert len(anchor.observation) == len(anchor.action) == sum(len(d) for d in pushes)
    np.testing.assert_allclose(anchor.action, np.tile([1.0, 0.0], (len(anchor.action), 1)), atol=1e-6)
