"""Demonstrations of the pushed puck: by who pushes it best, and by one who reacts to what it sees."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from morphnet.adaptation.lesson import Lesson
from morphnet.bodies import Body
from morphnet.demonstrations import Demonstration, record
from morphnet.policy import ActorWeights, Policy


@pytest.fixture(scope="session")
def pushes(puck: Body, pushing: Policy) -> list[Demonstration]:
    return record(puck, pushing.actor.mean, 3, seed=1)


@pytest.fixture(scope="session")
def reacting(pushing: Policy) -> ActorWeights:
    rng = np.random.default_rng(5)
    last = (0.4 * rng.normal(size=pushing.actor.weights[2].shape)).astype(np.float32)
    first = (0.5 * pushing.actor.weights[0]).astype(np.float32)
    return dataclasses.replace(pushing.actor, weights=(first, 0.3 * pushing.actor.weights[1], last))


@pytest.fixture(scope="session")
def lesson(puck: Body, reacting: ActorWeights) -> Lesson:
    """Of noisy demonstrations, so that actions differ from what was applied last."""
    return Lesson.of(puck, record(puck, reacting.mean, 8, seed=2), np.random.default_rng(0))
