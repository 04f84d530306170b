"""Writing a report: read the run, evaluate and film its policies, put the page and its videos into a folder."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from morphnet import __version__, console
from morphnet.bodies import Body, Suite, load_suite
from morphnet.errors import MorphNetError, RenderError, SuiteError
from morphnet.evaluation import PolicyController
from morphnet.files import make_folder, write_bytes
from morphnet.films import film
from morphnet.hypernetwork import Hypernetwork
from morphnet.look import Look
from morphnet.rendering.video import VideoWriter
from morphnet.report.page import Clip, Content, Row, page
from morphnet.report.run import Run, read_run
from morphnet.runs import ZERO_SHOT, Driven, evaluate_suite

PAGE, VIDEOS = "index.html", "videos"
LOOK = Look(seconds=6.0, width=480, height=360)
HOW = (
    "Evaluated: the emitted policies' mean actions, mean and standard deviation of {} whole episodes, seed {}. "
    "Bars compare with the best of the family. A score is 0 at the random policy's return and 1 at the reference's."
)
NO_BODIES = "The bodies of this run are not at hand: --bodies DIR names their folder, and adds returns and videos."


def write_report(
    folder: Path, out: Path, suite: Suite | None = None, episodes: int = 10, videos: int = 1, seed: int = 0
) -> dict[str, Any]:
    """Write ``index.html`` and its videos into a folder, and return the numbers that it shows.

    Args:
        folder: a training run's folder, or any checkpoint's.
        out: the folder to write to.
        suite: the bodies that the run was trained on; where it is None, the shipped suite that the run names.
        episodes: episodes a body is evaluated on; 0 leaves evaluation out.
        videos: videos of every family in each split; 0 for none.
        seed: seeds the start states.

    Raises:
        MorphNetError: not a run's folder, other bodies than its own, or a place that cannot be written to.
    """
    if min(episodes, videos, seed) < 0:
        raise MorphNetError(f"--episodes {episodes} --videos {videos} --seed {seed}: none may be negative")
    run = read_run(folder)
    suite = _suite_of(run, suite)
    make_folder(out)
    if not os.access(out, os.W_OK):  # told before minutes of evaluation, not after
        raise MorphNetError(f"{out}: cannot write here")
    notes = {} if suite else {"returns": NO_BODIES}
    rows = _rows(run, suite, episodes, seed) if suite else _bare_rows(run)
    clips: list[Clip] = []
    if suite and videos:
        try:
            clips = _film(run, suite, rows, out, videos, seed)
        except RenderError as error:
            notes["videos"] = f"There are no videos: {error}"
    content = Content(run, rows, clips, notes, HOW.format(episodes, seed) if suite and episodes else "")
    write_bytes(out / PAGE, page(content).encode())
    return {
        "page": str(out / PAGE),
        "videos": [str(out / clip.file) for clip in clips],
        "notes": list(notes.values()),
        "run": str(folder),
        "steps": int(run.metrics["steps"][-1]),
        "seconds": float(run.metrics["seconds"][-1]),
        "mean_return": {split: content.mean(split) for split in ("train", "held_out")},
        "mean_score": {split: content.mean(split, "score") for split in ("train", "held_out")},
        "bodies": {row.name: _numbers(row) for row in rows},
        "seed": seed,
        "version": __version__,
    }


def _suite_of(run: Run, suite: Suite | None) -> Suite | None:
    """The suite that a run was trained on, checked by the names of its bodies; None where it is not known."""
    found = suite or _shipped(str(run.record.get("suite")))
    unknown = set(run.body_names) - set(found.names("train")) if found else set()
    if suite and unknown:
        raise SuiteError(
            f"{suite.folder or suite.name}: {run.folder} was trained on {min(unknown)}, which is not for training here"
        )
    return None if unknown else found


def _shipped(name: str) -> Suite | None:
    with contextlib.suppress(SuiteError):
        return load_suite(name)
    return None


def _rows(run: Run, suite: Suite, episodes: int, seed: int) -> list[Row]:
    """Every body of the suite, family by family, training bodies first."""
    found: dict[str, Any] = {}
    for split in ("train", "held_out") if episodes else ():
        if suite.names(split):
            console.say(f"evaluating {len(suite.names(split))} bodies of {suite.name}, {split}")
            report = evaluate_suite(suite, split, None, run.folder, episodes, seed, _track)
            found |= report["bodies"]
    families = dict.fromkeys((*suite.families("train"), *suite.families("held_out")))
    return [
        Row(name, family, split, _last_return(run, name), found.get(name, {}))
        for family in families
        for split in ("train", "held_out")
        for name in suite.families(split).get(family, [])
    ]


def _track(driven: Sequence[Driven]) -> Iterator[Driven]:
    return console.track(driven, len(driven), "evaluating")


def _bare_rows(run: Run) -> list[Row]:
    return [Row(name, "bodies", "train", _last_return(run, name), {}) for name in run.body_names]


def _last_return(run: Run, name: str) -> float | None:
    return float(run.returns_of(name)[-1]) if name in run.body_names else None


def _film(run: Run, suite: Suite, rows: list[Row], out: Path, videos: int, seed: int) -> list[Clip]:
    chosen: list[Row] = []
    for row in rows:
        alike = [other for other in chosen if (other.family, other.split) == (row.family, row.split)]
        if len(alike) < videos:
            chosen.append(row)
    bodies: list[Body] = [suite.load(row.name) for row in chosen]
    clips = []
    for row, policy in zip(chosen, Hypernetwork.load(run.folder).generate_all(bodies), strict=True):
        file = f"{VIDEOS}/{row.name.replace(':', '_')}.mp4"
        console.say(f"filming {row.name}")
        with VideoWriter(out / file, LOOK.fps) as writer:
            for picture in film(policy.body, PolicyController(policy), (row.name, ZERO_SHOT), LOOK, seed):
                writer.add(picture)
        clips.append(Clip(file, row))
    return clips


def _numbers(row: Row) -> dict[str, Any]:
    return {key: value for key, value in dataclasses.asdict(row).items() if key not in ("name", "evaluation")} | (
        row.evaluation
    )
