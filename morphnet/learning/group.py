"""Groups of bodies: the unit of parallel work, and of padding.

There is one group a thread: more would pad less, but cost more in Python than they save (planar suite, two
cores, ms a minibatch: 110 unsplit, 96 in two groups, 136 in six). A group's actors are stacked and padded to
its largest body, so bodies of similar size go together. Each group is run, and differentiated, by one thread
from beginning to end; threads never share a group, and
torch itself is kept to one thread, since its own threads would fight the physics and each other.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import mujoco
import numpy as np
import torch
from torch import Tensor

from morphnet.embodiment import tokens_of
from morphnet.learning.advantage import RewardScale
from morphnet.networks import TokenBatch, stack_tokens
from morphnet.simulation import Simulation

T = TypeVar("T")
S = TypeVar("S")


@dataclasses.dataclass(eq=False)
class BodyGroup:
    """B bodies that are stepped, stacked and differentiated together.

    Attributes:
        simulations: one a body, n simulations each.
        families: the family of each body.
        robots: their tokens, padded to the largest of the group.
        discount: (B, 1).
        reward_scale: running scale of each body's rewards.
        rngs: exploration noise, one generator a body.
    """

    simulations: list[Simulation]
    families: list[str]
    robots: TokenBatch
    discount: Tensor
    reward_scale: RewardScale
    rngs: list[np.random.Generator]

    @property
    def size(self) -> int:
        """Number of bodies B."""
        return len(self.simulations)


def make_groups(
    simulations: Sequence[tuple[str, Simulation]], rngs: Sequence[np.random.Generator], threads: int
) -> list[BodyGroup]:
    """Sort bodies by size and cut them into groups of about equal cost.

    Args:
        simulations: (family, simulation) pairs.
        rngs: exploration noise of each.
        threads: threads that will share the groups.
    """
    order = sorted(range(len(simulations)), key=lambda i: _size(simulations[i][1]))
    costs = np.cumsum([step_cost(simulations[i][1]) for i in order])
    count = min(len(order), threads)
    # a body goes to the group in whose share of the total cost its middle lies
    middles = costs - np.diff(costs, prepend=0.0) / 2
    share = (middles / costs[-1] * count).astype(int)
    groups = [
        _group([simulations[i] for i in members], [rngs[i] for i in members])
        for g in range(count)
        if (members := [order[k] for k in np.flatnonzero(share == g)])
    ]
    return sorted(groups, key=lambda group: -sum(step_cost(s) for s in group.simulations))


def _group(simulations: list[tuple[str, Simulation]], rngs: list[np.random.Generator]) -> BodyGroup:
    sims = [simulation for _, simulation in simulations]
    discount = torch.tensor([[s.body.task.discount] for s in sims], dtype=torch.float64)
    return BodyGroup(
        simulations=sims,
        families=[family for family, _ in simulations],
        robots=stack_tokens([tokens_of(s.body, s.observer.layout) for s in sims]),
        discount=discount.float(),
        reward_scale=RewardScale(discount, sims[0].num_sims),
        rngs=rngs,
    )


def _size(simulation: Simulation) -> tuple[int, int, str]:
    return simulation.body.model.nu, simulation.observer.size, simulation.body.name


def step_cost(simulation: Simulation) -> float:
    """Estimate the cost of a control step, from sizes alone so that runs repeat: microseconds, roughly."""
    model, skip = simulation.body.model, simulation.body.frame_skip
    stages = 4 if int(model.opt.integrator) == int(mujoco.mjtIntegrator.mjINT_RK4) else 1
    physics = skip * stages * (1.0 + 0.25 * model.nv)
    return 30.0 + physics + 0.3 * simulation.observer.size


class Workers:
    """Threads that share groups; each runs torch on one core."""

    def __init__(self, threads: int) -> None:
        """Start ``threads`` threads."""
        torch.set_num_threads(1)
        _keep_memory()
        self._pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))

    def map(self, function: Callable[[T], S], items: Sequence[T]) -> list[S]:
        """Apply ``function`` to every item; results come in the items' order."""
        return list(self._pool.map(function, items))

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown()


def _keep_memory() -> None:
    """Let glibc keep freed memory: training allocates the same megabytes thousands of times.

    By default it gives blocks of this size back at once, and the page faults of getting them again cost a
    fifth of an update. Elsewhere than on glibc nothing is done.
    """
    if "glibc" not in _libc():
        return
    import ctypes

    mallopt = ctypes.CDLL(None).mallopt
    trim_threshold, mmap_threshold = -1, -3
    mallopt(mmap_threshold, 1 << 30)
    mallopt(trim_threshold, (1 << 31) - 1)


def _libc() -> str:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, ValueError):
        return ""
