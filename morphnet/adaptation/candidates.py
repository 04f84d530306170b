"""Candidates: what demonstrations alone make of a body's policies, before anything is simulated."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from typing import Any

from morphnet.adaptation.lesson import Lesson
from morphnet.adaptation.regression import Regression
from morphnet.adaptation.tracking import Following
from morphnet.learning.group import Workers
from morphnet.policy import ActorWeights, Policy

CLONED = "cloned"
CLONES = {
    f"{CLONED} without noise": Regression(steps=20_000, patience=40),
    CLONED: Regression(noise=0.05),
    f"{CLONED}, blind to the last control": Regression(noise=0.1, blind=True),
}
"""Fitted anew. The first, which takes longest, has a thread to itself while the others take turns on another."""
TUNED = {"tuned": Regression(learning_rate=3e-4, noise=0.2, response=1.0)}
"""Fitted from a policy that was emitted for the body."""
HALF_WAY = "half-way to tuned"


@dataclasses.dataclass(frozen=True, eq=False)
class Candidate:
    """An actor that may be chosen.

    Attributes:
        name: how it was made.
        actor: the actor.
        loss: mean squared error on the held-out demonstrated actions.
        explained: share of those actions' variance that it explains; at most 1.
        following: how it followed the demonstrations in simulation; None where nothing is simulated.
    """

    name: str
    actor: ActorWeights
    loss: float
    explained: float
    following: Following | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return all but the actor, as JSON can hold it."""
        judged = {"name": self.name, "loss": self.loss, "explained": self.explained}
        return judged if self.following is None else {**judged, **dataclasses.asdict(self.following)}


def candidate(name: str, actor: ActorWeights, lesson: Lesson) -> Candidate:
    """Examine an actor on the held-out part of a lesson."""
    return Candidate(name, actor, lesson.loss(actor), lesson.explained(actor))


def make_candidates(
    lesson: Lesson, starts: Mapping[str, Policy], seed: int, seconds: float | None, workers: Workers
) -> list[Candidate]:
    """Make every candidate.

    Args:
        lesson: what was demonstrated.
        starts: policies that were emitted for the body, by name.
        seed: seeds all fits.
        seconds: wall-clock for all of them together; None follows gradient steps alone.
        workers: threads to share the fits.
    """
    first = next(iter(starts.values())).actor
    jobs = [(name, how, first, True) for name, how in CLONES.items()]
    jobs += [
        (f"{start}, {name}", how, policy.actor, False)
        for start, policy in starts.items()
        for name, how in TUNED.items()
    ]
    deadline = None if seconds is None else time.monotonic() + seconds

    def fit(job: tuple[str, Regression, ActorWeights, bool]) -> Candidate:
        name, how, start, fresh = job
        return candidate(name, how.fit(lesson, start, seed, fresh, deadline), lesson)

    fitted = workers.map(fit, jobs)
    given = [candidate(name, policy.actor, lesson) for name, policy in starts.items()]
    between = [
        candidate(f"{start}, {HALF_WAY}", _between(policy.actor, tuned.actor), lesson)
        for (start, policy), tuned in zip(starts.items(), fitted[len(CLONES) :], strict=True)
    ]
    return [*given, *fitted, *between]


def _between(one: ActorWeights, other: ActorWeights) -> ActorWeights:
    """The mean of two actors' weights, of which one was tuned from the other (Wortsman et al. 2022)."""
    weights = [(a + b) / 2 for a, b in zip(one.weights, other.weights, strict=True)]
    biases = [(a + b) / 2 for a, b in zip(one.biases, other.biases, strict=True)]
    return ActorWeights((weights[0], weights[1], weights[2]), (biases[0], biases[1], biases[2]), one.log_std)
