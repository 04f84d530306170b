"""Export: write a policy for other software, once it is known to act there as it does here."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from morphnet import __version__
from morphnet.errors import MorphNetError, choices
from morphnet.export.onnx import write_onnx
from morphnet.export.sb3 import write_sb3
from morphnet.files import atomic_path
from morphnet.policy import Policy
from morphnet.simulation import ControlScale, Simulation

FORMATS = {"sb3": (".zip", write_sb3), "onnx": (".onnx", write_onnx)}
"""Format -> what its file's name ends with, and what writes and loads it."""
SIMULATIONS, STEPS = 8, 50
"""How many states parity is checked at: those that noisy episodes of the policy pass through."""
NOISE = 0.5
TOLERANCE = 1e-4
"""Largest difference of ctrl, as a share of the control range, that single precision explains."""


@dataclasses.dataclass(frozen=True)
class Handover:
    """What parity was found.

    Attributes:
        observations: number of states compared.
        difference: largest difference of ctrl from the policy's own, as a share of the control range.
    """

    observations: int
    difference: float


def export_policy(policy: Policy, format: str, out: Path, seed: int = 0) -> Handover:
    """Write a policy as ``out``, after what was written acts as the policy does.

    Args:
        policy: the policy.
        format: "sb3" (a zip for ``stable_baselines3.PPO.load``) or "onnx".
        out: the file, ``.zip`` or ``.onnx``.
        seed: seeds the states that are compared.

    Raises:
        MorphNetError: another format or ending, a missing extra, or no parity; then nothing is written.
    """
    if format not in FORMATS:
        raise MorphNetError(f"--format {format}: {choices(format, tuple(FORMATS))}")
    suffix, write = FORMATS[format]
    if out.suffix != suffix:
        raise MorphNetError(f"{out}: --format {format} writes {suffix} files")
    observations = visited(policy, seed)
    scale = ControlScale(policy.body.model)
    expected = scale.to_ctrl(policy.actor.mean(observations))
    with atomic_path(out) as path:
        predict = write(policy, path)
        difference = float(np.max(np.abs(predict(observations) - expected) / (2 * scale.half)))
        if not difference <= TOLERANCE:
            raise MorphNetError(f"{out}: not written: ctrl differs from the policy's by {difference:.2g} of its range")
    return Handover(len(observations), difference)


def export_folder(folder: Path, format: str, out: Path, seed: int) -> dict[str, Any]:
    """Export a policy folder; return what ``export --json`` writes."""
    policy = Policy.load(folder)
    found = export_policy(policy, format, out, seed)
    return {
        "file": str(out),
        "format": format,
        "policy": str(folder),
        "body": policy.body.name,
        "observation_size": len(policy.observation_names),
        "action_size": policy.body.model.nu,
        **dataclasses.asdict(found),
        "seed": seed,
        "version": __version__,
    }


def visited(policy: Policy, seed: int) -> np.ndarray:
    """Return observations (n, D) float32 of states that noisy episodes of a policy pass through."""
    rng = np.random.default_rng(seed)
    simulation = Simulation(policy.body, SIMULATIONS, rng)
    seen = [simulation.observation.copy()]
    while len(seen) < STEPS:
        mean = policy.actor.mean(simulation.observation)
        simulation.step(mean + NOISE * rng.standard_normal(mean.shape))
        seen.append(simulation.observation.copy())
    return np.concatenate(seen)
