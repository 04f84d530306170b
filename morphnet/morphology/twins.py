"""Twins: actuators that nothing in a robot's graph tells apart."""

import numpy as np

from morphnet.morphology.graph import MorphologyGraph

_DIGITS = 5
"""Decimals of features that count: the order of parts in the file moves the last bits."""


def has_twins(graph: MorphologyGraph) -> bool:
    """Return whether two actuators have the same place in the graph, as those of coinciding legs have.

    What reads the graph without regard to its order gives twins the same weights, however different their names.
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
            return len(set(finer[-graph.num_actuators :])) < graph.num_actuators
        colors = finer


def _first_colors(graph: MorphologyGraph) -> list[int]:
    kinds = (graph.body_features, graph.joint_features, graph.actuator_features)
    # adding 0 turns a -0 into a 0
    rows = [(kind, *(np.round(row, _DIGITS) + 0.0).tolist()) for kind, table in enumerate(kinds) for row in table]
    return _numbered(rows)


def _numbered(items: list[tuple[object, ...]]) -> list[int]:
    numbers: dict[object, int] = {}
    return [numbers.setdefault(item, len(numbers)) for item in items]
