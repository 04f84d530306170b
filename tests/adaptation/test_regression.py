"""Fitting: it overfits one body, stops, hides what it is to hide, and keeps responses."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
import pytest

from morphnet.adaptation.regression import Regression


@pytest.fixture
def long():
    return Regression(steps=1500, patience=1000, learning_rate=3e-3)


def arrays(actor):
    return [*actor.weights, *actor.biases, actor.log_std]


def test_a_fresh_actor_overfits_one_body(lesson, lazy, long):
    fitted = long.fit(lesson, lazy.actor, seed=0, fresh=True)
    assert lesson.explained(fitted) > 0.99
    assert [a.shape for a in arrays(fitted)] == [a.shape for a in arrays(lazy.actor)]
    np.testing.assert_array_equal(fitted.log_std, lazy.actor.log_std)


def test_what_cannot_be_improved_stays_as_it_is(lesson, reacting):
    fitted = Regression(steps=200).fit(lesson, reacting, seed=0, fresh=False)
    np.testing.assert_allclose(fitted.mean(lesson.observation), reacting.mean(lesson.observation), atol=1e-3)


def test_it_is_kept_as_it_was_when_the_held_out_part_was_imitated_best(lesson, lazy, long):
    """Held-out steps at which nothing was done speak for the actor that has learnt the least."""
    spoilt = lesson.action.copy()
    spoilt[lesson.held_out] = 0.0
    examined = dataclasses.replace(lesson, action=spoilt)
    fitted = long.fit(examined, lazy.actor, seed=0, fresh=True)
    assert examined.loss(fitted) < 1e-3 < 0.1 * np.square(lesson.action).mean()


def test_the_blind_do_not_see_the_last_control(lesson, lazy):
    fitted = Regression(steps=100, noise=0.1, blind=True).fit(lesson, lazy.actor, seed=0, fresh=True)
    assert not fitted.weights[0][:, lesson.last_control].any()
    assert fitted.weights[0][:, ~lesson.last_control].any(axis=0).all()


def test_responses_to_disturbances_are_kept(lesson, reacting):
    """Where all actions are shifted, an actor that keeps its responses shifts, and does not flatten."""
    shifted = dataclasses.replace(lesson, action=np.full_like(lesson.action, 0.2))
    rng = np.random.default_rng(0)
    disturbed = lesson.observation + 0.3 * lesson.observation.std(axis=0) * rng.normal(size=lesson.observation.shape)

    def response(actor):
        return actor.mean(disturbed) - actor.mean(lesson.observation)

    flat, kept = (
        Regression(steps=600, learning_rate=1e-3, noise=0.3, response=weight).fit(shifted, reacting, 0, fresh=False)
        for weight in (0.0, 3.0)
    )
    errors = [np.square(response(actor) - response(reacting)).mean() for actor in (flat, kept)]
    assert errors[1] < 0.5 * errors[0]


def test_the_seed_decides_everything(lesson, lazy):
    short = Regression(steps=100, noise=0.1)
    one, same, other = (short.fit(lesson, lazy.actor, seed, fresh=True) for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(arrays(one), arrays(same), strict=True))
    assert not np.array_equal(one.weights[0], other.weights[0])


def test_a_deadline_and_impatience_end_it(lesson, lazy, reacting):
    started = time.monotonic()
    Regression(steps=10**6).fit(lesson, lazy.actor, 0, fresh=True, deadline=started)
    Regression(steps=10**6, patience=2, learning_rate=1e-9).fit(lesson, reacting, 0, fresh=False)
    assert time.monotonic() - started < 20
