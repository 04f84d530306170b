"""The arms: chains of links on a fixed base, declared joint by joint.

``python -m morphnet.assets.manipulators`` rewrites their files in ``assets/arms`` in place. Strengths are not declared:
a motor holds what hangs on its joint ``HOLDS`` times over in the worst pose, and damping limits its joint to
``TURNS`` or ``SLIDES`` at full control.
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from morphnet.assets.studio import add_sun_and_camera, number, numbers, studio, to_text

FOLDER = Path(__file__).parent / "arms"
TIMESTEP = 0.005
HOLDS = 2.5
TURNS, SLIDES = 2.0 * math.pi, 1.5
"""Largest speeds: rad/s of hinges, m/s of slides."""
ARMATURE = 0.05
"""Rotor inertia, as a share of the inertia or mass that a joint moves at full stretch."""
GRAVITY = 9.81
_COLUMN = 0.06
"""Radius of a column (m)."""
X, Y, Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


@dataclasses.dataclass(frozen=True)
class Link:
    """A capsule, and the joint that moves it.

    Attributes:
        axis: of the joint.
        end: (x, y, z) of its far end from its joint, in the start pose (m); the next joint is there.
        limits: of the joint, from the start pose (degrees; m for a slide).
        slides: whether the joint is a slide.
        radius: of the capsule (m).
    """

    axis: tuple[float, float, float]
    end: tuple[float, float, float]
    limits: tuple[float, float] = (-115.0, 115.0)
    slides: bool = False
    radius: float = 0.035

    @property
    def length(self) -> float:
        """Between the centres of the capsule's ends (m)."""
        return math.hypot(*self.end)


@dataclasses.dataclass(frozen=True)
class Arm:
    """A chain of links.

    Attributes:
        name: file stem and model name.
        about: one sentence for the reader of the file.
        mount: height of the first joint above the floor (m).
        links: from the base to the tip.
        rail: half the length of a beam along x at the height of the mount (m); 0 for none.
        density: of the links (kg/m^3).
    """

    name: str
    about: str
    mount: float
    links: tuple[Link, ...]
    rail: float = 0.0
    density: float = 600.0

    @property
    def path(self) -> Path:
        """The arm's file."""
        return FOLDER / f"{self.name}.xml"

    def mass(self, index: int) -> float:
        """Mass of a link (kg)."""
        link = self.links[index]
        return self.density * math.pi * link.radius**2 * (link.length + 4 / 3 * link.radius)

    def strength(self, index: int) -> tuple[float, float, float]:
        """Gear, damping and armature of a joint, in MuJoCo's units."""
        link, carried = self.links[index], range(index, len(self.links))
        mass = sum(self.mass(i) for i in carried)
        if link.slides:
            force = HOLDS * GRAVITY * mass
            return force, force / SLIDES, ARMATURE * mass
        places = [sum(inner.length for inner in self.links[index:i]) + self.links[i].length / 2 for i in carried]
        torque = HOLDS * GRAVITY * sum(self.mass(i) * place for i, place in zip(carried, places, strict=True))
        inertia = sum(self.mass(i) * place**2 for i, place in zip(carried, places, strict=True))
        return torque, torque / TURNS, ARMATURE * inertia


def _along(axis: tuple[float, float, float], direction: tuple[float, float, float], *lengths: float) -> list[Link]:
    """Links in a row that turn about one axis."""
    return [Link(axis, tuple(length * part for part in direction), radius=0.036 - 0.003 * i)  # type: ignore[arg-type]
            for i, length in enumerate(lengths)]  # fmt: skip


def _flat(*lengths: float) -> Arm:
    about = "Turns in a horizontal plane, like Gymnasium's Reacher."
    return Arm(f"flat_arm_{len(lengths)}", about, 0.1, tuple(_along(Z, X, *lengths)))


def _crane(*lengths: float) -> Arm:
    about = "Turns in the vertical plane of x and z, against gravity."
    return Arm(f"crane_{len(lengths)}", about, 0.4, tuple(_along(Y, Z, *lengths)))


_WAIST = Link(Z, (0.0, 0.0, 0.14), (-170.0, 170.0), radius=0.05)

