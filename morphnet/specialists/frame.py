"""Frames: the common inputs and outputs of bodies that share names, and a code for what tells them apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from morphnet.bodies import Body
from morphnet.embodiment import tokens_of
from morphnet.networks import StackedMLP
from morphnet.policy import ActorWeights
from morphnet.simulation import Observer

CODE_SIZE = 24
"""Most numbers of a code: the principal components of what the bodies' tokens say."""
CODE_LIMIT = 3.0
"""Codes are clipped to +- this many standard deviations, so that an odd body asks for nothing unheard of."""
Key = tuple[str, str, int]
"""Kind of token, its name, and which of its features; -1 is whether there is such a token."""


@dataclasses.dataclass(frozen=True, eq=False)
class Fit:
    """Where a body stands in a frame.

    Attributes:
        body: the body.
        entries: (D,) the input of the frame that each of its observation entries is.
        actuators: (nu,) the output of the frame that each of its actuators is.
        code: (C,) float32, what tells it apart; the last inputs of the frame.
    """

    body: Body
    entries: np.ndarray
    actuators: np.ndarray
    code: np.ndarray

    def rows(self, observation: Tensor, size: int) -> Tensor:
        """Turn observations (..., D) into rows (n, size) of the frame's inputs; what the body lacks is 0."""
        flat = observation.reshape(-1, observation.shape[-1])
        rows = torch.zeros(len(flat), size)
        rows[:, self.entries] = flat
        rows[:, size - len(self.code) :] = torch.from_numpy(self.code)
        return rows

    def actor(self, actor: ActorWeights) -> ActorWeights:
        """Cut this body's actor out of a frame's; its code, which never changes, becomes a part of the bias."""
        first, second, third = actor.weights
        one, two, three = actor.biases
        moved = one + first[:, first.shape[1] - len(self.code) :] @ self.code
        weights = (np.ascontiguousarray(first[:, self.entries]), second, np.ascontiguousarray(third[self.actuators]))
        return ActorWeights(weights, (moved, two, three[self.actuators]), actor.log_std[self.actuators])

    def critic(self, critic: StackedMLP) -> StackedMLP:
        """The same of a critic, a stack of one."""
        first, second, third = critic.weights
        one, two, three = critic.biases
        moved = one + torch.from_numpy(self.code) @ first[0, first.shape[1] - len(self.code) :]
        return StackedMLP((first[:, self.entries], second, third), (moved, two, three))


@dataclasses.dataclass(frozen=True, eq=False)
class Frame:
    """Inputs and outputs by name, over all bodies of a family, and a code a body.

    A network in a frame is one policy of every body in it, and of others like them.

    Attributes:
        entries: names of the observation entries.
        actuators: names of the actuators.
        keys: (K,) what is said of bodies, of which codes are made.
        mean: (K,) of the frame's bodies.
        axes: (C, K) the directions in which they differ most.
        spreads: (C,) standard deviations along them.
    """

    entries: tuple[str, ...]
    actuators: tuple[str, ...]
    keys: tuple[Key, ...]
    mean: np.ndarray
    axes: np.ndarray
    spreads: np.ndarray

    @classmethod
    def of(cls, bodies: Sequence[Body]) -> Frame:
        """Collect the names of ``bodies``, and find the directions in which what they are differs most."""
        observers = [Observer(body) for body in bodies]
        entries = sorted({name for observer in observers for name in observer.layout.names})
        actuators = sorted({name for body in bodies for name in body.graph.actuator_names})
        described = [_described(body, observer) for body, observer in zip(bodies, observers, strict=True)]
        keys = sorted({key for one in described for key in one})
        table = np.array([_row(one, keys) for one in described])
        mean = table.mean(axis=0)
        _, spreads, axes = np.linalg.svd(table - mean, full_matrices=False)
        count = min(CODE_SIZE, int((spreads > 1e-6 * max(spreads[0], 1.0)).sum()))
        deviations = spreads[:count] / np.sqrt(len(table))
        return cls(tuple(entries), tuple(actuators), tuple(keys), mean, axes[:count], deviations)

    @property
    def size(self) -> int:
        """Number of inputs, the code's included."""
        return len(self.entries) + len(self.axes)

    def holds(self, body: Body) -> bool:
        """Whether the frame has all names of a body, and knows all that is said of it."""
        observer = Observer(body)
        known = set(observer.layout.names) <= set(self.entries)
        known &= set(body.graph.actuator_names) <= set(self.actuators)
        return known and set(_described(body, observer)) <= set(self.keys)

    def fit(self, body: Body) -> Fit:
        """Find a body's place; a name that the frame lacks raises a ValueError."""
        observer = Observer(body)
        entries = np.array([self.entries.index(name) for name in observer.layout.names])
        actuators = np.array([self.actuators.index(name) for name in body.graph.actuator_names])
        code = self.axes @ (_row(_described(body, observer), self.keys) - self.mean) / self.spreads
        return Fit(body, entries, actuators, np.clip(code, -CODE_LIMIT, CODE_LIMIT).astype(np.float32))


def _row(described: dict[Key, float], keys: Sequence[Key]) -> list[float]:
    return [described.get(key, 0.0) for key in keys]


def _described(body: Body, observer: Observer) -> dict[Key, float]:
    """Return what the tokens of a body say, by name."""
    tokens, graph = tokens_of(body, observer.layout), body.graph
    names = {
        "body": graph.body_names,
        "joint": graph.joint_names,
        "actuator": graph.actuator_names,
        "task": ("task",),
    }
    said: dict[Key, float] = {}
    for kind, features in tokens.features.items():
        for name, row in zip(names[kind], features.tolist(), strict=True):
            said[kind, name, -1] = 1.0
            said |= {(kind, name, column): value for column, value in enumerate(row)}
    return said
