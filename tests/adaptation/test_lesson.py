"""What is fitted and what is held out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morphnet.adaptation.lesson import BLOCK, HELD_OUT, STILL, Lesson
from morphnet.demonstrations import record
from morphnet.errors import DemonstrationError


def test_observations_and_actions_are_those_of_the_demonstrator(puck, reacting):
    demonstrations = record(puck, reacting.mean, 2, seed=3)
    lesson = Lesson.of(puck, demonstrations, np.random.default_rng(0))
    assert len(lesson.observation) == sum(map(len, demonstrations))
    np.testing.assert_allclose(np.clip(reacting.mean(lesson.observation), -1, 1), lesson.action, atol=1e-5)
    assert lesson.loss(reacting) < 1e-9
    assert lesson.explained(reacting) > 0.9999


@settings(max_examples=30, deadline=None)
@given(steps=st.integers(2, 50), episodes=st.integers(1, 4), seed=st.integers(0, 99))
def test_every_step_is_fitted_or_held_out_and_there_are_both(puck, reacting, steps, episodes, seed):
    demonstrations = [d.fragment(0, steps) for d in record(puck, reacting.mean, episodes, seed=seed)]
    lesson = Lesson.of(puck, demonstrations, np.random.default_rng(seed))
    assert sorted([*lesson.train, *lesson.held_out]) == list(range(steps * episodes))
    assert 0 < len(lesson.held_out) <= max(1, len(lesson.train))


def test_neighbours_are_held_out_together(puck, reacting):
    demonstrations = record(puck, reacting.mean, 20, seed=3)
    lesson = Lesson.of(puck, demonstrations, np.random.default_rng(0))
    runs = np.split(lesson.held_out, np.flatnonzero(np.diff(lesson.held_out) != 1) + 1)
    assert all(len(run) % BLOCK == 0 for run in runs)
    assert len(lesson.held_out) == HELD_OUT * len(lesson.observation)


def test_who_always_does_the_same_is_explained_by_the_error_itself(puck, pushes, lazy, pushing):
    lesson = Lesson.of(puck, pushes, np.random.default_rng(0))
    assert lesson.explained(pushing.actor) == pytest.approx(1.0)
    # lazy does 0.1 and 0.3 where 1 and 0 were shown
    assert lesson.loss(lazy.actor) == pytest.approx((0.9**2 + 0.3**2) / 2, rel=1e-5)
    assert lesson.explained(lazy.actor) == pytest.approx(1 - (0.9**2 + 0.3**2) / 2 / STILL, rel=1e-5)


def test_the_last_control_is_found_by_name(lesson):
    names = [name for name, hidden in zip(lesson.layout.names, lesson.last_control, strict=True) if hidden]
    assert names == ["actuator/push/control", "actuator/turn/control"]


def test_nothing_and_another_body_are_refused(puck, pushes):
    from morphnet.bodies import load_body

    with pytest.raises(DemonstrationError, match="at least one"):
        Lesson.of(puck, [], np.random.default_rng(0))
    with pytest.raises(DemonstrationError, match="demonstration 0: qpos has shape"):
        Lesson.of(load_body("hopper"), pushes, np.random.default_rng(0))
