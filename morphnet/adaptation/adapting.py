"""Adapting: demonstrations and the policies that were emitted for a body in, one policy out."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from minari import MinariDataset

from morphnet.adaptation.candidates import Candidate, candidate, make_candidates
from morphnet.adaptation.choice import choose_offline
from morphnet.adaptation.imitation import ImitationAim, imitate
from morphnet.adaptation.lesson import Lesson
from morphnet.adaptation.replay import replay_error
from morphnet.adaptation.tracking import Tracking
from morphnet.bodies import Body
from morphnet.config import AdaptConfig
from morphnet.demonstrations import Demonstration, read_demonstrations
from morphnet.hypernetwork import Hypernetwork
from morphnet.learning import Progress
from morphnet.learning.group import Workers
from morphnet.policy import Policy

OFFLINE, SIMULATED = "offline", "simulated"
"""Modes: demonstrations alone, or also the simulation of the body."""
FITTING = 0.4
"""Share of the seconds in which candidates are fitted, at most."""
RANKING = 4
"""Episodes that rank a candidate."""
LAST_JUDGING = 12
"""What the last judging costs, in rankings of a candidate: four finalists, twice the episodes, and some room."""
OTHER_PHYSICS = 0.05
"""Replay error above which a simulation is not of what was demonstrated."""


@dataclasses.dataclass(frozen=True, eq=False)
class Outcome:
    """What was chosen among which candidates, and why.

    Attributes:
        chosen: the chosen one.
        candidates: all of them.
        reason: why, in one sentence.
        mode: "offline" or "simulated".
        steps: environment steps of imitation.
    """

    chosen: Candidate
    candidates: list[Candidate]
    reason: str
    mode: str
    steps: int = 0


def adapt(
    hypernetwork: Hypernetwork,
    body: Body,
    demonstrations: str | Path | MinariDataset | Sequence[Demonstration],
    config: AdaptConfig = AdaptConfig(),  # noqa: B008
    report: Callable[[Progress], None] = lambda _: None,
) -> Policy:
    """Return a policy of a body that does as demonstrated; the demonstrations' rewards are not read.

    Args:
        hypernetwork: emits the policy to begin with.
        body: the demonstrated body.
        demonstrations: a Minari dataset (its folder, or opened), or episodes. With none, the emitted policy is returned
            as it is.
        config: what may be used and spent.
        report: called after every update of imitation; its returns are those of the worth that is tracked.

    Returns:
        The policy; its ``origin`` holds the mode, the candidates with what they were judged by, the choice and why.

    Raises:
        DemonstrationError: demonstrations are damaged, or not of this body.
    """
    if isinstance(demonstrations, str | Path | MinariDataset):
        demonstrations = read_demonstrations(demonstrations, body)
    return adapt_policies({"zero-shot": hypernetwork.generate(body)}, demonstrations, config, report)


def adapt_policies(
    starts: Mapping[str, Policy],
    demonstrations: Sequence[Demonstration],
    config: AdaptConfig,
    report: Callable[[Progress], None] = lambda _: None,
) -> Policy:
    """Do as ``adapt`` does, from policies that were emitted for one body, by name; the first counts as the start."""
    started, first = time.monotonic(), next(iter(starts.values()))
    if not demonstrations:
        return first
    lesson = Lesson.of(first.body, demonstrations, np.random.default_rng(config.seed))
    budget = None if config.steps else FITTING * config.seconds
    workers = Workers(config.threads)
    try:
        candidates = make_candidates(lesson, starts, config.seed, budget, workers)
    finally:
        workers.close()
    error = 0.0 if config.offline else replay_error(first.body, demonstrations)
    if config.offline or error > OTHER_PHYSICS:
        chosen, reason = choose_offline(candidates, list(starts))
        if not config.offline:
            reason += f"; not simulated, as the body's simulation is off by {error:.0%} of what was demonstrated"
        outcome = Outcome(chosen, candidates, reason, OFFLINE)
    else:
        outcome = _simulate(lesson, candidates, demonstrations, config, started, report)
    return Policy(first.body, outcome.chosen.actor, _origin(outcome, first, demonstrations, config, started))


def _simulate(
    lesson: Lesson,
    candidates: Sequence[Candidate],
    demonstrations: Sequence[Demonstration],
    config: AdaptConfig,
    started: float,
    report: Callable[[Progress], None],
) -> Outcome:
    """Rank candidates by how they follow the demonstrations, and let the best imitate."""
    body, before = lesson.body, time.monotonic()
    tracking = Tracking(body, demonstrations)
    ranked = [dataclasses.replace(c, following=tracking.follow(c.actor, RANKING, config.seed)) for c in candidates]
    best = max(ranked, key=_score)
    a_ranking = (time.monotonic() - before) / len(ranked)
    left = config.seconds - (time.monotonic() - started) - LAST_JUDGING * a_ranking
    if config.steps is None and left <= 0:
        return Outcome(best, ranked, "it follows best; no time was left to imitate", SIMULATED)
    aim = ImitationAim(lesson, demonstrations, tracking)
    seconds = None if config.steps else left
    start = Policy(body, best.actor, {})
    imitated = imitate(start, aim, config.steps, seconds, config.seed, config.threads, report)
    steps = int(imitated.origin["steps"])
    if steps == 0:
        return Outcome(best, ranked, "it follows best, and imitation did not improve on it", SIMULATED)
    made = candidate(f"{best.name}, then imitation", imitated.actor, lesson)
    made = dataclasses.replace(made, following=tracking.follow(made.actor, RANKING, config.seed))
    reason = f"{best.name} followed best, and imitation improved on it for {steps:,} steps"
    return Outcome(made, [*ranked, made], reason, SIMULATED, steps)


def _score(ranked: Candidate) -> float:
    assert ranked.following is not None
    return ranked.following.score


def _origin(
    outcome: Outcome, start: Policy, demonstrations: Sequence[Demonstration], config: AdaptConfig, started: float
) -> dict[str, Any]:
    """Return the record of an adaptation."""
    return {
        "kind": "adapted",
        "start": start.origin,
        "mode": outcome.mode,
        "demonstrations": {"episodes": len(demonstrations), "steps": sum(map(len, demonstrations))},
        "candidates": [c.to_dict() for c in outcome.candidates],
        "chosen": outcome.chosen.name,
        "reason": outcome.reason,
        "steps": outcome.steps,
        "seconds": round(time.monotonic() - started, 2),
        "seed": config.seed,
    }