ARMS = (
    _flat(0.35, 0.3),
    _flat(0.3, 0.25, 0.2),
    _flat(0.26, 0.22, 0.2, 0.16),
    _flat(0.22, 0.2, 0.18, 0.16, 0.14),
    _crane(0.4, 0.35),
    _crane(0.32, 0.28, 0.2),
    _crane(0.28, 0.24, 0.2, 0.14),
    _crane(0.24, 0.22, 0.2, 0.16, 0.12),
    Arm(
        "spatial_arm_4",
        "A waist, then shoulder, elbow and wrist about y.",
        0.15,
        (_WAIST, *_along(Y, Z, 0.32), *_along(Y, X, 0.28, 0.12)),
    ),
    Arm(
        "spatial_arm_5",
        "A waist, shoulder and elbow, a forearm that rolls, and a wrist.",
        0.15,
        (_WAIST, *_along(Y, Z, 0.3), Link(Y, (0.1, 0.0, 0.0)), Link(X, (0.2, 0.0, 0.0), (-150.0, 150.0), radius=0.03),
         Link(Y, (0.12, 0.0, 0.0), radius=0.026)),
    ),
    Arm(
        "spatial_arm_6",
        "Six joints in the order of many industrial robots.",
        0.15,
        (_WAIST, Link(Y, (0.0, 0.0, 0.3)), Link(Y, (0.09, 0.0, 0.0)),
         Link(X, (0.2, 0.0, 0.0), (-150.0, 150.0), radius=0.03), Link(Y, (0.08, 0.0, 0.0), radius=0.028),
         Link(Z, (0.1, 0.0, 0.0), (-90.0, 90.0), radius=0.024)),
    ),
    Arm(
        "spatial_arm_7",
        "Rolls and bends in turn, seven joints: one more than a pose needs.",
        0.12,
        (_WAIST, Link(Y, (0.0, 0.0, 0.16), radius=0.042), Link(Z, (0.0, 0.0, 0.16), (-150.0, 150.0)),
         Link(Y, (0.1, 0.0, 0.12)), Link(X, (0.14, 0.0, 0.0), (-150.0, 150.0), radius=0.03),
         Link(Y, (0.1, 0.0, 0.0), radius=0.028), Link(Z, (0.1, 0.0, 0.0), (-90.0, 90.0), radius=0.024)),
    ),
    Arm(
        "slider_scara",
        "Two hinges about the vertical, and a quill that goes up and down.",
        0.45,
        (Link(Z, (0.3, 0.0, 0.0), (-140.0, 140.0), radius=0.04), Link(Z, (0.26, 0.0, 0.0), (-140.0, 140.0)),
         Link(Z, (0.0, 0.0, -0.16), (-0.18, 0.1), slides=True, radius=0.022)),
    ),
    Arm(
        "slider_polar",
        "A waist, a shoulder, and a boom that becomes longer.",
        0.2,
        (_WAIST, Link(Y, (0.3, 0.0, 0.0), (-75.0, 40.0), radius=0.045),
         Link(X, (0.25, 0.0, 0.0), (-0.2, 0.15), slides=True, radius=0.025)),
    ),
    Arm(
        "slider_gantry",
        "Three slides, along x, y and z.",
        0.7,
        (Link(X, (0.0, -0.08, 0.0), (-0.4, 0.4), slides=True, radius=0.05),
         Link(Y, (0.0, -0.3, 0.0), (-0.2, 0.2), slides=True, radius=0.03),
         Link(Z, (0.0, 0.0, -0.25), (-0.25, 0.2), slides=True, radius=0.022)),
        rail=0.5,
    ),
    Arm(
        "slider_rail",
        "Shoulder, elbow and wrist on a carriage that runs along x.",
        0.35,
        (Link(X, (0.0, 0.0, 0.09), (-0.35, 0.35), slides=True, radius=0.05), *_along(Y, Z, 0.26),
         Link(X, (0.0, -0.2, 0.0)), Link(Z, (0.0, -0.14, 0.0), radius=0.028)),
        rail=0.45,
    ),
)  # fmt: skip


def build(arm: Arm) -> str:
    """Return the MJCF of an arm."""
    root = studio(arm.name, f"{arm.about} Written by morphnet.assets.manipulators.", TIMESTEP)
    world, actuators = root.find("worldbody"), SubElement(root, "actuator")
    assert world is not None
    body = _add_base(world, arm)
    place = (0.0, 0.0, arm.mount)
    for index, link in enumerate(arm.links):
        gear, damping, armature = (float(f"{value:.3g}") for value in arm.strength(index))
        name, shade = f"link{index + 1}", ("left", "middle")[index % 2]
        body = SubElement(body, "body", name=name, pos=numbers(place))
        kind = {"type": "slide"} if link.slides else {}
        joint = {"name": f"joint{index + 1}", **kind, "axis": numbers(link.axis), "range": numbers(link.limits)}
        SubElement(body, "joint", {**joint, "damping": number(damping), "armature": number(armature)})
        _add_capsule(body, name, (0.0, 0.0, 0.0, *link.end), link.radius, shade, arm.density)
        SubElement(actuators, "motor", name=f"joint{index + 1}", joint=f"joint{index + 1}", gear=number(gear))
        place = link.end
    size = number(arm.links[-1].radius + 0.004)
    SubElement(body, "site", name="tip", pos=numbers(place), size=size, rgba="0.85 0.25 0.15 1")
    return to_text(root)


def _add_base(world: Element, arm: Arm) -> Element:
    """Add what does not move: a column from the floor to the first joint, and a beam where there is a rail."""
    base = SubElement(world, "body", name="base")
    add_sun_and_camera(base, distance=2.0)
    for x in (-arm.rail, arm.rail) if arm.rail else (0.0,):
        name = "column" if x <= 0.0 else "column2"
        _add_capsule(base, name, (x, 0.0, _COLUMN, x, 0.0, arm.mount), _COLUMN, "right", arm.density)
    if arm.rail:
        _add_capsule(base, "beam", (-arm.rail, 0.0, arm.mount, arm.rail, 0.0, arm.mount), 0.03, "right", arm.density)
    return base


def _add_capsule(body: Element, name: str, ends: tuple[float, ...], radius: float, shade: str, density: float) -> None:
    look = {"size": number(radius), "density": number(density), "material": shade}
    SubElement(body, "geom", {"name": name, "fromto": numbers(ends), **look})


def main() -> None:
    """Write every arm's file."""
    FOLDER.mkdir(exist_ok=True)
    for arm in ARMS:
        arm.path.write_text(build(arm), encoding="utf-8")
    print(f"{len(ARMS)} arms")


if __name__ == "__main__":
    main()
