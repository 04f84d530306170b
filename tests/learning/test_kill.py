"""Training as users start it: killed at random moments, stopped by Ctrl-C, resumed to the bit."""

from __future__ import annotations

import csv
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

import morphnet

MORPHNET = Path(sys.executable).parent / "morphnet"
UPDATE = 3 * 4 * 16
UPDATES = 16
FLAGS = [
    f"--steps={UPDATES * UPDATE}", "--expert-steps=0", "--num-sims=4", "--horizon=16", "--epochs=2", "--minibatches=2",
    "--save-every=3", "--hidden=16", "--own=4", "--width=16", "--depth=1", "--heads=2", "--seed=5",
]  # fmt: skip


def start(folder: Path, bodies: Path, *flags: str) -> subprocess.Popen[str]:
    command = [str(MORPHNET), "train", "--bodies", str(bodies), "--out", str(folder), *flags]
    environment = {**os.environ, "PYTHONPATH": ""}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=folder.parent
    )


def finish(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors


def wait_for_update(process: subprocess.Popen[str], folder: Path, update: int) -> None:
    """Wait until the metrics hold this many rows."""
    deadline = time.monotonic() + 300
    path = folder / "metrics.csv"
    while process.poll() is None and time.monotonic() < deadline:
        if path.is_file() and path.read_text().count("\n") > update:
            return
        time.sleep(0.003)
    raise AssertionError(f"no {update} updates: {process.communicate()[1]}")


def metrics(folder: Path) -> list[dict[str, str]]:
    """Rows of a run, without what the clock decides."""
    with (folder / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    return [{k: v for k, v in row.items() if not k.startswith("seconds") and k != "steps_per_second"} for row in rows]


def assert_same_runs(folder: Path, reference: Path) -> None:
    for checkpoint in (".", "periodic/100"):
        ours, theirs = (load_file(f / checkpoint / "hypernetwork.safetensors") for f in (folder, reference))
        assert set(ours) == set(theirs)
        different = [name for name in theirs if not (ours[name] == theirs[name]).all()]
        assert different == []
    assert metrics(folder) == metrics(reference)
    assert len(metrics(folder)) == UPDATES


@pytest.fixture(scope="module")
def reference(small_bodies: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("kill") / "reference"
    finish(start(folder, small_bodies, *FLAGS))
    return folder


def test_killed_at_random_moments_and_resumed(small_bodies: Path, reference: Path, tmp_path: Path) -> None:
    """Three kills, one after another; the moment is random, also within an update or while a file is written."""
    folder, moments = tmp_path / "run", random.Random()
    process = start(folder, small_bodies, *FLAGS)
    for low, high in ((3, 5), (6, 9), (10, 13)):
        wait_for_update(process, folder, moments.randint(low, high))
        time.sleep(moments.uniform(0.0, 0.1))
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        process = start(folder, small_bodies, "--resume")
    finish(process)
    assert_same_runs(folder, reference)


def test_ctrl_c_leaves_a_checkpoint_that_resumes(small_bodies: Path, reference: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = start(folder, small_bodies, *FLAGS)
    wait_for_update(process, folder, 7)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=300)
    assert process.returncode not in (0, 2)
    assert "Traceback" not in errors
    assert "--resume" in errors.splitlines()[-1]
    morphnet.Hypernetwork.load(folder)
    finish(start(folder, small_bodies, "--resume", *FLAGS))
    assert_same_runs(folder, reference)
