"""Drawing a creature: places, sizes, hinges and strengths. What stands and works is found out later, by checks."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np

from morphnet.growing import ranges
from morphnet.growing.chains import Chain, draw_chains
from morphnet.growing.creature import GRAVITY, Creature, Hinge, Limb, vector

CLEARANCE = 0.005
"""Height of the feet above the floor in the start pose (m)."""
_UP, _LEFT = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
_MOST_ALONG = 0.8
"""Largest cosine between a hinge's axis and its limb: about its own axis a limb only spins."""


def draw_creature(rng: np.random.Generator) -> Creature:
    """Draw one creature."""
    torso = Creature(
        torso_length=round(rng.uniform(*ranges.TORSO_LENGTH), 3),
        torso_radius=round(rng.uniform(*ranges.TORSO_RADIUS), 3),
        height=round(rng.uniform(*ranges.HEIGHT), 3),
        torso_density=round(rng.uniform(*ranges.DENSITY)),
        limb_density=round(rng.uniform(*ranges.DENSITY)),
        hue=round(rng.uniform(), 2),
        limbs=(),
    )
    chains = draw_chains(rng)
    limbs: list[Limb] = []
    ends: list[tuple[str, np.ndarray]] = []
    for index, chain in enumerate(chains):
        root, start = ("torso", None) if chain.parent is None else ends[chain.parent]
        grown = _grow_chain(rng, torso, chains, index, root, start)
        limbs += grown
        ends.append((grown[-1].name, np.array(grown[-1].end)))
        if chain.paired:
            limbs += [limb.mirrored() for limb in grown]
    return _strengthen(rng, dataclasses.replace(torso, limbs=tuple(limbs)))


def _grow_chain(
    rng: np.random.Generator, torso: Creature, chains: list[Chain], index: int, root: str, start: np.ndarray | None
) -> list[Limb]:
    """Draw the limbs of one chain, of a pair the left one's."""
    chain = chains[index]
    radius = round(rng.uniform(*ranges.LIMB_RADIUS), 3)
    azimuth = _azimuth(rng, chains, index)
    outward = np.array([math.cos(azimuth), math.sin(azimuth), 0.0])
    if start is not None:  # the sides of a limb's end, for a pair to have room
        start = start + (2.5 * radius * _LEFT if chain.paired else 0.0)
    place = _socket(rng, torso, outward, chain) if start is None else start
    if chain.is_leg:
        knots = _leg_knots(rng, outward, torso.height + place[2] - radius - CLEARANCE, chain.limbs)
    else:
        knots = _arm_knots(rng, outward, chain.limbs)
    prefix = f"{'left_' if chain.paired else ''}{'leg' if chain.is_leg else 'arm'}{index + 1}"
    limbs: list[Limb] = []
    for number, (low, high) in enumerate(itertools.pairwise(knots)):
        parent, joint = (root, place) if number == 0 else (limbs[-1].name, np.array(limbs[-1].end))
        name, end = f"{prefix}_{number + 1}", high - low
        hinges = _draw_hinges(rng, name, end / np.linalg.norm(end), outward, number == 0)
        limbs.append(Limb(name, parent, vector(joint), vector(end), radius, hinges, chain.is_leg))
    return limbs


def _azimuth(rng: np.random.Generator, chains: list[Chain], index: int) -> float:
    """Where a chain points, seen from above (rad); 0 is ahead. Legs share out the circle, pairs the left half of it."""
    chain = chains[index]
    if not chain.is_leg:
        if chain.paired:
            return rng.uniform(0.2, 0.8) * math.pi
        side = 0.0 if any(other.paired for other in chains) else rng.uniform(-0.6, 0.6)
        return float(rng.integers(2) * math.pi + side)
    alike = [other for other, leg in enumerate(chains) if leg.is_leg and leg.paired == chain.paired]
    place = alike.index(index)
    if not any(leg.is_leg and leg.paired for leg in chains):
        return 2.0 * math.pi * (place + rng.uniform(-0.25, 0.25)) / len(alike)
    if not chain.paired:  # a tail to stand on
        return math.pi
    return math.pi * (place + 0.5 + rng.uniform(-0.25, 0.25)) / len(alike) if len(alike) > 1 else 0.35 * math.pi


