"""Families of bodies: writes every variant from its hand-written base file.

A variant is a base body with limbs removed, lengths, densities or motor gears changed, stood on the floor
again. ``python -m morphnet.assets.families`` rewrites the variant files in place; the same MuJoCo version
gives the same files.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import math
from collections.abc import Mapping
from pathlib import Path

import mujoco

ASSETS = Path(__file__).parent
CLEARANCE = 0.005
"""Height of the lowest point of a standing body above the floor (m)."""


@dataclasses.dataclass(frozen=True)
class Variant:
    """A body derived from a base body of the same suite.

    The keys of the mappings are shell patterns; where several match, the factors multiply.

    Attributes:
        suite: folder of the base file and of the variant's file.
        name: file stem and model name.
        base: file stem of the base body.
        about: one sentence for the reader of the file.
        remove: bodies that are cut off with everything beyond them and the motors in them.
        length: body pattern to a factor on the length of its segment. Thickness stays.
        density: body pattern to a factor on the density of its geoms.
        gear: actuator pattern to a factor on its torque.
    """

    suite: str
    name: str
    base: str
    about: str
    remove: tuple[str, ...] = ()
    length: Mapping[str, float] = dataclasses.field(default_factory=dict)
    density: Mapping[str, float] = dataclasses.field(default_factory=dict)
    gear: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The variant's file."""
        return ASSETS / self.suite / f"{self.name}.xml"


def _planar(name: str, base: str, about: str, **changes: object) -> Variant:
    return Variant("planar", name, base, about, **changes)  # type: ignore[arg-type]


def _legged(name: str, base: str, about: str, **changes: object) -> Variant:
    return Variant("legged", name, base, about, **changes)  # type: ignore[arg-type]


HEAVY = {"*": 1.4}
LIGHT = {"*": 0.75}

PLANAR = (
    _planar("hopper_long_leg", "hopper", "A long shin.", length={"leg": 1.25}),
    _planar("hopper_short", "hopper", "Short thigh and shin.", length={"thigh": 0.8, "leg": 0.8}),
    _planar("hopper_heavy", "hopper", "Dense throughout, with a stronger hip.", density=HEAVY, gear={"hip": 1.2}),
    _planar("hopper_four", "hopper_five", "A waist, but no toe.", remove=("toe",)),
    _planar(
        "hopper_tall_light",
        "hopper",
        "Every segment longer, the material lighter.",
        length={"torso": 1.15, "thigh": 1.15, "leg": 1.15},
        density=LIGHT,
    ),
    _planar(
        "hopper_four_short",
        "hopper_five",
        "A waist, no toe, a short shin under a dense torso.",
        remove=("toe",),
        length={"leg": 0.8},
        density={"torso": 1.3},
    ),
    _planar("walker_long_legs", "walker", "Long thighs and shins.", length={"*_thigh": 1.2, "*_leg": 1.2}),
    _planar("walker_short_legs", "walker", "Short thighs and shins.", length={"*_thigh": 0.8, "*_leg": 0.8}),
    _planar("walker_long_torso", "walker", "A long torso.", length={"torso": 1.35}),
    _planar("walker_heavy", "walker", "Dense throughout, motors stronger.", density=HEAVY, gear={"*": 1.2}),
    _planar("walker_no_left_foot", "walker", "The left leg ends at the ankle.", remove=("left_foot",)),
    _planar(
        "walker_long_thighs_short_shins",
        "walker",
        "Long thighs, short shins, light torso.",
        length={"*_thigh": 1.2, "*_leg": 0.85},
        density={"torso": 0.7},
    ),
    _planar("cheetah_no_front_foot", "cheetah", "The front leg ends at the ankle.", remove=("front_foot",)),
    _planar("cheetah_no_back_foot", "cheetah", "The back leg ends at the ankle.", remove=("back_foot",)),
    _planar(
        "cheetah_long_legs",
        "cheetah",
        "Longer legs, both of them.",
        length={"*_thigh": 1.2, "*_shin": 1.2, "*_foot": 1.1},
    ),
    _planar("cheetah_short_torso", "cheetah", "A short torso.", length={"torso": 0.75}),
    _planar("cheetah_heavy", "cheetah", "Dense throughout, motors stronger.", density=HEAVY, gear={"*": 1.15}),
    _planar("cheetah_no_front_shin", "cheetah", "The front leg ends at the knee.", remove=("front_shin",)),
    _planar("swimmer_four", "swimmer_six", "Four links.", remove=("link4",), length={"*": 1.25}, gear={"*": 1.5}),
    _planar("swimmer_long_tail", "swimmer", "The last link is longer.", length={"link2": 1.4}),
    _planar("swimmer_five", "swimmer_six", "Five links.", remove=("link5",)),
    _planar(
        "swimmer_short_head",
        "swimmer",
        "A short head link, weaker motors.",
        length={"torso": 0.7},
        gear={"*": 0.8},
    ),
    _planar("humanoid2d_no_left_arm", "humanoid2d", "No left arm.", remove=("left_upper_arm",)),
    _planar("humanoid2d_no_right_forearm", "humanoid2d", "No right forearm.", remove=("right_forearm",)),
    _planar("humanoid2d_long_legs", "humanoid2d", "Long legs.", length={"*_thigh": 1.18, "*_shin": 1.18}),
    _planar(
        "humanoid2d_heavy",
        "humanoid2d",
        "Dense throughout, motors stronger.",
        density=HEAVY,
        gear={"*": 1.25},
    ),
    _planar(
        "humanoid2d_no_arms",
        "humanoid2d",
        "No arms.",
        remove=("left_upper_arm", "right_upper_arm"),
    ),
    _planar(
        "humanoid2d_short",
        "humanoid2d",
        "Short legs and arms, light limbs.",
        length={"*_thigh": 0.82, "*_shin": 0.82, "*_upper_arm": 0.85, "*_forearm": 0.85},
        density={"*_*": 0.85},
    ),
)

