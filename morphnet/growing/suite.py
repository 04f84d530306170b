"""A folder of grown bodies: MJCF files, their tasks and splits, as ``--bodies DIR`` takes it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from morphnet.bodies import Body
from morphnet.bodies.body import SUITE_FILE
from morphnet.errors import BodyError
from morphnet.files import atomic_folder, to_json
from morphnet.growing.checks import physics_hash
from morphnet.growing.grow import Grown, search_body

FAMILY = "creature"
SUITE_SEED = 7
"""``morphnet grow --count 150 --seed 7`` writes the shipped suite ``creatures``."""
_HELD_OUT = 3
"""One body in so many, the last ones, is held out."""
_OWN = ("height",)
"""Values of a task that differ from body to body."""


def grow_one(seed: int, index: int) -> Grown:
    """Grow the body number ``index`` of the suite of ``seed``; it does not depend on the others."""
    about = f"Written by morphnet grow --seed {seed}, number {index}."
    return search_body(np.random.default_rng([seed, index]), f"{FAMILY}_{index:03d}", about)


def grow_bodies(count: int, seed: int) -> Iterator[Grown]:
    """Yield ``count`` different bodies.

    Raises:
        BodyError: two of them are equal physically; another seed is needed.
    """
    known: dict[str, str] = {}
    for index in range(count):
        grown = grow_one(seed, index)
        name = grown.body.name
        other = known.setdefault(physics_hash(grown.body.model), name)
        if other != name:
            raise BodyError(f"seed {seed}: {name} equals {other}; take another seed")
        yield grown


def write_suite(folder: Path, bodies: Sequence[Body]) -> None:
    """Write a folder of bodies.

    Raises:
        MorphNetError: the folder holds other things, or cannot be written.
    """
    with atomic_folder(folder, ()) as temporary:
        for body in bodies:
            (temporary / f"{body.name}.xml").write_bytes(body.source.data)
        (temporary / SUITE_FILE).write_text(suite_toml(bodies), encoding="utf-8")
        (temporary / "splits.json").write_text(to_json(splits(bodies)), encoding="utf-8")


def splits(bodies: Sequence[Body]) -> dict[str, dict[str, list[str]]]:
    """Return the splits: the last third is held out."""
    names = [body.name for body in bodies]
    train = len(names) - len(names) // _HELD_OUT
    return {"train": {FAMILY: names[:train]}, "held_out": {FAMILY: names[train:]}}


def suite_toml(bodies: Sequence[Body]) -> str:
    """Return the text of the suite's task file: what all bodies share, and a section for what each has to itself."""
    tasks = [body.task.to_dict() for body in bodies]
    common = {"frame_skip": bodies[0].task.frame_skip} | {k: v for k, v in tasks[0].items() if k not in _OWN}
    lines = [
        "# How these bodies are run. Heights are the torso's above the floor (m).",
        *_section(FAMILY, common),
    ]
    for body, task in zip(bodies, tasks, strict=True):
        lines += ["", *_section(body.name, {key: task[key] for key in _OWN})]
    return "\n".join(lines) + "\n"


def _section(name: str, values: dict[str, Any]) -> list[str]:
    return [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
