"""Where the tokens of a morphology graph go in a picture: a tree of bodies, each with its joints and actuators."""

from __future__ import annotations

import numpy as np

from morphnet.morphology import MorphologyGraph

COLUMN, ROW = 150.0, 100.0  # between bodies side by side, and from parent to child at least (pixels)
JOINT_SHIFT, ACTUATOR_SHIFT, JOINT_ROW = 40.0, 76.0, 20.0


def token_positions(graph: MorphologyGraph, height: float) -> np.ndarray:
    """(num_tokens, 2) places in pixels, the root's row at 0.

    Every joint stands to the right of its body, and every actuator to the right of its joint, so that what belongs
    together is one line.

    Args:
        graph: the graph.
        height: what the tree may fill; deep ones become higher.
    """
    depth = _depths(graph)
    rows = max(ROW, height / max(1.0, depth.max()))
    bodies = np.stack([_columns(graph) * COLUMN, depth * min(rows, 2 * ROW)], axis=1)
    joints = np.zeros((graph.num_joints, 2))
    for owner in np.unique(graph.joint_body):
        own = np.flatnonzero(graph.joint_body == owner)
        joints[own, 0] = bodies[owner, 0] + JOINT_SHIFT
        joints[own, 1] = bodies[owner, 1] + (np.arange(len(own)) - (len(own) - 1) / 2) * JOINT_ROW
    actuators = np.zeros((graph.num_actuators, 2))
    for index in range(graph.num_actuators):
        driven = graph.actuator_joints[graph.actuator_joints[:, 0] == index, 1]
        held = graph.actuator_bodies[graph.actuator_bodies[:, 0] == index, 1]
        if len(driven):
            actuators[index] = joints[driven].mean(axis=0) + np.array([ACTUATOR_SHIFT - JOINT_SHIFT, 0.0])
        else:
            actuators[index] = bodies[held].mean(axis=0) + np.array([ACTUATOR_SHIFT, 0.0])
    return np.concatenate([bodies, joints, _apart(actuators)])


def _apart(places: np.ndarray) -> np.ndarray:
    """Move places that coincide, as those of two actuators of one joint do, next to one another."""
    seen: dict[tuple[float, float], int] = {}
    for place in places:
        key = (round(place[0], 3), round(place[1], 3))
        place[0] += JOINT_ROW * seen.get(key, 0)
        seen[key] = seen.get(key, 0) + 1
    return places


def _depths(graph: MorphologyGraph) -> np.ndarray:
    depth = np.zeros(graph.num_bodies)
    for index, parent in enumerate(graph.body_parent):
        depth[index] = depth[parent] + 1 if parent >= 0 else 0
    return depth


def _columns(graph: MorphologyGraph) -> np.ndarray:
    """Column of each body: leaves side by side, parents in the middle of their children."""
    children = [np.flatnonzero(graph.body_parent == i) for i in range(graph.num_bodies)]
    column, used = np.zeros(graph.num_bodies), 0
    for index in _depth_first(graph, children):
        if len(children[index]) == 0:
            column[index], used = used, used + 1
    for index in reversed(range(graph.num_bodies)):
        if len(children[index]):
            column[index] = (column[children[index]].min() + column[children[index]].max()) / 2
    return column


def _depth_first(graph: MorphologyGraph, children: list[np.ndarray]) -> list[int]:
    order: list[int] = []
    waiting = [int(i) for i in np.flatnonzero(graph.body_parent < 0)][::-1]
    while waiting:
        index = waiting.pop()
        order.append(index)
        waiting += [int(child) for child in children[index][::-1]]
    return order