LEGGED = (
    _legged("ant_three_legs", "ant", "No back left leg.", remove=("back_left_leg",)),
    _legged("ant_long_shins", "ant", "Long shins.", length={"*_shin": 1.3}),
    _legged("ant_short_legs", "ant", "Short legs.", length={"*_leg": 0.75, "*_shin": 0.75}),
    _legged("ant_heavy", "ant", "A dense torso, stronger motors.", density={"torso": 2.0}, gear={"*": 1.15}),
    _legged("ant_no_front_right_leg", "ant", "No front right leg.", remove=("front_right_leg",)),
    _legged(
        "ant_long_legs_short_shins",
        "ant",
        "Long legs with short shins.",
        length={"*_leg": 1.3, "*_shin": 0.85},
    ),
    _legged(
        "quadruped_long_legs",
        "quadruped",
        "Long thighs and shins, stronger motors.",
        length={"*_thigh": 1.2, "*_shin": 1.2},
        gear={"*": 1.15},
    ),
    _legged("quadruped_short_torso", "quadruped", "A short, narrow torso.", length={"torso": 0.75}),
    _legged("quadruped_heavy", "quadruped", "Dense throughout, stronger motors.", density=HEAVY, gear={"*": 1.2}),
    _legged(
        "quadruped_no_front_left_shin",
        "quadruped",
        "The front left leg ends at the knee.",
        remove=("front_left_shin",),
    ),
    _legged("quadruped_no_back_right_leg", "quadruped", "No back right leg.", remove=("back_right_hip",)),
    _legged(
        "quadruped_short_legs_long_torso",
        "quadruped",
        "Short legs under a long torso.",
        length={"*_thigh": 0.8, "*_shin": 0.8, "torso": 1.2},
    ),
    _legged("hexapod_five_legs", "hexapod", "No middle left leg.", remove=("middle_left_hip",)),
    _legged("hexapod_long_legs", "hexapod", "Long legs, stronger motors.", length={"*_leg": 1.2}, gear={"*": 1.2}),
    _legged("hexapod_heavy", "hexapod", "Dense throughout, stronger motors.", density=HEAVY, gear={"*": 1.2}),
    _legged("hexapod_short_torso", "hexapod", "A short, narrow torso.", length={"torso": 0.8}),
    _legged("hexapod_no_front_right_leg", "hexapod", "No front right leg.", remove=("front_right_hip",)),
    _legged(
        "hexapod_four_legs",
        "hexapod",
        "No middle legs.",
        remove=("middle_left_hip", "middle_right_hip"),
    ),
    _legged("biped_long_legs", "biped", "Long thighs and shins.", length={"*_thigh": 1.15, "*_shin": 1.15}),
    _legged("biped_short_shins", "biped", "Short shins.", length={"*_shin": 0.8}),
    _legged("biped_heavy", "biped", "Dense throughout, stronger motors.", density={"*": 1.3}, gear={"*": 1.2}),
    _legged(
        "biped_small_trunk",
        "biped",
        "A small trunk on long feet.",
        length={"torso": 0.8, "*_foot": 1.2},
    ),
    _legged(
        "biped_long_thighs_short_shins",
        "biped",
        "Long thighs, short shins.",
        length={"*_thigh": 1.2, "*_shin": 0.85},
    ),
    _legged(
        "biped_short_light",
        "biped",
        "Short legs, light material, weaker motors.",
        length={"*_thigh": 0.85, "*_shin": 0.85},
        density=LIGHT,
        gear={"*": 0.85},
    ),
    _legged("humanoid_no_left_arm", "humanoid", "No left arm.", remove=("left_upper_arm",)),
    _legged("humanoid_no_right_forearm", "humanoid", "No right forearm.", remove=("right_forearm",)),
    _legged("humanoid_long_legs", "humanoid", "Long legs.", length={"*_thigh": 1.15, "*_shin": 1.15}),
    _legged(
        "humanoid_heavy",
        "humanoid",
        "Dense throughout, stronger motors.",
        density={"*": 1.25},
        gear={"*": 1.2},
    ),
    _legged("humanoid_no_arms", "humanoid", "No arms.", remove=("left_upper_arm", "right_upper_arm")),
    _legged(
        "humanoid_short_legs",
        "humanoid",
        "Short legs, light arms.",
        length={"*_thigh": 0.85, "*_shin": 0.85},
        density={"*_upper_arm": 0.8, "*_forearm": 0.8},
    ),
)

