"""Frames: a body's own actor is the frame's, whatever it lacks; kin are found by names."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from morphnet.bodies import Body, load_suite
from morphnet.networks import StackedMLP
from morphnet.policy import ActorWeights
from morphnet.simulation import Observer
from morphnet.specialists.frame import Frame

HIDDEN = 7


@pytest.fixture(scope="module")
def hoppers() -> list[Body]:
    """Bodies of four and of five parts, some without a toe."""
    suite = load_suite("planar")
    return [suite.load(name) for name in ("hopper", "hopper_long_leg", "hopper_four", "hopper_five")]


@pytest.fixture(scope="module")
def frame(hoppers: list[Body]) -> Frame:
    return Frame.of(hoppers)


def draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def inputs_of(frame: Frame, body: Body, observation: np.ndarray) -> np.ndarray:
    """The frame's inputs, one name at a time."""
    seen = dict(zip(Observer(body).layout.names, observation, strict=True))
    return np.array([*(seen.get(name, 0.0) for name in frame.entries), *frame.fit(body).code], np.float32)


def test_a_body_acts_as_the_frame_does_with_what_it_lacks_at_zero(frame, hoppers):
    size, outputs = frame.size, len(frame.actuators)
    weights = (draw(HIDDEN, size), draw(HIDDEN, HIDDEN), draw(outputs, HIDDEN))
    whole = ActorWeights(weights, (draw(HIDDEN), draw(HIDDEN + 1)[1:], draw(outputs)), draw(outputs))
    for body in hoppers:
        fit, observation = frame.fit(body), draw(Observer(body).size)
        own, inputs = fit.actor(whole), inputs_of(frame, body, observation)
        assert own.fits(len(observation), body.model.nu)
        everything = dict(zip(frame.actuators, whole.mean(inputs), strict=True))
        wanted = [everything[name] for name in body.graph.actuator_names]
        np.testing.assert_allclose(own.mean(observation), wanted, rtol=1e-4, atol=1e-4)
        rows = fit.rows(torch.from_numpy(observation)[None, None], size)
        np.testing.assert_array_equal(rows[0].numpy(), inputs)


def test_the_same_of_critics(frame, hoppers):
    tensors = [torch.from_numpy(draw(1, *shape)) for shape in ((frame.size, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, 1))]
    biases = [torch.from_numpy(draw(1, 1, width)) for width in (HIDDEN, HIDDEN, 1)]
    whole = StackedMLP((tensors[0], tensors[1], tensors[2]), (biases[0], biases[1], biases[2]))
    for body in hoppers:
        observation = draw(Observer(body).size)
        inputs = torch.from_numpy(inputs_of(frame, body, observation))[None, None]
        own = frame.fit(body).critic(whole)(torch.from_numpy(observation)[None, None])
        torch.testing.assert_close(own, whole(inputs), rtol=1e-4, atol=1e-4)


def test_codes_tell_bodies_apart_and_are_of_order_one(frame, hoppers):
    codes = np.array([frame.fit(body).code for body in hoppers])
    np.testing.assert_allclose(codes.mean(axis=0), 0.0, atol=1e-4)
    np.testing.assert_allclose(codes.std(axis=0), 1.0, atol=1e-3)
    assert len(np.unique(codes.round(3), axis=0)) == len(hoppers)


def test_a_body_in_between_has_a_place(frame):
    suite = load_suite("planar")
    unseen = frame.fit(suite.load("hopper_four_short"))
    kin = {
        name: frame.fit(suite.load(name)).code for name in ("hopper", "hopper_long_leg", "hopper_four", "hopper_five")
    }
    assert min(kin, key=lambda name: float(np.square(kin[name] - unseen.code).sum())) == "hopper_four"
    assert frame.holds(suite.load("hopper_short"))
    assert not frame.holds(suite.load("walker"))
    with pytest.raises(ValueError, match="not in"):
        frame.fit(suite.load("walker"))
