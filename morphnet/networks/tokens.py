"""Tokens: a robot as arrays, and many robots as one padded batch. Padding happens here and nowhere else."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

DISTANCE_LIMIT = 8
"""Graph distances from here on count as one relation."""

_EDGE_KINDS = 4
_SELF, _FIRST_EDGE, _FIRST_DISTANCE = 0, 1, 1 + 2 * _EDGE_KINDS
_FAR = _FIRST_DISTANCE + DISTANCE_LIMIT - 1
_TASK = _FAR + 1
NUM_RELATIONS = _TASK + 1


@dataclasses.dataclass(frozen=True, eq=False)
class Tokens:
    """One robot and its task as the networks see it.

    Token order: bodies, joints, actuators, one task token.

    Attributes:
        features: kind ("body", "joint", "actuator", "task") -> (tokens of that kind, features) float32.
        edges: (num_edges, 3) int, (token, token, edge kind) without the task token.
        root: index of the root body among the body tokens; it carries the slots of kind "root".
        observation_kind: (D,) index of the kind of slot that each observation entry belongs to.
        observation_token: (D,) index of its token among those of its kind; root and task have one each.
        observation_slot: (D,) index of its slot within its kind.
        control_step: time for which an action is held (s).
    """

    features: dict[str, np.ndarray]
    edges: np.ndarray
    root: int
    observation_kind: np.ndarray
    observation_token: np.ndarray
    observation_slot: np.ndarray
    control_step: float

    @property
    def observation_size(self) -> int:
        """Number of observation entries D."""
        return len(self.observation_kind)

    @property
    def action_size(self) -> int:
        """Number of actuators."""
        return len(self.features["actuator"])


@dataclasses.dataclass(frozen=True, eq=False)
class SlotTable:
    """How many slots each kind of observing token has.

    Attributes:
        sizes: kind ("root", "body", "joint", "actuator", "task") -> number of slots, in the order of
            ``Tokens.observation_kind``.
    """

    sizes: dict[str, int]

    @property
    def total(self) -> int:
        """Number of different slots, over all kinds."""
        return sum(self.sizes.values())

    def offsets(self) -> np.ndarray:
        """Position of each kind's first slot among all slots."""
        return np.concatenate([[0], np.cumsum(list(self.sizes.values()))[:-1]])


@dataclasses.dataclass(frozen=True, eq=False)
class TokenBatch:
    """B robots, padded to the largest.

    Attributes:
        features: kind -> (B, tokens of that kind, features) float.
        token_mask: (B, N) bool, true for real tokens; N over all kinds.
        relation: (B, N, N) int64, how token i sees token j, below ``NUM_RELATIONS``.
        root: (B,) int64 index of the root body among the body tokens.
        entry_kind: (B, D), entry_token: (B, D), entry_slot: (B, D) int64 of observation entries.
        used_slots: for each kind of slot, those that any robot of the batch has, ascending; blocks are generated
            for no others (a planar suite has a third of them).
        entry_mask: (B, D) bool, true for real observation entries.
        action_mask: (B, A) bool, true for real actuators.
        control_step: (B,) float, time for which an action is held (s).
    """

    features: dict[str, Tensor]
    token_mask: Tensor
    relation: Tensor
    root: Tensor
    entry_kind: Tensor
    entry_token: Tensor
    entry_slot: Tensor
    used_slots: tuple[Tensor, ...]
    entry_mask: Tensor
    action_mask: Tensor
    control_step: Tensor

    @property
    def num_robots(self) -> int:
        """Number of robots B."""
        return len(self.token_mask)

    @functools.cached_property
    def relation_one_hot(self) -> Tensor:
        """(B, N, N, NUM_RELATIONS) indicators: a product with a table differentiates faster than a look-up."""
        dtype = self.features["body"].dtype
        return torch.nn.functional.one_hot(self.relation, NUM_RELATIONS).to(dtype)

    @functools.cached_property
    def relation_indicators(self) -> Tensor:
        """(B, NUM_RELATIONS, N * N) the same, as the right factor of a product."""
        return self.relation_one_hot.flatten(1, 2).transpose(1, 2).contiguous()

    def to(self, dtype: torch.dtype) -> TokenBatch:
        """Return the batch with its features in another floating-point type."""
        features = {kind: values.to(dtype) for kind, values in self.features.items()}
        return dataclasses.replace(self, features=features, control_step=self.control_step.to(dtype))


