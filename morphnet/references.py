"""References: the shipped policies of single bodies, by which scores are measured and which serve as demonstrators."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from morphnet.bodies import Body
from morphnet.bodies.body import ASSETS
from morphnet.errors import CheckpointError, choices
from morphnet.files import atomic_path, make_folder, read_json, write_json
from morphnet.policy import ActorWeights, Policy, read_actor

SHIPPED = ASSETS / "references"
MANIFEST = "manifest.json"
FORMAT = 1
CLEARLY_ABOVE = 5.0
"""Standard deviations of the random policy's episodes by which a reference must surpass its mean."""
HIGHEST = 1.2
"""Scores are clipped to [0, this]."""


@dataclasses.dataclass(frozen=True)
class Reference:
    """What the manifest holds of one body.

    Attributes:
        body: its name.
        body_sha256: hash of its source.
        task: its task as JSON holds it, but for the discount, which no return depends on.
        observation_sha256: hash of the names of the observation's entries.
        weights: file beside the manifest, with the tensors of ``policy.safetensors``; weights, not biases, as float16.
        weights_sha256: hash of that file.
        return_mean, return_std, length_mean: of the shipped weights' mean actions, over ``episodes`` whole episodes.
        random_mean, random_std: the same of uniform actions.
        episodes: episodes of either.
        seed: of either's start states.
        origin: how the policy was made.
    """

    body: str
    body_sha256: str
    task: dict[str, Any]
    observation_sha256: str
    weights: str
    weights_sha256: str
    return_mean: float
    return_std: float
    length_mean: float
    random_mean: float
    random_std: float
    episodes: int
    seed: int
    origin: dict[str, Any]

    @property
    def is_clear(self) -> bool:
        """Whether it is so far above random that a share of the distance means something."""
        return self.return_mean - self.random_mean >= CLEARLY_ABOVE * self.random_std

    def judges(self, body: Body) -> bool:
        """Whether it was made for a body as it is: unchanged, and with a task of the same returns."""
        return body.change is None and judged_by(body) == self.task

    def score(self, mean_return: float) -> float:
        """Return 0 for the random policy's return, 1 for the reference's, clipped to [0, 1.2]."""
        share = (mean_return - self.random_mean) / (self.return_mean - self.random_mean)
        return float(np.clip(share, 0.0, HIGHEST))


def read_references(folder: Path | None = None) -> dict[str, Reference]:
    """Return the references of a folder, by default the shipped ones, by their bodies' sha256; none without a manifest.

    Raises:
        CheckpointError: the manifest is damaged or of another version.
    """
    path = (folder or SHIPPED) / MANIFEST
    if not path.is_file():
        return {}
    content = read_json(path, CheckpointError)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CheckpointError(f"{path}: not a manifest of references of format {FORMAT}, the one this version reads")
    try:
        found = [Reference(**values) for values in content["bodies"]]
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: a reference's entry is damaged ({error})") from None
    return {reference.body_sha256: reference for reference in found}


def reference_policy(body: Body, folder: Path | None = None) -> Policy:
    """Return the reference policy of a body from a folder, by default the shipped one.

    Raises:
        CheckpointError: there is none, its file is not the one of the manifest, or it observes other quantities.
    """
    folder = folder or SHIPPED
    references = read_references(folder)
    reference = references.get(body.source.sha256)
    if reference is None:
        names = [known.body for known in references.values()]
        raise CheckpointError(f"{folder / MANIFEST}: no reference policy of {body.name}; {choices(body.name, names)}")
    path = folder / reference.weights
    if not path.is_file() or _file_hash(path) != reference.weights_sha256:
        raise CheckpointError(f"{path}: missing, or not the file that {MANIFEST} names by its sha256")
    actor = read_actor(path)
    policy = Policy(body, actor, {"kind": "reference", "made": reference.origin})
    if not actor.fits(len(policy.observation_names), body.model.nu) or (
        _layout_hash(policy) != reference.observation_sha256
    ):
        raise CheckpointError(f"{path}: it observes other quantities than this version does; make it again")
    return policy


def score(body: Body, mean_return: float, references: dict[str, Reference]) -> tuple[float | None, str]:
    """Return a body's score, or None and why it has none.

    Args:
        body: the body that was evaluated.
        mean_return: the policy's.
        references: as ``read_references`` returns them.
    """
    reference = references.get(body.source.sha256)
    if reference is None:
        return None, "no reference"
    if not reference.judges(body):
        return None, "its reference was made for another task, or without the change"
    if not reference.is_clear:
        return None, f"its reference is less than {CLEARLY_ABOVE:g} episode standard deviations above random"
    return reference.score(mean_return), ""


def judged_by(body: Body) -> dict[str, Any]:
    """Return what of a body's task returns depend on, as JSON holds it."""
    values = {name: value for name, value in body.task.to_dict().items() if name != "discount"}
    return dict(json.loads(json.dumps(values)))


def rounded(policy: Policy) -> Policy:
    """Return a policy with its weights as a reference's file holds them."""
    first, second, third = (weight.astype(np.float16).astype(np.float32) for weight in policy.actor.weights)
    actor = ActorWeights((first, second, third), policy.actor.biases, policy.actor.log_std)
    return Policy(policy.body, actor, policy.origin)


def add_reference(folder: Path, policy: Policy, measured: dict[str, Any]) -> Reference:
    """Write a policy's weights into a folder of references, and then its manifest anew.

    Args:
        folder: of references; made where it is missing.
        policy: the policy, ``rounded``.
        measured: ``return_mean``, ``return_std``, ``length_mean``, ``random_mean``, ``random_std``, ``episodes`` and
            ``seed``.
    """
    make_folder(folder)
    body = policy.body
    name = f"{body.name.replace(':', '_')}.safetensors"
    tensors = policy.actor.tensors()
    compact = {key: t.astype(np.float16) if key.endswith(".weight") else t for key, t in tensors.items()}
    with atomic_path(folder / name) as path:
        save_file(compact, path)
    reference = Reference(
        body=body.name,
        body_sha256=body.source.sha256,
        task=judged_by(body),
        observation_sha256=_layout_hash(policy),
        weights=name,
        weights_sha256=_file_hash(folder / name),
        **measured,
        origin=policy.origin,
    )
    others = [known for known in read_references(folder).values() if known.body != body.name]
    rows = sorted([*others, reference], key=lambda known: known.body)
    write_json(folder / MANIFEST, {"format": FORMAT, "bodies": [dataclasses.asdict(row) for row in rows]})
    return reference


def _layout_hash(policy: Policy) -> str:
    return hashlib.sha256("\n".join(policy.observation_names).encode()).hexdigest()


def _file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
