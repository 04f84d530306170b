"""Mutating bodies: other lengths, masses, strengths and ranges, and now and then a limb less."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import mujoco
import numpy as np

from morphnet.bodies import Body, Task, close_spec, make_body, open_source
from morphnet.errors import BodyError
from morphnet.growing import ranges
from morphnet.growing.checks import clearance, falls, physics_fault, start_faults

MOST_TRIES = 30
_FEWEST_ACTUATORS = 2
_LONG = (mujoco.mjtGeom.mjGEOM_CAPSULE, mujoco.mjtGeom.mjGEOM_CYLINDER)


def mutate_body(body: Body, rng: np.random.Generator, name: str | None = None) -> Body:
    """Return a body like ``body``: any MJCF robot, not only a grown one.

    Lengths, masses, gears, damping and joint ranges are multiplied by factors from ``morphnet.growing.ranges``, and a
    limb may be missing, with all that hangs from it. It stands as high above the floor as the original, and its height
    limits are scaled with its start height. Capsules and cylinders become longer and shorter; other geoms move with
    them.

    Args:
        body: the original; not changed.
        rng: where chance comes from.
        name: of the mutant; the original's with "_mutant" when None.

    Raises:
        BodyError: the body has a hidden change, or no mutant of many passed the checks.
    """
    if body.change is not None:
        raise BodyError(f"{body.name}: has a hidden change ({body.change.name}), which a mutant would lose")
    accepted, reason = set(start_faults(body)), ""
    for _ in range(MOST_TRIES):
        try:
            mutant = _draw(body, rng, name or f"{body.name}_mutant")
        except BodyError as error:  # what was cut off is referred to elsewhere in the file
            reason = str(error)
            continue
        new = [fault for fault in start_faults(mutant) if fault not in accepted]
        reason = new[0] if new else physics_fault(mutant) or ""
        if not reason:
            return mutant
    raise BodyError(f"{body.name}: none of {MOST_TRIES} mutants passed the checks; the last: {reason}")


def _draw(body: Body, rng: np.random.Generator, name: str) -> Body:
    spec = open_source(body.source)
    spec.modelname = name
    for key in list(spec.keys):  # written for other lengths, and read by nothing here
        spec.delete(key)
    bodies = {int(part.id): part for part in spec.bodies}
    robot = [bodies[int(index)] for index in body.graph.body_ids]
    _scale_bodies(robot, rng, lengths=not spec.equalities)
    _scale_joints([joint for part in robot for joint in part.joints], rng)
    for actuator, factor in zip(spec.actuators, _factors(rng, ranges.GEAR_FACTOR, len(spec.actuators)), strict=True):
        actuator.gear = np.array(actuator.gear) * factor
    limbs = _limbs(body)
    if limbs and rng.random() < ranges.LOSES_LIMB:
        spec.delete(bodies[limbs[rng.integers(len(limbs))]])
    return _stood_up(spec, body, name)


def _factors(rng: np.random.Generator, limits: tuple[float, float], count: int) -> np.ndarray:
    """(count,) factors within ``limits``: a common one, and a single one for each, log-uniform both."""
    low, high = np.log(limits)
    common, single = rng.uniform(low, high), rng.uniform(low, high, count)
    return np.exp((1.0 - ranges.SINGLE_SHARE) * common + ranges.SINGLE_SHARE * single)


def _scale_bodies(robot: list[Any], rng: np.random.Generator, lengths: bool) -> None:
    """Scale masses and, where nothing closes a loop, lengths."""
    masses = _factors(rng, ranges.MASS_FACTOR, len(robot))
    stretches = _factors(rng, ranges.LENGTH_FACTOR, len(robot)) if lengths else np.ones(len(robot))
    for part, mass, stretch in zip(robot, masses, stretches, strict=True):
        _stretch(part, float(stretch))
        part.mass, part.inertia = part.mass * mass, np.array(part.inertia) * mass
        part.fullinertia = np.array(part.fullinertia) * mass
        for geom in part.geoms:
            geom.density, geom.mass = geom.density * mass, geom.mass * mass


def _stretch(part: Any, factor: float) -> None:
    """Scale a body about its origin: its geoms and sites, and where the next bodies begin. Thickness stays."""
    part.ipos = np.array(part.ipos) * factor
    for geom in part.geoms:
        if math.isnan(geom.fromto[0]):
            geom.pos = np.array(geom.pos) * factor
            if geom.type in _LONG:
                geom.size = np.array(geom.size) * (1.0, factor, 1.0)
        else:
            geom.fromto = np.array(geom.fromto) * factor
    for placed in (*part.sites, *part.bodies):
        placed.pos = np.array(placed.pos) * factor


def _scale_joints(joints: list[Any], rng: np.random.Generator) -> None:
    """Scale damping, and ranges about the point in them that is nearest to the start pose."""
    dampings = _factors(rng, ranges.DAMPING_FACTOR, len(joints))
    widths = _factors(rng, ranges.RANGE_FACTOR, len(joints))
    for joint, damping, width in zip(joints, dampings, widths, strict=True):
        joint.damping = np.array(joint.damping) * damping
        low, high = joint.range
        middle = min(max(joint.ref, low), high)
        joint.range = [middle + width * (low - middle), middle + width * (high - middle)]


def _limbs(body: Body) -> list[int]:
    """MjModel ids of the bodies that can be cut off, with all that hangs from them: they move, and leave enough."""
    model, graph = body.model, body.graph
    effector = body.end_effector[0] if body.task.kind == "reach" else -1
    most = graph.num_actuators - _FEWEST_ACTUATORS
    limbs = []
    for index in map(int, graph.body_ids[model.body_dofnum[graph.body_ids] > 0]):
        lost = _with_descendants(model, index)
        if not lost & {graph.root_body, effector} and len(_actuators_of(body, lost)) <= most:
            limbs.append(index)
    return limbs


def _with_descendants(model: mujoco.MjModel, index: int) -> set[int]:
    found = {index}
    for child in range(index + 1, model.nbody):  # parents come before their children
        if int(model.body_parentid[child]) in found:
            found.add(child)
    return found


def _actuators_of(body: Body, ids: set[int]) -> set[int]:
    """Actuators that are connected to the joints of bodies, by the graph's edges."""
    graph = body.graph
    joints = graph.num_bodies + np.flatnonzero(np.isin(graph.body_ids[graph.joint_body], list(ids)))
    first = graph.num_bodies + graph.num_joints
    return {int(b) for a, b, _ in graph.edges if a in joints and b >= first}