def stack_tokens(robots: Sequence[Tokens]) -> TokenBatch:
    """Pad robots to the largest of them and stack them."""
    kinds = list(robots[0].features)
    widest = {kind: max(len(r.features[kind]) for r in robots) for kind in kinds}
    positions = [_positions(robot, widest) for robot in robots]
    total = sum(widest.values())
    mask = np.zeros((len(robots), total), bool)
    relation = np.full((len(robots), total, total), _FAR, np.int64)
    for row, (robot, position) in enumerate(zip(robots, positions, strict=True)):
        mask[row, position] = True
        relation[row, position[:, None], position[None, :]] = _relations(robot)
    entries = {name: _pad([getattr(r, f"observation_{name}") for r in robots]) for name in ("kind", "token", "slot")}
    return TokenBatch(
        features={kind: torch.from_numpy(_pad([r.features[kind] for r in robots])) for kind in kinds},
        token_mask=torch.from_numpy(mask),
        relation=torch.from_numpy(relation),
        root=torch.tensor([robot.root for robot in robots]),
        entry_kind=torch.from_numpy(entries["kind"].astype(np.int64)),
        entry_token=torch.from_numpy(entries["token"].astype(np.int64)),
        entry_slot=torch.from_numpy(entries["slot"].astype(np.int64)),
        used_slots=_used_slots(robots),
        entry_mask=torch.from_numpy(_pad([np.ones(r.observation_size, bool) for r in robots])),
        action_mask=torch.from_numpy(_pad([np.ones(r.action_size, bool) for r in robots])),
        control_step=torch.tensor([robot.control_step for robot in robots]),
    )


def _pad(arrays: list[np.ndarray]) -> np.ndarray:
    """Stack arrays that differ in their first axis, filling up with zeros."""
    longest = max(len(a) for a in arrays)
    out = np.zeros((len(arrays), longest, *arrays[0].shape[1:]), arrays[0].dtype)
    for row, array in zip(out, arrays, strict=True):
        row[: len(array)] = array
    return out


def _used_slots(robots: Sequence[Tokens]) -> tuple[Tensor, ...]:
    kind = np.concatenate([r.observation_kind for r in robots])
    slot = np.concatenate([r.observation_slot for r in robots])
    return tuple(torch.from_numpy(np.unique(slot[kind == k]).astype(np.int64)) for k in range(kind.max() + 1))


def _positions(robot: Tokens, widest: dict[str, int]) -> np.ndarray:
    """Where a robot's tokens lie in the padded order."""
    start, parts = 0, []
    for kind, width in widest.items():
        parts.append(start + np.arange(len(robot.features[kind])))
        start += width
    return np.concatenate(parts)


def _relations(robot: Tokens) -> np.ndarray:
    """(n, n) relation of every pair of one robot's tokens; the task token is the last.

    Neighbours are told apart by the kind and direction of their edge, others by their distance in the graph
    (the spatial encoding of Ying et al. 2021, "Do Transformers Really Perform Bad for Graph Representation?").
    """
    count = sum(len(f) for f in robot.features.values())
    relation = np.full((count, count), _FAR, np.int64)
    adjacent = np.zeros((count, count), np.float32)  # a product of booleans has no fast routine
    adjacent[robot.edges[:, 0], robot.edges[:, 1]] = 1.0
    adjacent = np.maximum(adjacent, adjacent.T)
    reached = np.eye(count, dtype=bool)
    for distance in range(1, DISTANCE_LIMIT):
        further = (reached.astype(np.float32) @ adjacent > 0) & ~reached
        relation[further] = _FIRST_DISTANCE + distance - 1
        reached |= further
    first, second, kind = robot.edges.T
    relation[first, second] = _FIRST_EDGE + 2 * kind
    relation[second, first] = _FIRST_EDGE + 2 * kind + 1
    relation[-1, :] = relation[:, -1] = _TASK
    np.fill_diagonal(relation, _SELF)
    return relation
