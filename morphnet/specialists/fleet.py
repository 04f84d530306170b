"""Experts of many bodies, each trained by a process of its own on one core."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from morphnet.bodies import Suite
from morphnet.errors import MorphNetError
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

    Raises:
        MorphNetError: a process was killed.
    """
    # spawned, as torch's threads do not survive a fork; Ctrl-C is for the parent, which ends its children
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(processes, context, signal.signal, (signal.SIGINT, signal.SIG_IGN))
    try:
        for job in as_completed([pool.submit(_train_one, suite, name, out, seconds, seed) for name in names]):
            yield job.result()
    except BrokenProcessPool:
        raise MorphNetError(f"{out}: a training was killed, for want of memory perhaps; try fewer --threads") from None
    finally:
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
        pool.shutdown(cancel_futures=True)


def _train_one(suite: Suite, name: str, out: Path, seconds: float, seed: int) -> str:
    train_for(suite.load(name), seconds, seed, 1, Rounds()).save(expert_folder(out, name))
    return name
