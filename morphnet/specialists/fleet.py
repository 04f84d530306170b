"""Experts of many bodies, each trained by a process of its own on one core."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from morphnet.bodies import Suite
from morphnet.specialists.contest import Rounds
from morphnet.specialists.recipes import train_for


def expert_folder(folder: Path, name: str) -> Path:
    """Return where the expert of a body is kept among those of its suite."""
    return folder / name.replace(":", "_")


def train_experts(
    suite: Suite, names: Sequence[str], out: Path, *, seconds: float, seed: int, processes: int
) -> Iterator[str]:
    """Train an expert of each body, and yield its name when it is saved.

    Bodies are independent, so one core a body wastes nothing, while two threads on one body wait for each other.

    Args:
        suite: the suite.
        names: its bodies.
        out: a policy folder a body goes here.
        seconds: wall-clock a body; the choice among its snapshots at the end comes on top.
        seed: seeds every training.
        processes: trainings at the same time.
    """
    # not forked: torch's threads do not survive that
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=processes, mp_context=context) as pool:
        jobs = [pool.submit(_train_one, suite, name, out, seconds, seed) for name in names]
        try:
            for job in as_completed(jobs):
                yield job.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _train_one(suite: Suite, name: str, out: Path, seconds: float, seed: int) -> str:
    train_for(suite.load(name), seconds, seed, 1, Rounds()).save(expert_folder(out, name))
    return name