def _stood_up(spec: Any, original: Body, name: str) -> Body:
    """Compile a mutant, as high above the floor as the original is, with a task for its height."""
    mutant = make_body(name, *close_spec(spec), original.task)
    if not falls(original):
        return mutant
    lift = round(clearance(original) - clearance(mutant), 4)
    root = next(part for part in spec.bodies if int(part.id) == mutant.graph.root_body)
    for joint in root.joints:  # a slide that reads height keeps reading it
        vertical = joint.type == mujoco.mjtJoint.mjJNT_SLIDE and abs(joint.axis[2]) > 0.99
        if vertical and math.isclose(joint.ref, root.pos[2], abs_tol=1e-6):
            joint.ref += lift
    root.pos = [root.pos[0], root.pos[1], root.pos[2] + lift]
    model, source = close_spec(spec)
    before = float(original.model.qpos0[original.base.z_qpos or 0])
    after = float(model.qpos0[mutant.base.z_qpos or 0])
    return make_body(name, model, source, _scaled_limits(original.task, before, after))


def _scaled_limits(task: Task, before: float, after: float) -> Task:
    """Scale the limits of height with the start height; one of 0 is measured from the start pose and stays."""
    if task.height is None or before <= 0.0:
        return task
    low, high = (limit * after / before for limit in task.height)
    return dataclasses.replace(task, height=(round(low, 4), high if math.isinf(high) else round(high, 4)))
