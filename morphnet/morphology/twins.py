"""Twins: parts that nothing physical tells apart, such as the legs of a planar walker, which coincide."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

import mujoco
import numpy as np

if TYPE_CHECKING:
    from morphnet.morphology.graph import MorphologyGraph
    from morphnet.morphology.skeleton import Skeleton

APART = 0.08
"""How far to either side twin limbs are read to lie, as a share of the robot's size: as far as the legs of our own
walkers do."""
_DIGITS = 5
"""Decimals of features that count: the order of parts in the file moves the last bits."""


def sides_of_twins(model: mujoco.MjModel, skeleton: Skeleton, features: np.ndarray) -> np.ndarray:
    """Return on which side twin limbs are to be read, so that they are told apart.

    Nothing that reads a graph without regard to its order can move twins differently. As no robot can be built with two
    limbs in the same place, they are read as if they lay side by side, in the order of their names, whatever the order
    in the file. Those without a name stay where they are.

    Args:
        model: the compiled model.
        skeleton: the robot.
        features: (num_bodies, BODY_FEATURES) of its bodies where they are.

    Returns:
        (num_bodies,) how far to the left, from -1 to 1 for one limb among its twins; zeros where there are none.
    """
    names = [model.body(body).name for body in skeleton.body_ids]
    siblings: dict[tuple[int, bytes], list[int]] = collections.defaultdict(list)
    rows = np.round(features, _DIGITS) + 0.0  # adding 0 turns a -0 into a 0
    for body, parent in enumerate(skeleton.body_parent.tolist()):
        if parent >= 0 and names[body]:
            siblings[parent, rows[body].tobytes()].append(body)
    sides = np.zeros(len(names))
    for twins in siblings.values():
        if len(twins) > 1:
            sides[sorted(twins, key=names.__getitem__)] = np.linspace(1.0, -1.0, len(twins))
    for body, parent in enumerate(skeleton.body_parent.tolist()):
        sides[body] += sides[parent] if parent >= 0 else 0.0
    return sides


def place_aside(data: mujoco.MjData, skeleton: Skeleton, metres: np.ndarray) -> None:
    """Shift bodies and their joints to the left by (num_bodies,) m, in poses that were computed before."""
    for positions in (data.xpos, data.xipos):
        positions[skeleton.body_ids, 1] += metres
    data.xanchor[skeleton.joint_ids, 1] += metres[skeleton.joint_body]


def has_twins(graph: MorphologyGraph) -> bool:
    """Return whether two actuators have the same place in the graph, as those of coinciding legs have.

    What reads the graph without regard to its order gives them the same weights.
    """
    acting = _colors(graph)[-graph.num_actuators :]
    return len(set(acting)) < graph.num_actuators


def _colors(graph: MorphologyGraph) -> list[int]:
    """Return a colour of every token; those of one colour have the same place in the graph.

    Tokens are coloured by their features, then again and again by their own and their neighbours' colours (Weisfeiler
    and Leman 1968), until no colour splits any more.
    """
    colors = _first_colors(graph)
    while True:
        seen: list[list[tuple[int, int, int]]] = [[] for _ in colors]
        for one, other, kind in graph.edges.tolist():
            seen[one].append((kind, 0, colors[other]))
            seen[other].append((kind, 1, colors[one]))
        finer = _numbered([(color, *sorted(around)) for color, around in zip(colors, seen, strict=True)])
        if len(set(finer)) == len(set(colors)):
            return finer
        colors = finer


def _first_colors(graph: MorphologyGraph) -> list[int]:
    kinds = (graph.body_features, graph.joint_features, graph.actuator_features)
    # adding 0 turns a -0 into a 0
    rows = [(kind, *(np.round(row, _DIGITS) + 0.0).tolist()) for kind, table in enumerate(kinds) for row in table]
    return _numbered(rows)


def _numbered(items: list[tuple[object, ...]]) -> list[int]:
    numbers: dict[object, int] = {}
    return [numbers.setdefault(item, len(numbers)) for item in items]
