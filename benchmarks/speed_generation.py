"""From a compiled model to a policy: one body at a time, and a thousand at once."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence

import torch

from benchmarks.interleave import Row, interleave, rows_of
from morphnet.bodies import Body, load_suite, make_body
from morphnet.hypernetwork import Hypernetwork
from morphnet.policy import Policy
from morphnet.simulation import Observer

WHOLE = "compiled model to policy"
MANY = 1000


def generation_rows(body: Body, repeats: int) -> list[Row]:
    """Measure one body on one core, in milliseconds, and what of it goes where."""
    torch.set_num_threads(1)
    hypernetwork = Hypernetwork.load()
    contestants = {
        WHOLE: _milliseconds(lambda: hypernetwork.generate(_again(body))),
        "its graph": _milliseconds(lambda: _again(body)),
        "its observation layout": _milliseconds(lambda: Observer(body)),
    }
    return rows_of("generation", body.name, "ms", WHOLE, interleave(contestants, repeats))


def many_rows(repeats: int) -> list[Row]:
    """Measure a thousand bodies at once on one core, in seconds: the suites' training bodies, again and again."""
    torch.set_num_threads(1)
    bodies, hypernetwork = many_bodies(MANY), Hypernetwork.load()

    def run() -> float:
        start = time.perf_counter()
        generate(hypernetwork, bodies)
        return time.perf_counter() - start

    return rows_of("generation", f"{MANY} bodies", "s", WHOLE, interleave({WHOLE: run}, repeats))


def many_bodies(count: int) -> list[Body]:
    """Cycle through the training bodies of all suites."""
    shipped = [body for suite in ("planar", "legged") for body in load_suite(suite).bodies("train")]
    return list(itertools.islice(itertools.cycle(shipped), count))


def generate(hypernetwork: Hypernetwork, bodies: Sequence[Body]) -> list[Policy]:
    """Make the bodies anew from their compiled models, and their policies."""
    return hypernetwork.generate_all([_again(body) for body in bodies])


def _again(body: Body) -> Body:
    return make_body(body.name, body.model, body.source, body.task)


def _milliseconds(call: Callable[[], object]) -> Callable[[], float]:
    """The median of twenty calls."""

    def run() -> float:
        seconds = []
        for _ in range(20):
            start = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - start)
        return sorted(seconds)[len(seconds) // 2] * 1e3

    return run
