"""Branches of a family's expert: it goes on learning on those of the kin that lack the same limbs.

A limb less often asks for another gait, which is not found in the few turns that such bodies take among all kin. Within
a branch bodies differ by sizes and strengths alone, and share a gait.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Sequence

from morphnet.bodies import Body
from morphnet.errors import SimulationError
from morphnet.learning import Progress
from morphnet.policy import ActorWeights
from morphnet.specialists.aim import judge
from morphnet.specialists.family import FamilyTraining
from morphnet.specialists.family_expert import FamilyExpert, Limbs, limbs_of
from morphnet.specialists.kin import mutate_alike

FEWEST = 2
"""Bodies with the same limbs, for them to have a branch of their own."""
LAGGING = 0.6
"""Share of the mean return over kin below which the expert has something left to learn."""
FULL = 16
"""Bodies that a branch is trained on, at least: mutants of theirs with the same limbs come to few, as four tell little
of what the limbs ask for and what the sizes. They are taught, too. Where no mutants are wanted, none are made."""
JUDGED, EPISODES = 10, 3
"""Bodies by which that is told, and episodes of each."""
MOST = 0.25
"""Share of the family's steps that a branch may take; all together take as many as the family, at most."""


def grow_branches(
    expert: FamilyExpert,
    bodies: Sequence[Body],
    mutants: Sequence[Body],
    steps: int,
    seed: int,
    report: Callable[[Progress], None] = lambda _: None,
) -> FamilyExpert:
    """Train the branches of an expert.

    Each starts as the expert, and stays so if nothing better is found.

    Args:
        expert: of the kin.
        bodies: the kin.
        mutants: of theirs.
        steps: environment steps that the expert was trained for; branches take as many again, at most.
        seed: seeds everything that is drawn.
        report: called after every update, as if all were one training with the family's.
    """
    lagging = find_lagging(expert, bodies, mutants, seed)
    each = max(1, min(int(MOST * steps), steps // max(len(lagging), 1)))
    branches: dict[Limbs, ActorWeights] = {}
    for number, (limbs, members) in enumerate(lagging.items()):
        members = [*members, *_more(members, mutants, seed)]
        training = FamilyTraining(members, [], each, seed, threads=1, start=expert)
        later = _Later(report, steps + number * each, 2 * steps)
        with contextlib.suppress(SimulationError):  # a training that breaks the physics leaves no branch
            made = training.run(later)
            if made.steps:  # 0 where the start has won
                branches[limbs] = made.actor
    return dataclasses.replace(expert, branches=branches)


def more_of_branches(expert: FamilyExpert, bodies: Sequence[Body], mutants: Sequence[Body], seed: int) -> list[Body]:
    """Return the mutants that make up the number of its branches' bodies.

    They are those that the branches were trained on, if they were by this version, with the same mutants and seed.
    """
    groups = _by_limbs((*bodies, *mutants))
    return [mutant for limbs in expert.branches or {} for mutant in _more(groups.get(limbs, []), mutants, seed)]


def _more(members: Sequence[Body], mutants: Sequence[Body], seed: int) -> list[Body]:
    return mutate_alike(members, FULL - len(members), seed) if members and mutants else []


def _by_limbs(bodies: Sequence[Body]) -> dict[Limbs, list[Body]]:
    groups: dict[Limbs, list[Body]] = {}
    for body in bodies:
        groups.setdefault(limbs_of(body), []).append(body)
    return groups


def find_lagging(
    expert: FamilyExpert, bodies: Sequence[Body], mutants: Sequence[Body], seed: int
) -> dict[Limbs, list[Body]]:
    """Return those that lack the same limbs, where their expert does far worse on them than on its kin.

    Where that loses on its kin already, nobody lags: shares of a negative return mean nothing.
    """
    merit = judge([expert.policy(body) for body in bodies], seed, EPISODES)
    return {
        limbs: members
        for limbs, members in _by_limbs((*bodies, *mutants)).items()
        if merit > 0.0
        and len(members) >= FEWEST
        and judge([expert.policy(body) for body in members[:JUDGED]], seed, EPISODES) < LAGGING * merit
    }


@dataclasses.dataclass(frozen=True)
class _Later:
    """Reports a branch's progress with the steps of the family and of earlier branches counted in."""

    report: Callable[[Progress], None]
    before: int
    total: int

    def __call__(self, progress: Progress) -> None:
        self.report(dataclasses.replace(progress, steps=self.before + progress.steps, total_steps=self.total))
