"""Shifts: bodies that are taught together; a gradient step on all of a large set would cost as much as many."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

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

Teacher = tuple[str, Policy]
"""A family, and the expert of one of its bodies."""


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
    count = -(-len(experts) // config.bodies_at_once)
    order = sorted(range(len(experts)), key=lambda index: experts[index][0])
    capacity = max(config.memory // count, 2 * config.num_sims * config.horizon)
    own, guided = (part.spawn(2 * len(experts)) for part in np.random.SeedSequence(config.seed).spawn(2))
    shifts = []
    for first in range(count):
        members = order[first::count]
        groups, stacks = _make_groups(experts, members, own, config)
        guides, _ = _make_groups(experts, members, guided, config)
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


def _make_groups(
    experts: Sequence[Teacher], members: Sequence[int], seeds: Sequence[np.random.SeedSequence], config: DistillConfig
) -> tuple[list[BodyGroup], list[StackedActor]]:
    """Return groups of some of the experts' bodies, and each group's experts, as one stack."""
    simulations = []
    for index in members:
        family, policy = experts[index]
        body = policy.body.with_episodes_of(EPISODE_SECONDS)
        simulation = Simulation(body, config.num_sims, np.random.default_rng(seeds[index]))
        simulation.stagger()
        simulations.append((family, simulation))
    noise = [np.random.default_rng(seeds[len(experts) + index]) for index in members]
    groups = make_groups(simulations, noise, config.threads)
    actors = {policy.body.name: policy.actor for _, policy in experts}
    stacks = [ActorWeights.stack([actors[s.body.name] for s in group.simulations]) for group in groups]
    return groups, stacks
