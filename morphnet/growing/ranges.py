"""What is drawn, and from which ranges: every number that a creature or a mutant owes to chance.

Ranges are uniform, and given as (lowest, highest), unless a line says otherwise. Strength is measured by what there is
to carry: a leg's by ``load`` = mass of the whole creature x 9.81 m/s^2 x height of its torso, another limb's by the
mass and the length of what hangs on its joint.
"""

from __future__ import annotations

LIMBS = (3, 12)
"""Limbs (capsules besides the torso), whole numbers, equally likely."""
MIRRORED = 0.6
"""Share of creatures whose left half mirrors the right one."""
LONGEST_CHAIN = 3
"""Limbs in a row, from the torso to a foot or a tip."""
BRANCHES = 0.35
"""Chance that a limb which is no leg grows on another such limb instead of on the torso."""

TORSO_LENGTH, TORSO_RADIUS = (0.2, 0.55), (0.07, 0.12)
HEIGHT = (0.32, 0.62)
"""Of the torso's axis above the floor (m)."""
LIMB_RADIUS = (0.024, 0.045)
LEG_REACH = (0.3, 0.9)
"""Horizontal distance from a leg's root to its foot, in heights of its root."""
KNEE_OUT, KNEE_UP = (-0.1, 0.35), (-0.1, 0.4)
"""How far a knee lies off the line from hip to foot, in heights of the leg's root."""
ARM_LENGTH = (0.13, 0.28)
"""Of one limb that is no leg (m)."""
DENSITY = (450.0, 1000.0)
"""kg/m^3, one draw for the torso and one for all limbs."""

SECOND_HINGE = {"root": 0.55, "further": 0.15}
"""Chance of a second hinge, for limbs on the torso and for those further out."""
RANGE_LOW, RANGE_HIGH = (-70.0, -30.0), (30.0, 70.0)
"""Joint range (degrees) from the start pose."""
LEG_GEAR, LEG_STIFFNESS = (0.35, 0.7), (0.45, 1.0)
"""Largest torque (N m) and spring (N m/rad), in loads."""
LEG_DAMPING, LEG_ARMATURE = (0.015, 0.03), (0.003, 0.007)
"""Damping (N m s/rad) in loads x s; armature (kg m^2) in mass x height^2."""
ARM_GEAR, ARM_STIFFNESS = (2.0, 4.0), (1.5, 3.0)
ARM_DAMPING, ARM_ARMATURE = (0.1, 0.2), (0.1, 0.3)
"""The same for limbs that are no legs, by what hangs on the joint."""
TAPER = 0.85
"""A leg's joints are this much weaker with every limb that lies between them and the torso."""

LENGTH_FACTOR, MASS_FACTOR = (0.8, 1.25), (0.7, 1.4)
GEAR_FACTOR, DAMPING_FACTOR, RANGE_FACTOR = (0.75, 1.33), (0.6, 1.6), (0.8, 1.25)
"""What a mutation multiplies by: one log-uniform factor for all limbs or joints, and one closer to 1 for each."""
SINGLE_SHARE = 0.5
"""The exponent of a single limb's or joint's own factor, beside 1 for the common one."""
LOSES_LIMB = 0.4
"""Chance that a mutant loses a limb, with all that hangs from it."""
