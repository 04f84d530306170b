"""How fast it is: rollouts against their ceiling and against peers, inference, generation, and how all of it grows.

pip install -e ".[benchmark]"                                    EnvPool and ONNX Runtime, to compare with
python -m benchmarks.speed                                       everything, about half an hour on two idle cores
python -m benchmarks.speed --parts inference --cases ant         a part of it
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path

import torch
import tyro

from benchmarks.interleave import Row, interleave, rows_of, save, show
from benchmarks.speed_ceiling import Ceiling, CompiledCeiling, record
from benchmarks.speed_generation import generation_rows, many_rows
from benchmarks.speed_growth import growth_rows
from benchmarks.speed_inference import inference_rows
from benchmarks.speed_peers import PEERS, Peer
from benchmarks.speed_rollouts import Rollouts
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
SUITES = {"planar": 64, "legged": 32, "arms": 64}
"""Suite -> control steps of a rollout; its training bodies, as many simulations each as training has."""
SUITE_SIMS, BODY_SIMS, PEER_ENVS, PEER_SECONDS = 16, 64, 16, 0.7
CEILING, COMPILED_CEILING = "mj_step ceiling", "mj_step ceiling, compiled"
GROWTH_REPEATS = 3
"""Rounds of what grows, whose largest points take a minute each."""


def main(
    parts: tuple[str, ...] = ("rollouts", "inference", "generation", "growth"),
    cases: tuple[str, ...] = (*BODIES, *SUITES),
    repeats: int = 5,
    threads: int = os.cpu_count() or 1,
    peers: bool = True,
    out: Path = Path("benchmarks/results/speed.csv"),
) -> None:
    """Measure, print a table and write a CSV.

    Args:
        parts: "rollouts", "inference", "generation", "growth".
        cases: bodies and suites.
        repeats: rounds, in each of which every contestant runs once; "growth" has at most three.
        threads: cores to use, ours and the ceiling's.
        peers: whether the other libraries' environments run too.
        out: the CSV.
    """
    torch.set_num_threads(1)
    bodies = [case for case in cases if case in BODIES]
    work: list[Callable[[], list[Row]]] = []
    if "rollouts" in parts:
        work += [functools.partial(_rollouts, case, repeats, threads, peers) for case in cases]
    if "inference" in parts:
        work += [functools.partial(inference_rows, load_body(BODIES[case][0]), repeats) for case in bodies]
    if "generation" in parts:
        work += [functools.partial(generation_rows, load_body(BODIES[case][0]), repeats) for case in bodies]
        work.append(functools.partial(many_rows, repeats))
    if "growth" in parts:
        work.append(functools.partial(growth_rows, min(repeats, GROWTH_REPEATS)))
    rows: list[Row] = []
    for measure in work:
        rows += measure()
        save(rows, out)  # what is measured is kept, whatever happens to the rest
    show(rows)


def _rollouts(case: str, repeats: int, threads: int, peers: bool) -> list[Row]:
    """Environment steps a second of a case; the peers' processes start before there are threads."""
    if case in SUITES:
        bodies, sims, horizon = load_suite(case).bodies("train"), SUITE_SIMS, SUITES[case]
        rivals = {}
    else:
        name, env_id, horizon = BODIES[case]
        bodies, sims = [load_body(name)], BODY_SIMS
        rivals = {kind: Peer(kind, env_id, PEER_ENVS, PEER_SECONDS, threads) for kind in PEERS} if peers else {}
    workers = Workers(threads)
    ours = Rollouts(bodies, sims, horizon, threads, workers)
    recordings = record(ours)
    ceilings = {
        CEILING: Ceiling(recordings, ours.steps, threads, workers),
        COMPILED_CEILING: CompiledCeiling(recordings, ours.steps, threads, workers),
    }
    for ceiling in ceilings.values():
        ceiling.run()
        ceiling.check()
    contestants = {name: one.run for name, one in ({**ceilings, "MorphNet": ours, **rivals}).items()}
    measured = interleave(contestants, repeats)
    workers.close()
    for rival in rivals.values():
        rival.close()
    return rows_of("rollouts", case, "steps/s", CEILING, measured)


if __name__ == "__main__":
    tyro.cli(main)
