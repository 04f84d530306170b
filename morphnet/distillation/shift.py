"""Shifts: bodies that are taught together; a gradient step on all of a large set would cost as much as many."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from morphnet.config import DistillConfig
from morphnet.distillation.memory import Memory
from morphnet.learning.group import BodyGroup, make_groups
from morphnet.learning.rollout import RolloutCollector
from morphnet.learning.samples import Samples
from morphnet.networks import StackedActor
from morphnet.policy import ActorWeights, Policy
from morphnet.simulation import Simulation

EPISODE_SECONDS = 12.5
"""Longest episodes: what lies on its back, where no limit ends that, shows little."""
MOST_ALWAYS = 0.75
"""Share of the bodies at once that those of a suite may be, if they are to be always due."""
MOST_TURNS = 16
"""In so many gradient steps every mutant is due once at least, however many there are: it is by mutants that bodies
which were not taught are told apart."""


class Teacher(NamedTuple):
    """What is taught of one body.

    Attributes:
        family: of the body, in reports.
        policy: the expert.
        mutant: made up; mutants take turns beside the bodies of a suite, and reports do not name them.
    """

    family: str
    policy: Policy
    mutant: bool = False


@dataclasses.dataclass(eq=False)
class Shift:
    """Bodies that are run, and learnt from, together; in groups, and everything else one a group.

    Attributes:
        groups: driven by what the hypernetwork emits. guides: the same bodies, driven by the experts.
        experts: a stack a group.
        collectors: of ``groups``. guiding: of ``guides``.
        memories: what was seen lately.
        newest: what the emitted policies did the last time, for the critics; empty before the first.
    """

    groups: list[BodyGroup]
    guides: list[BodyGroup]
    experts: list[StackedActor]
    collectors: list[RolloutCollector]
    guiding: list[RolloutCollector]
    memories: list[Memory]
    newest: list[Samples] = dataclasses.field(default_factory=list)


def make_shifts(experts: Sequence[Teacher], config: DistillConfig) -> tuple[list[Shift], int]:
    """Deal bodies out to as few shifts as ``config.bodies_at_once`` allows; a family's are spread over them.

    Returns:
        The shifts, and how many of them, the first, are always due: one where mutants take turns beside the bodies of
        a suite, and those leave them room; else none.
    """
    dealt, always = _deal(experts, config.bodies_at_once)
    own, guided = map(_seeds, np.random.SeedSequence(config.seed).spawn(2))
    shifts = []
    for number, members in enumerate(dealt):
        share = 1 if number < always else len(dealt) - always
        capacity = max(config.memory // share, 2 * config.num_sims * config.horizon)
        groups, stacks = _make_groups(members, own, config)
        guides, _ = _make_groups(members, guided, config)
        shifts.append(
            Shift(
                groups,
                guides,
                stacks,
                collectors=[RolloutCollector(group, config.horizon) for group in groups],
                guiding=[RolloutCollector(group, config.horizon) for group in guides],
                memories=[Memory(group, capacity) for group in groups],
            )
        )
    return shifts, always


def most_at_once(bodies: int, mutants: int) -> int:
    """Return how many bodies are to be due at once where a suite of so many is always, and mutants beside it."""
    room = bodies + math.ceil(mutants / MOST_TURNS)
    return max(DistillConfig().bodies_at_once, math.ceil(bodies / MOST_ALWAYS), room)


def steps_each(at_once: int) -> int:
    """Return how many steps of a body are to be in a gradient step on so many: in all as many as ever."""
    usual = DistillConfig()
    return max(1, usual.batch * usual.bodies_at_once // at_once)


def memory_each(at_once: int) -> int:
    """Return how many of a body's latest steps are to be kept where so many are due at once.

    In all as many as ever, or hundreds of bodies would not fit into memory; but two rounds at least.
    """
    usual = DistillConfig()
    return max(2 * usual.num_sims * usual.horizon, usual.memory * usual.bodies_at_once // at_once)


def _deal(experts: Sequence[Teacher], at_once: int) -> tuple[list[list[Teacher]], int]:
    suite = sorted((expert for expert in experts if not expert.mutant), key=lambda expert: expert.family)
    mutants = sorted((expert for expert in experts if expert.mutant), key=lambda expert: expert.family)
    if not mutants or not 0 < len(suite) <= MOST_ALWAYS * at_once:
        everything = sorted(experts, key=lambda expert: expert.family)
        return _in_turns(everything, at_once), 0
    return [suite, *_in_turns(mutants, at_once - len(suite))], 1


def _in_turns(experts: list[Teacher], at_once: int) -> list[list[Teacher]]:
    count = -(-len(experts) // at_once)
    return [experts[first::count] for first in range(count)]


def _seeds(sequence: np.random.SeedSequence) -> Iterator[np.random.Generator]:
    while True:
        yield np.random.default_rng(sequence.spawn(1)[0])


def _make_groups(
    members: Sequence[Teacher], generators: Iterator[np.random.Generator], config: DistillConfig
) -> tuple[list[BodyGroup], list[StackedActor]]:
    """Return groups of some of the experts' bodies, and each group's experts, as one stack."""
    simulations = []
    for expert in members:
        body = expert.policy.body.with_episodes_of(EPISODE_SECONDS)
        simulation = Simulation(body, config.num_sims, next(generators))
        simulation.stagger()
        simulations.append((expert.family, simulation))
    noise = [next(generators) for _ in members]
    groups = make_groups(simulations, noise, config.threads)
    actors = {expert.policy.body.name: expert.policy.actor for expert in members}
    stacks = [ActorWeights.stack([actors[s.body.name] for s in group.simulations]) for group in groups]
    return groups, stacks