def _socket(rng: np.random.Generator, torso: Creature, outward: np.ndarray, chain: Chain) -> np.ndarray:
    """Where a chain begins on the torso: on its surface for legs, above for horns and necks."""
    along = 0.5 * torso.torso_length * math.copysign(abs(outward[0]) ** 0.5, outward[0])
    lift = rng.uniform(-0.4, 0.1) if chain.is_leg else rng.uniform(0.3, 0.9)
    across = torso.torso_radius * outward * math.sqrt(1.0 - min(lift, 1.0) ** 2)
    return np.array([along, 0.0, torso.torso_radius * lift]) + 0.9 * across


def _leg_knots(rng: np.random.Generator, outward: np.ndarray, drop: float, limbs: int) -> np.ndarray:
    """(limbs + 1, 3) hip, knees and foot, relative to the hip, which is ``drop`` above the foot."""
    foot = rng.uniform(*ranges.LEG_REACH) * drop * outward - drop * _UP
    knots = [np.zeros(3)]
    for number in range(1, limbs):
        off = rng.uniform(*ranges.KNEE_OUT) * outward + rng.uniform(*ranges.KNEE_UP) * _UP
        knots.append(foot * number / limbs + drop * off)
    return np.array([*knots, foot])


def _arm_knots(rng: np.random.Generator, outward: np.ndarray, limbs: int) -> np.ndarray:
    """(limbs + 1, 3) joints and tip, relative to the first joint; upwards and outwards."""
    knots = [np.zeros(3)]
    for _ in range(limbs):
        rise = rng.uniform(0.1, 1.2)
        step = math.cos(rise) * outward + math.sin(rise) * _UP
        knots.append(knots[-1] + rng.uniform(*ranges.ARM_LENGTH) * step)
    return np.array(knots)


def _draw_hinges(
    rng: np.random.Generator, name: str, along: np.ndarray, outward: np.ndarray, is_root: bool
) -> tuple[Hinge, ...]:
    """Draw one or two hinges of a limb that points ``along``: of the vertical, the lateral and the bending axis."""
    bending = np.cross(_UP, outward)
    axes = [axis for axis in (_UP, _LEFT, bending) if abs(axis @ along) < _MOST_ALONG]
    first = axes[rng.integers(len(axes))] if is_root else axes[-1]
    chosen = [first]
    if rng.random() < ranges.SECOND_HINGE["root" if is_root else "further"]:
        chosen += [axis for axis in axes if abs(axis @ first) < _MOST_ALONG][-1:]
    letters = ("",) if len(chosen) == 1 else ("a", "b")
    return tuple(
        Hinge(
            name=f"{name}{letter}",
            axis=vector(axis),
            low=round(rng.uniform(*ranges.RANGE_LOW)),
            high=round(rng.uniform(*ranges.RANGE_HIGH)),
        )
        for axis, letter in zip(chosen, letters, strict=True)
    )


def _strengthen(rng: np.random.Generator, creature: Creature) -> Creature:
    """Give hinges their strengths; a left limb and its mirror image have the same."""
    shares = {
        limb.name: tuple(tuple(rng.uniform(size=4)) for _ in limb.hinges)
        for limb in creature.limbs
        if not limb.name.startswith("right_")
    }
    limbs = []
    for limb in creature.limbs:
        drawn = shares[limb.name.replace("right_", "left_")]
        hinges = (_strong(creature, limb, hinge, four) for hinge, four in zip(limb.hinges, drawn, strict=True))
        limbs.append(dataclasses.replace(limb, hinges=tuple(hinges)))
    return dataclasses.replace(creature, limbs=tuple(limbs))


def _strong(creature: Creature, limb: Limb, hinge: Hinge, shares: tuple[float, ...]) -> Hinge:
    """Fill in a hinge's strength; ``shares`` say where in its ranges each of the four numbers lies."""
    if limb.is_leg:
        depth = int(limb.name.rpartition("_")[2]) - 1
        load = creature.load * ranges.TAPER**depth
        inertia = creature.mass * creature.height**2
        of = (ranges.LEG_GEAR, ranges.LEG_STIFFNESS, ranges.LEG_DAMPING, ranges.LEG_ARMATURE)
    else:
        mass = creature.hanging_mass(limb.name)
        load, inertia = mass * GRAVITY * limb.length, mass * limb.length**2
        of = (ranges.ARM_GEAR, ranges.ARM_STIFFNESS, ranges.ARM_DAMPING, ranges.ARM_ARMATURE)
    gear, stiffness, damping, armature = (
        float(f"{unit * (low + share * (high - low)):.3g}")
        for unit, share, (low, high) in zip((load, load, load, inertia), shares, of, strict=True)
    )
    return dataclasses.replace(hinge, gear=gear, stiffness=stiffness, damping=damping, armature=armature)
