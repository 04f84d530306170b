"""Lesson: what demonstrations teach by themselves, as observations and actions to learn from and to be examined on."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from morphnet.bodies import Body
from morphnet.demonstrations import Demonstration, pairs
from morphnet.policy import ActorWeights
from morphnet.simulation import ObservationLayout, Observer

HELD_OUT = 0.2
"""Share of the control steps that nothing is fitted to."""
BLOCK = 25
"""Control steps that are held out together: neighbours are so alike that one gives the other away."""

STILL = 1e-3
"""Variance of actions below which errors count as shares of this: who always does the same varies by rounding."""


@dataclasses.dataclass(frozen=True, eq=False)
class Lesson:
    """N demonstrated control steps of one body.

    Attributes:
        body: the body.
        layout: which entry of an observation is what.
        observation: (N, D) float32.
        action: (N, nu) float32 in [-1, 1].
        train, held_out: indices of the steps to fit and of those to examine on.
    """

    body: Body
    layout: ObservationLayout
    observation: np.ndarray
    action: np.ndarray
    train: np.ndarray
    held_out: np.ndarray

    @classmethod
    def of(cls, body: Body, demonstrations: Sequence[Demonstration], rng: np.random.Generator) -> Lesson:
        """Observe demonstrations and hold a part of them out.

        Raises:
            DemonstrationError: there are none, or they do not fit the body.
        """
        for index, demonstration in enumerate(demonstrations):
            demonstration.check(body, f"demonstration {index}")
        observation, action = pairs(body, demonstrations)
        block = np.arange(len(action)) // max(1, min(BLOCK, len(action) // 8))
        blocks = rng.permutation(block[-1] + 1)
        out = np.isin(block, blocks[: max(1, round(HELD_OUT * len(blocks)))])
        if out.all():  # a single block
            out[: len(out) // 2] = False
        train, held_out = np.flatnonzero(~out), np.flatnonzero(out)
        return cls(body, Observer(body).layout, observation, action.astype(np.float32), train, held_out)

    @property
    def last_control(self) -> np.ndarray:
        """(D,) bool: the entries that tell the last control."""
        return np.array([n.startswith("actuator/") and n.endswith("/control") for n in self.layout.names])

    def loss(self, actor: ActorWeights) -> float:
        """Mean squared error of an actor's clipped actions on the held-out steps."""
        predicted = np.clip(actor.mean(self.observation[self.held_out]), -1.0, 1.0)
        return float(np.mean(np.square(predicted - self.action[self.held_out])))

    def explained(self, actor: ActorWeights) -> float:
        """Share of the demonstrated actions' variance that an actor explains on the held-out steps; at most 1."""
        variance = float(np.var(self.action, axis=0).mean())
        return 1.0 - self.loss(actor) / max(variance, STILL)
