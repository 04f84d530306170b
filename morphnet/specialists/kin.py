"""Kin: bodies that are alike enough to share an expert, and the mutants that stand between and around them."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence

import mujoco
import numpy as np

from morphnet.bodies import Body, Task
from morphnet.errors import BodyError
from morphnet.growing import mutate_body

COMMON = 0.5
"""Share of a body's actuators that must have the names of another's for the two to share a frame."""
TWICE = 0.5
"""Share of the mutants that are mutants of mutants: they may lack two limbs."""

TRIES = 5
"""Mutations for each that is wanted, at most: two of five lose a limb."""


def kin_of(bodies: Sequence[Body]) -> list[list[Body]]:
    """Sort bodies into those that may share a frame: names of actuators, control step, and task but for where it ends.

    Each is like another of its kin, though not like all of them: a chain of six links has little in common with one
    of three, but much with one of four.
    """
    kin: list[list[Body]] = []
    for body in bodies:
        near = [others for others in kin if any(_alike(body, other) for other in others)]
        kin = [others for others in kin if others not in near]
        kin.append([*(other for others in near for other in others), body])
    return kin


def _alike(one: Body, other: Body) -> bool:
    names, others = _names(one), _names(other)
    same = one.control_step == other.control_step and _limitless(one.task) == _limitless(other.task)
    return same and len(names & others) >= COMMON * max(one.model.nu, other.model.nu)


def _names(body: Body) -> set[str]:
    """Names of actuators that come from the file: stand-ins have nothing in common."""
    kinds = (mujoco.mjtObj.mjOBJ_ACTUATOR, mujoco.mjtObj.mjOBJ_JOINT)
    names = body.graph.actuator_names
    given = {name: name.partition("[")[0] for name in names}  # "name[1]" is the second control of one
    return {name for name in names if any(mujoco.mj_name2id(body.model, kind, given[name]) >= 0 for kind in kinds)}


def _limitless(task: Task) -> Task:
    """The task without the heights and angles at which episodes end, which follow a body's size."""
    return dataclasses.replace(task, height=None, angle=None, tilt=None)


def make_mutants(bodies: Sequence[Body], count: int, seed: int, name: str) -> list[Body]:
    """Mutate bodies in turn; mutants are called ``name~number``. A body that has no good ones is left out."""
    rng = np.random.default_rng(seed)
    mutants = []
    for number in range(count):
        body = bodies[number % len(bodies)]
        with contextlib.suppress(BodyError):
            for _ in range(1 + int(rng.random() < TWICE)):
                body = mutate_body(body, rng, f"{name}~{number:03d}")
            mutants.append(body)
    return mutants


def mutate_alike(bodies: Sequence[Body], count: int, seed: int) -> list[Body]:
    """Mutate bodies in turn into ``count`` others that lack no further limb, or fewer if that goes wrong too often.

    Mutants are called as what they come from, with ``~alike`` and a number.
    """
    rng = np.random.default_rng(seed)
    alike: list[Body] = []
    for number in range(TRIES * count):
        if len(alike) == count:
            break
        body = bodies[number % len(bodies)]
        with contextlib.suppress(BodyError):
            mutant = mutate_body(body, rng, f"{body.name}~alike{number:03d}")
            if _parts(mutant) == _parts(body):
                alike.append(mutant)
    return alike


def _parts(body: Body) -> tuple[tuple[str, ...], ...]:
    graph = body.graph
    return tuple(graph.body_names), tuple(graph.joint_names), tuple(graph.actuator_names)
