"""Twins: limbs that coincide, such as the legs of a planar walker, and how they are told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mujoco
import numpy as np

from morphnet.morphology.geometry import Extents

if TYPE_CHECKING:
    from morphnet.morphology.graph import MorphologyGraph
    from morphnet.morphology.skeleton import Skeleton

APART = 0.08
"""How far to either side limbs that coincide are read to lie, as a share of the robot's size: as far as the legs of our
own walkers do."""
SAME_ORIGIN, SAME_CENTRE = 1e-5, 0.25
"""How far apart the origins (m) and the centres of mass (share of the smaller one's size) of such limbs are at most."""
_DIGITS = 5
"""Decimals of features that count: the order of parts in the file moves the last bits."""


def sides_of_limbs(model: mujoco.MjModel, data: mujoco.MjData, skeleton: Skeleton, extents: Extents) -> np.ndarray:
    """Return on which side limbs that coincide are to be read.

    What reads a graph without regard to its order cannot move limbs differently that nothing tells apart. As no robot
    can be built with two limbs in one place, they are read as if they lay side by side, in the order of their names,
    whatever the order in the file. Limbs coincide if their first bodies do, whatever hangs from them: a walker that
    lacks a foot then differs from a whole one by the foot alone. Limbs without a name stay where they are.

    Args:
        model: the compiled model.
        data: its state in the start pose, poses computed.
        skeleton: the robot.
        extents: bounding boxes of its bodies.

    Returns:
        (num_bodies,) how far to the left, from -1 to 1 for the limbs of one place, plus what their parent has; zeros
        where none coincide.
    """
    names = [model.body(body).name for body in skeleton.body_ids]
    origin, centre = data.xpos[skeleton.body_ids], data.xipos[skeleton.body_ids]
    sizes = np.linalg.norm(extents.high - extents.low, axis=1) / 2
    parents = skeleton.body_parent
    near = (parents[:, None] == parents) & (parents >= 0) & (np.array(names) != "")
    near &= np.linalg.norm(origin[:, None] - origin, axis=-1) < SAME_ORIGIN
    near &= np.linalg.norm(centre[:, None] - centre, axis=-1) <= SAME_CENTRE * np.minimum(sizes[:, None], sizes)
    sides, level = np.zeros(len(names)), np.zeros(len(names))
    for body, parent in enumerate(parents.tolist()):
        together = sorted(np.flatnonzero(near[body] & near[:, body]).tolist(), key=names.__getitem__)
        if parent >= 0:
            sides[body], level[body] = sides[parent], level[parent]
        if len(together) > 1:
            # halved at limbs of limbs, which would coincide with their neighbours' otherwise
            sides[body] += np.linspace(1.0, -1.0, len(together))[together.index(body)] / 2 ** level[body]
            level[body] += 1
    return sides


def place_aside(data: mujoco.MjData, skeleton: Skeleton, metres: np.ndarray) -> None:
    """Shift bodies and their joints to the left by (num_bodies,) m, in poses that were computed before."""
    for positions in (data.xpos, data.xipos):
        positions[skeleton.body_ids, 1] += metres
    data.xanchor[skeleton.joint_ids, 1] += metres[skeleton.joint_body]


def has_twins(graph: MorphologyGraph) -> bool:
    """Return whether two actuators have the same place in the graph, as those of coinciding limbs without names have.

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
