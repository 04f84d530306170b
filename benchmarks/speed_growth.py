"""What grows how: memory and time of an update with bodies and tokens, memory of generation with bodies.

Every point is a process of its own, since a peak of memory is a process's: ``python -m benchmarks.speed_growth
bodies 64`` measures one and prints it.
"""

from __future__ import annotations

import csv
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from benchmarks.interleave import Row, rows_of
from benchmarks.speed_generation import generate, many_bodies
from morphnet.bodies import Body, Task, make_body, read_mjcf
from morphnet.config import TrainConfig
from morphnet.hypernetwork import Hypernetwork
from morphnet.learning.metrics import METRICS
from morphnet.learning.trainer import Trainer

POINTS = {
    "bodies": (8, 32, 128, 512),
    "tokens": (3, 15, 30, 60),
    "generated": (1, 10, 100, 1000),
}
"""What grows -> its sizes: bodies of 12 tokens in a training, tokens of each of 8 bodies, bodies whose policies are
generated."""
TOKENS, BODIES = 12, 8


def growth_rows(repeats: int) -> list[Row]:
    """Measure every point ``repeats`` times, in turn, each in a process of its own."""
    rows: list[Row] = []
    for what, sizes in POINTS.items():
        rounds = [{size: _in_a_process(what, size) for size in sizes} for _ in range(repeats)]
        for unit in rounds[0][sizes[0]]:
            measured = {f"{size}": np.array([one[size][unit] for one in rounds]) for size in sizes}
            rows += rows_of("growth", what, unit, f"{sizes[0]}", measured)
    return rows


def _in_a_process(what: str, size: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.speed_growth", what, str(size)]
    result: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    return result


def measure(what: str, size: int) -> dict[str, float]:
    """Measure one point; ``what`` as in ``POINTS``."""
    torch.set_num_threads(1)
    if what == "generated":
        policies = generate(Hypernetwork.load(), many_bodies(size))
        assert len(policies) == size
        return _peak()
    bodies, tokens = (size, TOKENS) if what == "bodies" else (BODIES, size)
    seconds = _update_seconds([chain(tokens // 3, 0.1 + 0.2 * i / bodies) for i in range(bodies)])
    return {"s an update": seconds, **_peak()}


def _peak() -> dict[str, float]:
    """Largest resident memory so far; Linux counts in KiB, macOS in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return {"MiB at most": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20}


def _update_seconds(bodies: list[Body]) -> float:
    """Run three updates of an ordinary training; seconds of the last, rollouts left out."""
    config = TrainConfig()
    config = TrainConfig(steps=3 * len(bodies) * config.num_sims * config.horizon, threads=2)
    with tempfile.TemporaryDirectory() as folder:
        Trainer([("chain", body) for body in bodies], config, Path(folder), {"bodies": "chains"}).run()
        with (Path(folder) / METRICS).open(encoding="utf-8") as file:
            return float(list(csv.DictReader(file))[-1]["seconds/update"])


def chain(links: int, length: float) -> Body:
    """Make a planar chain on a fixed base: a body, a hinge and a motor a link."""
    opening = (
        f'<body name="link{{i}}" pos="{{x}} 0 0"><joint name="hinge{{i}}" axis="0 1 0" damping="0.1" armature="0.01"/>'
        f'<geom type="capsule" fromto="0 0 0 {length} 0 0" size="0.02" contype="0" conaffinity="0"/>'
    )
    parts = "".join(opening.format(i=i, x=length if i else 0) for i in range(links)) + "</body>" * links
    motors = "".join(f'<motor joint="hinge{i}" ctrlrange="-1 1"/>' for i in range(links))
    text = f"<mujoco><option gravity='0 0 0'/><worldbody>{parts}</worldbody><actuator>{motors}</actuator></mujoco>"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chain.xml"
        path.write_text(text, encoding="utf-8")
        model, source = read_mjcf(path, add_floor=False)
    return make_body(f"chain{links}_{length:.4f}", model, source, Task(frame_skip=4, velocity="body"))


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
