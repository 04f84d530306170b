"""Experts of many bodies, each trained by a process of its own on one core."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

from morphnet.bodies import Suite
from morphnet.processes import in_processes
from morphnet.specialists.recipes import train_expert


def expert_folder(folder: Path, name: str) -> Path:
    """Return where the expert of a body is kept among those of its suite."""
    return folder / name.replace(":", "_")


def train_experts(
    suite: Suite, names: Sequence[str], out: Path, *, steps: int, seed: int, processes: int
) -> Generator[str, None, None]:
    """Train an expert of each body, and yield its name when it is saved.

    Bodies are independent, so one core a body wastes nothing, while two threads on one body wait for each other.

    Args:
        suite: the suite.
        names: its bodies.
        out: a policy folder a body goes here.
        steps: environment steps a body.
        seed: seeds every training.
        processes: trainings at the same time.

    Raises:
        MorphNetError: a process was killed.
    """
    yield from in_processes(_train_one, [(suite, name, out, steps, seed) for name in names], processes, str(out))


def _train_one(suite: Suite, name: str, out: Path, steps: int, seed: int) -> str:
    train_expert(suite.load(name), steps, seed, 1).save(expert_folder(out, name))
    return name
