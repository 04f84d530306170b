"""Twins: parts that nothing in a robot's graph tells apart, such as legs that coincide."""

from __future__ import annotations

import collections

import numpy as np

from morphnet.morphology.graph import MorphologyGraph

_DIGITS = 5
"""Decimals of features that count: the order of parts in the file moves the last bits."""


def has_twins(graph: MorphologyGraph) -> bool:
    """Return whether two actuators have the same place in the graph, as those of coinciding legs have.

    What reads the graph without regard to its order gives twins the same weights, however different their names.
    """
    acting = _colors(graph)[-graph.num_actuators :]
    return len(set(acting)) < graph.num_actuators


def swap_of_twins(graph: MorphologyGraph) -> np.ndarray | None:
    """Return the exchange of the two limbs of a robot that are twins.

    Returns:
        (num_tokens,) the token that takes each token's place; None where no actuators are twins, or other than one
        pair of limbs.
    """
    if not has_twins(graph):
        return None
    places: dict[int, list[int]] = collections.defaultdict(list)
    for token, color in enumerate(_colors(graph)):
        places[color].append(token)
    pairs = [tokens for tokens in places.values() if len(tokens) > 1]
    if any(len(tokens) > 2 for tokens in pairs):
        return None
    swap = np.arange(graph.num_tokens)
    for one, other in pairs:
        swap[[one, other]] = other, one
    limbs = _parts(graph, {token for pair in pairs for token in pair})
    return swap if len(limbs) == 2 and limbs[1] == {int(swap[token]) for token in limbs[0]} else None


def _parts(graph: MorphologyGraph, tokens: set[int]) -> list[set[int]]:
    """Return the connected parts of what is left of a graph when only ``tokens`` stay."""
    parts = [{token} for token in tokens]
    for one, other, _ in graph.edges.tolist():
        if one in tokens and other in tokens:
            joined = [part for part in parts if one in part or other in part]
            parts = [part for part in parts if part not in joined] + [set().union(*joined)]
    return parts


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
