"""Creature: what has been drawn, before it becomes an MJCF."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

GRAVITY = 9.81


@dataclasses.dataclass(frozen=True)
class Hinge:
    """One hinge with its motor.

    Attributes:
        name: of the joint and of the motor.
        axis: unit vector.
        low: lower end of its range (degrees).
        high: upper end of its range (degrees).
        gear: largest torque (N m).
        stiffness: of the spring that pulls to the start pose (N m/rad).
        damping: N m s/rad.
        armature: kg m^2.
    """

    name: str
    axis: tuple[float, float, float]
    low: float
    high: float
    gear: float = 0.0
    stiffness: float = 0.0
    damping: float = 0.0
    armature: float = 0.0

    def mirrored(self) -> Hinge:
        """Return the hinge of the other side: an axis is a pseudovector."""
        x, y, z = self.axis
        return dataclasses.replace(self, name=other_side(self.name), axis=(-x, y, -z))


@dataclasses.dataclass(frozen=True)
class Limb:
    """One capsule that hangs on its parent by one or two hinges.

    Attributes:
        name: of the body and of the capsule.
        parent: name of the limb that it hangs on, or "torso".
        start: (x, y, z) of its hinges in the parent's frame (m); all frames are parallel in the start pose.
        end: (x, y, z) of its far end from there (m).
        radius: of the capsule (m).
        hinges: one or two.
        is_leg: whether its chain stands on the floor.
    """

    name: str
    parent: str
    start: tuple[float, float, float]
    end: tuple[float, float, float]
    radius: float
    hinges: tuple[Hinge, ...]
    is_leg: bool

    @property
    def length(self) -> float:
        """Between the centres of the capsule's ends (m)."""
        return math.hypot(*self.end)

    def mass(self, density: float) -> float:
        """Mass (kg) at a density (kg/m^3)."""
        return density * math.pi * self.radius**2 * (self.length + 4 / 3 * self.radius)

    def mirrored(self) -> Limb:
        """Return the limb of the other side."""
        (x, y, z), (u, v, w) = self.start, self.end
        return dataclasses.replace(
            self,
            name=other_side(self.name),
            parent=other_side(self.parent),
            start=(x, -y, z),
            end=(u, -v, w),
            hinges=tuple(hinge.mirrored() for hinge in self.hinges),
        )


@dataclasses.dataclass(frozen=True)
class Creature:
    """A torso along x and its limbs, parents before their children.

    Attributes:
        torso_length: between the centres of the torso capsule's ends (m).
        torso_radius: m.
        height: of the torso's axis above the floor in the start pose (m).
        torso_density: kg/m^3.
        limb_density: kg/m^3.
        hue: of its colour, 0 to 1.
        limbs: the limbs.
    """

    torso_length: float
    torso_radius: float
    height: float
    torso_density: float
    limb_density: float
    hue: float
    limbs: tuple[Limb, ...]

    @property
    def mass(self) -> float:
        """Whole mass (kg)."""
        volume = math.pi * self.torso_radius**2 * (self.torso_length + 4 / 3 * self.torso_radius)
        return self.torso_density * volume + sum(limb.mass(self.limb_density) for limb in self.limbs)

    @property
    def load(self) -> float:
        """Weight times height (N m): the measure of what legs carry."""
        return self.mass * GRAVITY * self.height

    def hanging_mass(self, name: str) -> float:
        """Mass (kg) of a limb and of everything on it."""
        inside = {name}
        for limb in self.limbs:
            if limb.parent in inside:
                inside.add(limb.name)
        return sum(limb.mass(self.limb_density) for limb in self.limbs if limb.name in inside)


def other_side(name: str) -> str:
    """Exchange left and right in a name."""
    for one, other in (("left_", "right_"), ("right_", "left_")):
        if name.startswith(one):
            return other + name.removeprefix(one)
    return name


def vector(values: np.ndarray) -> tuple[float, float, float]:
    """Round a point to tenths of a millimetre, as it will be written."""
    x, y, z = (round(float(value), 4) for value in values)
    return x, y, z
