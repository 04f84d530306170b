"""Pictures of what happens, words on them, and the files they go into."""

from __future__ import annotations

import collections
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from morphnet.bodies import Body, Suite
from morphnet.console import track
from morphnet.errors import MorphNetError
from morphnet.evaluation import Controller, PolicyController
from morphnet.films.play import Moment, play
from morphnet.hypernetwork import Hypernetwork
from morphnet.look import Look
from morphnet.rendering.frames import Filmer
from morphnet.rendering.grid import side_by_side
from morphnet.rendering.overlay import overlay
from morphnet.rendering.video import VideoWriter
from morphnet.runs import controller_for

NUMBERS_A_SECOND = 5
SPEED_SECONDS = 0.5
"""Simulated seconds over which the speed on the picture is a mean."""


def film(body: Body, controller: Controller, words: Sequence[str], look: Look, seed: int) -> Iterator[np.ndarray]:
    """Yield pictures of a body that ``controller`` drives, with ``words`` and what happens written on them."""
    every = max(1, round(look.fps / NUMBERS_A_SECOND))  # numbers that change with every picture cannot be read
    status: list[str] = []
    episode: collections.deque[Moment] = collections.deque()
    with Filmer(body, look.width, look.height, look.preset) as filmer:
        for number, moment in enumerate(play(body, controller, look, seed)):
            started = not episode or moment.episode != episode[-1].episode
            if started:
                episode.clear()
            episode.append(moment)
            while moment.time - episode[0].time > SPEED_SECONDS:
                episode.popleft()
            if started or number % every == 0:
                status = _status(episode, look)
            picture = filmer.picture(moment.qpos, moment.goal)
            overlay(picture, words, status)
            yield picture


def _status(recent: Sequence[Moment], look: Look) -> list[str]:
    """Return the numbers at the last of these moments of one episode."""
    first, now = recent[0], recent[-1]
    passed = now.time - first.time
    speed = (now.distance - first.distance) / passed if passed > 0 else 0.0
    # adding zero turns -0.0 into 0.0
    moved = f"{round(speed, 1) + 0.0:.1f} m/s" if now.goal is None else f"{now.distance:.2f} m off"
    words = [f"return {round(now.total_reward)}", moved, f"{now.time:.1f} s"]
    if now.episode > 1 or look.episodes is not None:
        words.append(f"episode {now.episode}")
    if look.speed != 1.0:
        words.append(f"played at {look.speed:g}x")
    return words


def film_comparison(
    out: Path, body: Body, policies: Sequence[str], checkpoint: Path | None, look: Look, seed: int
) -> None:
    """Write a film of one body under one policy, or under several side by side, from the same start states.

    Args:
        out: the film.
        body: the body.
        policies: policy folders, "random" or "zero-shot".
        checkpoint: where zero-shot policies come from; the shipped one when None.
        look: of each of the pictures.
        seed: seeds the start states.
    """
    films = []
    for policy in policies:
        controller, _ = controller_for(body, policy, checkpoint, seed)
        films.append(film(body, controller, (body.name, Path(policy).name), look, seed))
    _write(out, side_by_side(films), look)


def film_suite(out: Path, suite: Suite, split: str, checkpoint: Path | None, look: Look, seed: int) -> None:
    """Write a mosaic of a suite's zero-shot policies, about twice as wide and as high as ``look`` says."""
    policies = Hypernetwork.load(checkpoint).generate_all(suite.bodies(split))
    if not policies:
        raise MorphNetError(f"suite {suite.name}: its split {split} is empty")
    columns = math.ceil(math.sqrt(len(policies)))
    tile = look.tile(columns, 2.0)
    films = [film(policy.body, PolicyController(policy), (policy.body.name,), tile, seed) for policy in policies]
    _write(out, side_by_side(films, columns), look)


def _write(out: Path, pictures: Iterable[np.ndarray], look: Look) -> None:
    total = None if look.episodes else look.pictures
    with VideoWriter(out, look.fps) as writer:
        for picture in track(pictures, total, "filming"):
            writer.add(picture)
