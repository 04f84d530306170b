"""From a creature to its MJCF and its task."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

from morphnet.assets.studio import add_sun_and_camera, number, numbers, studio, to_text
from morphnet.bodies import Task
from morphnet.growing.creature import Creature, Limb

TIMESTEP, FRAME_SKIP = 0.005, 4
_SIDES = {"left": "left", "right": "right"}


def creature_mjcf(creature: Creature, name: str, about: str) -> str:
    """Return the MJCF text of a creature, with ``about`` as its comment."""
    root = studio(name, about, TIMESTEP, creature.hue)
    world, actuators = root.find("worldbody"), SubElement(root, "actuator")
    assert world is not None
    bodies = {"torso": SubElement(world, "body", name="torso", pos=numbers((0.0, 0.0, creature.height)))}
    add_sun_and_camera(bodies["torso"], distance=2.2 * (creature.torso_length + creature.height))
    SubElement(bodies["torso"], "freejoint", name="root")
    half = creature.torso_length / 2
    _add_capsule(bodies["torso"], "torso", (-half, 0, 0, half, 0, 0), creature.torso_radius, creature.torso_density)
    for limb in creature.limbs:
        bodies[limb.name] = _add_limb(bodies[limb.parent], limb, creature.limb_density)
        for hinge in limb.hinges:
            SubElement(actuators, "motor", name=hinge.name, joint=hinge.name, gear=number(hinge.gear))
    return to_text(root)


def creature_task(creature: Creature) -> Task:
    """Return how a creature is run: along +x, its torso above half of its height and not tipped over."""
    limits = (round(0.5 * creature.height, 3), round(2.5 * creature.height, 3))
    return Task(
        frame_skip=FRAME_SKIP,
        healthy_reward=1.0,
        ctrl_cost=0.02,
        height=limits,
        tilt=1.0,
        qpos_noise=0.01,
        qvel_noise=0.02,
    )


def _add_limb(parent: Element, limb: Limb, density: float) -> Element:
    body = SubElement(parent, "body", name=limb.name, pos=numbers(limb.start))
    for hinge in limb.hinges:
        SubElement(
            body,
            "joint",
            name=hinge.name,
            axis=numbers(hinge.axis),
            range=numbers((hinge.low, hinge.high)),
            stiffness=number(hinge.stiffness),
            damping=number(hinge.damping),
            armature=number(hinge.armature),
        )
    side = _SIDES.get(limb.name.split("_")[0])
    capsule = _add_capsule(body, limb.name, (0, 0, 0, *limb.end), limb.radius, density)
    if side:
        capsule.set("material", side)
    return body


def _add_capsule(body: Element, name: str, ends: tuple[float, ...], radius: float, density: float) -> Element:
    return SubElement(body, "geom", name=name, fromto=numbers(ends), size=number(radius), density=number(density))
