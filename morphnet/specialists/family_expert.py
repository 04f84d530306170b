"""Experts of families: one policy that reads, beside an observation, what tells a body from its kin."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from morphnet.bodies import Body
from morphnet.errors import CheckpointError
from morphnet.files import atomic_path
from morphnet.policy import ActorWeights, Policy, actor_of
from morphnet.specialists.frame import Frame

FAMILY_EXPERT = "family expert"
"""Kind of its policies, in their record."""
FORMAT = 1
_TABLES = ("mean", "axes", "spreads")


@dataclasses.dataclass(frozen=True, eq=False)
class FamilyExpert:
    """One policy for all kin.

    Attributes:
        frame: its inputs and outputs.
        actor: a network in the frame.
        steps: environment steps it learnt from.
    """

    frame: Frame
    actor: ActorWeights
    steps: int

    def policy(self, body: Body) -> Policy:
        """Return what it does on a body, one it has not seen too, where the frame has all names of it."""
        origin = {"kind": FAMILY_EXPERT, "steps": self.steps}
        return Policy(body, self.frame.fit(body).actor(self.actor), origin)

    def save(self, path: Path) -> None:
        """Write one safetensors file; names are in its header."""
        frame = self.frame
        record = {
            "format": FORMAT,
            "steps": self.steps,
            "entries": frame.entries,
            "actuators": frame.actuators,
            "keys": frame.keys,
        }
        tables = {name: np.ascontiguousarray(getattr(frame, name)) for name in _TABLES}
        with atomic_path(path) as unfinished:
            save_file({**self.actor.tensors(), **tables}, unfinished, metadata={"record": json.dumps(record)})

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
            expert = cls(frame, actor_of(tensors, path), int(record["steps"]))
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"{path}: damaged ({error})") from None
        if frame.axes.shape != (len(frame.spreads), len(keys)) or not expert.actor.fits(
            frame.size, len(frame.actuators)
        ):
            raise CheckpointError(f"{path}: damaged: its weights are not of the sizes that its names ask for")
        return expert


def _read(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    try:
        with safe_open(path, framework="numpy") as file:
            record = json.loads((file.metadata() or {})["record"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file") from None
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise CheckpointError(f"{path}: not the expert of a family, or damaged ({error})") from None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise CheckpointError(f"{path}: not the expert of a family of format {FORMAT}, the one this version reads")
    return tensors, record