VARIANTS = PLANAR + LEGGED


def build(variant: Variant) -> str:
    """Return the MJCF of a variant.

    Raises:
        KeyError: a body to remove, or a pattern, names nothing in the base file.
    """
    spec = mujoco.MjSpec.from_file(str(ASSETS / variant.suite / f"{variant.base}.xml"))
    spec.modelname = variant.name
    spec.comment = f"{variant.about} Written by morphnet.assets.families from {variant.base}.xml."
    for name in variant.remove:
        _remove(spec, name)
    bodies = {body.name: body for body in spec.bodies if body.name != "world"}
    for name, factor in _matches(variant.length, bodies).items():
        _stretch(bodies[name], factor)
    for name, factor in _matches(variant.density, bodies).items():
        for geom in bodies[name].geoms:
            geom.density *= factor
    actuators = {actuator.name: actuator for actuator in spec.actuators}
    for name, factor in _matches(variant.gear, actuators).items():
        actuators[name].gear = [value * factor for value in actuators[name].gear]
    _stand(spec)
    spec.compile()
    return spec.to_xml()


def write(variant: Variant) -> bool:
    """Write a variant's file; return whether its text changed."""
    text = build(variant)
    changed = not variant.path.exists() or variant.path.read_text(encoding="utf-8") != text
    if changed:
        variant.path.write_text(text, encoding="utf-8")
    return changed


def _matches(factors: Mapping[str, float], names: Mapping[str, object]) -> dict[str, float]:
    """Return name to factor for the names that a pattern of ``factors`` matches."""
    found: dict[str, float] = {}
    for pattern, factor in factors.items():
        matching = [name for name in names if fnmatch.fnmatchcase(name, pattern)]
        if not matching:
            raise KeyError(pattern)
        for name in matching:
            found[name] = found.get(name, 1.0) * factor
    return found


def _remove(spec: mujoco.MjSpec, name: str) -> None:
    """Delete a body with its subtree; MuJoCo deletes the motors of its joints with it."""
    body = spec.body(name)
    if body is None:
        raise KeyError(name)
    spec.delete(body)


def _stretch(body: mujoco.MjsBody, factor: float) -> None:
    """Scale a segment about its joint: its geoms and where the next segments begin."""
    for geom in body.geoms:
        if math.isnan(geom.fromto[0]):
            geom.pos = [value * factor for value in geom.pos]
        else:
            geom.fromto = [value * factor for value in geom.fromto]
    for child in body.bodies:
        child.pos = [value * factor for value in child.pos]


def _stand(spec: mujoco.MjSpec) -> None:
    """Lift or lower the root so that the lowest geom is just above the floor in the start pose.

    A planar root whose joints do not include "rootz" (a swimmer) stays where it is.
    """
    root = spec.worldbody.first_body()
    vertical = [joint for joint in root.joints if joint.name == "rootz" or joint.type == mujoco.mjtJoint.mjJNT_FREE]
    if not vertical:
        return
    height = round(root.pos[2] - lowest_point(spec.compile()) + CLEARANCE, 3)
    root.pos = [root.pos[0], root.pos[1], height]
    for joint in vertical:
        if joint.name == "rootz":
            joint.ref = height


def lowest_point(model: mujoco.MjModel) -> float:
    """Return the height of the lowest point of the body in its start pose (capsules and spheres)."""
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    lowest = math.inf
    for geom in range(model.ngeom):
        kind = model.geom_type[geom]
        radius, half_length = model.geom_size[geom][:2]
        if kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
            drop = radius + half_length * abs(data.geom_xmat[geom][8])
        elif kind == mujoco.mjtGeom.mjGEOM_SPHERE:
            drop = radius
        else:
            continue
        lowest = min(lowest, float(data.geom_xpos[geom][2] - drop))
    return lowest


def main() -> None:
    """Write every variant's file."""
    changed = [variant.name for variant in VARIANTS if write(variant)]
    print(f"{len(VARIANTS)} variants, {len(changed)} files changed")


if __name__ == "__main__":
    main()
