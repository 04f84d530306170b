"""Experts of families: one policy that reads, beside an observation, what tells a body from its kin."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from morphnet.bodies import Body
from morphnet.errors import CheckpointError
from morphnet.files import atomic_path
from morphnet.policy import ActorWeights, Policy, actor_of
from morphnet.specialists.frame import Frame

FAMILY_EXPERT = "family expert"
"""Kind of its policies, in their record."""
FORMAT, UNBRANCHED = 2, 1
"""What is written, and an earlier format, which knows no branches and is read too."""
_TABLES = ("mean", "axes", "spreads")


Limbs = frozenset[str]
"""What those who branch off have in common: the names of their actuators."""


def limbs_of(body: Body) -> Limbs:
    """Return what tells which branch a body is of."""
    return frozenset(body.graph.actuator_names)


@dataclasses.dataclass(frozen=True, eq=False)
class FamilyExpert:
    """One policy for all kin, and branches for those of them that lack the same limbs.

    Attributes:
        frame: its inputs and outputs.
        actor: a network in the frame.
        steps: environment steps it learnt from, those of branches not counted.
        kin: identities of the bodies that it learnt on, mutants left out.
        branches: limbs -> the network, in the same frame, that takes the actor's place where a body has just those;
            None before it was asked which are needed.
    """

    frame: Frame
    actor: ActorWeights
    steps: int
    kin: list[list[Any]]
    branches: Mapping[Limbs, ActorWeights] | None = None

    def actor_for(self, body: Body) -> ActorWeights:
        """Return the network in the frame that drives a body."""
        return (self.branches or {}).get(limbs_of(body), self.actor)

    def policy(self, body: Body) -> Policy:
        """Return what it does on a body, one it has not seen too, where the frame has all names of it."""
        origin = {"kind": FAMILY_EXPERT, "steps": self.steps}
        return Policy(body, self.frame.fit(body).actor(self.actor_for(body)), origin)

    def save(self, path: Path) -> None:
        """Write one safetensors file; names are in its header."""
        frame = self.frame
        record = {
            "format": FORMAT,
            "steps": self.steps,
            "kin": self.kin,
            "entries": frame.entries,
            "actuators": frame.actuators,
            "keys": frame.keys,
            "branches": None if self.branches is None else [sorted(limbs) for limbs in self.branches],
        }
        tensors = {name: np.ascontiguousarray(getattr(frame, name)) for name in _TABLES} | self.actor.tensors()
        for number, branch in enumerate((self.branches or {}).values()):
            tensors |= {f"{_prefix(number)}{name}": tensor for name, tensor in branch.tensors().items()}
        with atomic_path(path) as unfinished:
            save_file(tensors, unfinished, metadata={"record": json.dumps(record)})

    @classmethod
    def load(cls, path: Path) -> FamilyExpert:
        """Read the file.

        Raises:
            CheckpointError: missing, damaged, or of another format.
        """
        tensors, record = _read(path)
        try:
            keys = tuple((str(kind), str(name), int(column)) for kind, name, column in record["keys"])
            tables = [tensors[name] for name in _TABLES]
            frame = Frame(tuple(record["entries"]), tuple(record["actuators"]), keys, *tables)
            kin = [list(one) for one in record["kin"]]
            branches = _branches(tensors, record, path)
            expert = cls(frame, actor_of(tensors, path), int(record["steps"]), kin, branches)
            actors = [expert.actor, *(branches or {}).values()]
            fits = _fits(frame) and all(actor.fits(frame.size, len(frame.actuators)) for actor in actors)
            fits &= all(limbs <= set(frame.actuators) for limbs in branches or {})
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise CheckpointError(f"{path}: damaged ({error})") from None
        if not fits:
            raise CheckpointError(f"{path}: damaged: its weights are not of the sizes that its names ask for")
        return expert

    def check(self, bodies: Sequence[Body], path: Path) -> None:
        """Refuse, by a CheckpointError that names ``path``, to stand for the expert of other bodies."""
        if sorted(map(str, self.kin)) != sorted(str(body.identity) for body in bodies):
            names = ", ".join(sorted(str(one[0]) for one in self.kin))
            raise CheckpointError(f"{path}: an expert of other bodies, or of other tasks or versions of: {names}")


def _prefix(number: int) -> str:
    """What the names of a branch's tensors begin with."""
    return f"branches.{number}."


def _branches(tensors: dict[str, np.ndarray], record: dict[str, Any], path: Path) -> dict[Limbs, ActorWeights] | None:
    listed = record.get("branches")
    if listed is None:
        return None
    parts = [_part(tensors, _prefix(number)) for number in range(len(listed))]
    return {frozenset(map(str, limbs)): actor_of(part, path) for limbs, part in zip(listed, parts, strict=True)}


def _part(tensors: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _fits(frame: Frame) -> bool:
    """Whether the tables are of the sizes that the names ask for, and can be computed with."""
    count, tables = len(frame.keys), (frame.mean, frame.axes, frame.spreads)
    sizes = frame.mean.shape == (count,) and frame.axes.shape == (len(frame.spreads), count)
    whole = frame.spreads.ndim == 1 and all(np.isfinite(table).all() for table in tables)
    return sizes and bool(whole) and bool((frame.spreads > 0.0).all())


def _read(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    try:
        with safe_open(path, framework="numpy") as file:
            record = json.loads((file.metadata() or {})["record"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file") from None
    except Exception as error:  # safetensors' numpy reader raises its own and plain exceptions alike
        raise CheckpointError(f"{path}: not the expert of a family, or damaged ({error})") from None
    if not isinstance(record, dict) or record.get("format") not in (FORMAT, UNBRANCHED):
        raise CheckpointError(f"{path}: not the expert of a family of format {FORMAT}, the one this version reads")
    return tensors, record
