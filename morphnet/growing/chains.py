"""How many limbs a creature has and how they hang together, before they have places and sizes."""

from __future__ import annotations

import dataclasses

import numpy as np

from morphnet.growing import ranges

_STANCES = ((1, 1), (2, 0), (2, 1), (3, 0))
"""Pairs of legs and single legs that a mirrored creature may stand on."""
_LEGS = (3, 6)
_MOST_ARMS = 3


@dataclasses.dataclass
class Chain:
    """Limbs in a row.

    Attributes:
        is_leg: whether it stands on the floor.
        paired: whether there is a mirror image of it.
        limbs: how many in the row.
        parent: index of the chain on whose end it grows; None for the torso.
    """

    is_leg: bool
    paired: bool
    limbs: int = 1
    parent: int | None = None

    @property
    def cost(self) -> int:
        """Limbs that one more in the row adds to the creature."""
        return 2 if self.paired else 1


def draw_chains(rng: np.random.Generator) -> list[Chain]:
    """Draw the chains of one creature: legs first, then arms, tails and horns."""
    wanted = int(rng.integers(ranges.LIMBS[0], ranges.LIMBS[1] + 1))
    mirrored = bool(rng.random() < ranges.MIRRORED)
    chains = _legs(rng, wanted, mirrored)
    left = wanted - sum(chain.cost for chain in chains)
    while left > 0:
        longer = [chain for chain in chains if chain.limbs < ranges.LONGEST_CHAIN and chain.cost <= left]
        arms = [chain for chain in _possible_arms(rng, chains, mirrored) if chain.cost <= left]
        if longer and (not arms or rng.random() < 0.7):
            chosen = longer[rng.integers(len(longer))]
            chosen.limbs += 1
        elif arms:
            chosen = arms[rng.integers(len(arms))]
            chains.append(chosen)
        else:
            break
        left -= chosen.cost
    return chains


def _legs(rng: np.random.Generator, wanted: int, mirrored: bool) -> list[Chain]:
    if not mirrored:
        return [Chain(True, False) for _ in range(rng.integers(_LEGS[0], min(_LEGS[1], wanted) + 1))]
    possible = [(pairs, single) for pairs, single in _STANCES if 2 * pairs + single <= wanted]
    pairs, single = possible[rng.integers(len(possible))]
    return [Chain(True, True) for _ in range(pairs)] + [Chain(True, False) for _ in range(single)]


def _possible_arms(rng: np.random.Generator, chains: list[Chain], mirrored: bool) -> list[Chain]:
    """Chains of one limb that could be added; a limb in the middle can carry a pair, a paired one cannot."""
    arms = [index for index, chain in enumerate(chains) if not chain.is_leg]
    if len(arms) == _MOST_ARMS:
        return []
    carriers = [index for index in arms if not chains[index].paired]
    parent = carriers[rng.integers(len(carriers))] if carriers and rng.random() < ranges.BRANCHES else None
    return [Chain(False, paired, parent=parent) for paired in ((False, True) if mirrored else (False,))]
