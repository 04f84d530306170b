"""Shifts: bodies that are taught together; a gradient step on all of a large set would cost as much as many."""

from __future__ import annotations

import dataclasses
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


class Teacher(NamedTuple):
    """What is taught of one body.

    Attributes:
        family: of the body, in reports.
        policy: the expert.
        alone: no other body shares its gait, so it has to be learnt by heart, and is in every shift. Where such are
            more than half of what a shift may hold, all take turns.
        shown: reports and metrics name the body; mutants would fill them.
    """

    family: str
    policy: Policy
    alone: bool = False
    shown: bool = True


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


def make_shifts(experts: Sequence[Teacher], config: DistillConfig) -> list[Shift]:
    """Deal bodies out to as few shifts as ``config.bodies_at_once`` allows; a family's are spread over them."""
    dealt = _deal(experts, config.bodies_at_once)
    capacity = max(config.memory // len(dealt), 2 * config.num_sims * config.horizon)
    own, guided = map(_seeds, np.random.SeedSequence(config.seed).spawn(2))
    shifts = []
    for members in dealt:
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
    return shifts


def _deal(experts: Sequence[Teacher], at_once: int) -> list[list[Teacher]]:
    alone = [expert for expert in experts if expert.alone]
    others = [expert for expert in experts if not expert.alone]
    if 2 * len(alone) > at_once:
        alone, others = [], list(experts)
    others.sort(key=lambda expert: expert.family)
    count = max(1, -(-len(others) // (at_once - len(alone))))
    return [[*alone, *others[first::count]] for first in range(count)]


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
