"""How fast it is: rollouts against their ceiling and against peers, and inference.

python -m benchmarks.speed                                       everything, about six minutes on two idle cores
python -m benchmarks.speed --parts inference --cases ant         a part of it
"""

from __future__ import annotations

import os
from pathlib import Path

import torch
import tyro

from benchmarks.interleave import Row, interleave, rows_of, save, show
from benchmarks.speed_inference import inference_rows
from benchmarks.speed_peers import PEERS, Peer
from benchmarks.speed_rollouts import Ceiling, Rollouts, record
from morphnet.bodies import load_body, load_suite
from morphnet.learning.group import Workers

BODIES = {
    "hopper": ("gymnasium:hopper", "Hopper-v5", 128),
    "walker2d": ("gymnasium:walker2d_v5", "Walker2d-v5", 128),
    "half_cheetah": ("gymnasium:half_cheetah", "HalfCheetah-v5", 256),
    "ant": ("gymnasium:ant", "Ant-v5", 64),
    "humanoid": ("gymnasium:humanoid", "Humanoid-v5", 32),
}
"""Case -> body, Gymnasium's environment, control steps of a rollout."""
SUITES = {"planar": 64, "legged": 32}
"""Suite -> control steps of a rollout; its training bodies, as many simulations each as training has."""
SUITE_SIMS, BODY_SIMS, PEER_ENVS, PEER_SECONDS = 16, 64, 16, 0.7
CEILING = "mj_step ceiling"


def main(
    parts: tuple[str, ...] = ("rollouts", "inference"),
    cases: tuple[str, ...] = (*BODIES, *SUITES),
    repeats: int = 5,
    threads: int = os.cpu_count() or 1,
    peers: bool = True,
    out: Path = Path("benchmarks/results/speed.csv"),
) -> None:
    """Measure, print a table and write a CSV.

    Args:
        parts: "rollouts", "inference".
        cases: bodies and suites.
        repeats: rounds, in each of which every contestant runs once.
        threads: cores to use, ours and the ceiling's.
        peers: whether the other libraries' environments run too.
        out: the CSV.
    """
    torch.set_num_threads(1)
    rows: list[Row] = []
    for case in cases if "rollouts" in parts else ():
        rows += _rollouts(case, repeats, threads, peers)
        save(rows, out)
    for case in cases if "inference" in parts else ():
        rows += inference_rows(load_body(BODIES[case][0]), repeats) if case in BODIES else []
        save(rows, out)
    show(rows)


def _rollouts(case: str, repeats: int, threads: int, peers: bool) -> list[Row]:
    """Environment steps a second of a case; the peers' processes start before there are threads."""
    if case in SUITES:
        bodies, sims, horizon = load_suite(case).bodies("train"), SUITE_SIMS, SUITES[case]
        rivals = {}
    else:
        name, env_id, horizon = BODIES[case]
        bodies, sims = [load_body(name)], BODY_SIMS
        rivals = {kind: Peer(kind, env_id, PEER_ENVS, PEER_SECONDS) for kind in PEERS} if peers else {}
    workers = Workers(threads)
    ours = Rollouts(bodies, sims, horizon, threads, workers)
    ceiling = Ceiling(record(ours), ours.steps, threads, workers)
    ceiling.run()
    ceiling.check()
    contestants = {CEILING: ceiling.run, "MorphNet": ours.run, **{kind: rival.run for kind, rival in rivals.items()}}
    measured = interleave(contestants, repeats)
    workers.close()
    for rival in rivals.values():
        rival.close()
    return rows_of("rollouts", case, "steps/s", CEILING, measured)


if __name__ == "__main__":
    tyro.cli(main)
