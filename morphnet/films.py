"""Films of policies: states from a simulation, pictures from the renderer, words on top."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import mujoco
import numpy as np

from morphnet.bodies import Body, Suite
from morphnet.errors import MorphNetError
from morphnet.hypernetwork import Hypernetwork
from morphnet.rendering.video import Preset, VideoWriter, caption, render_frames, side_by_side
from morphnet.runs import policy_for
from morphnet.simulation import ControlScale
from morphnet.simulation.judge import Health

Act = Callable[[mujoco.MjData], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Look:
    """How a film looks."""

    seconds: float = 10.0
    width: int = 640
    height: int = 480
    fps: int = 30
    quality: bool = False

    def __post_init__(self) -> None:
        for name in ("seconds", "width", "height", "fps"):
            if not 0 < getattr(self, name) < math.inf:
                raise MorphNetError(f"--{name} {getattr(self, name)}: must be above 0 and finite")

    @property
    def preset(self) -> Preset:
        """The renderer's preset."""
        return Preset.QUALITY if self.quality else Preset.FAST


@dataclasses.dataclass(frozen=True, eq=False)
class Take:
    """What was filmed: one row a picture.

    Attributes:
        qpos: (frames, nq). x: (frames,) distance along the task's direction since the episode's start (m).
        time: (frames,) seconds since the episode's start.
        episode: (frames,) number of the episode, from 1.
    """

    qpos: np.ndarray
    x: np.ndarray
    time: np.ndarray
    episode: np.ndarray


def act_for(body: Body, policy: str | None, checkpoint: Path | None, seed: int) -> tuple[Act, str]:
    """Return what drives a body in a film, and what to call it."""
    if policy == "random":
        rng, scale = np.random.default_rng(seed), ControlScale(body.model)
        return lambda data: scale.to_ctrl(rng.uniform(-1, 1, body.model.nu)), "random"
    made, source = policy_for(body, policy, checkpoint)
    return made.act, "zero-shot" if policy is None else Path(source).name


def take(body: Body, act: Act, seconds: float, fps: int, seed: int) -> Take:
    """Simulate for ``seconds``, starting again after every fall, and keep the state at every picture's time.

    Physics steps, not control steps, decide which state a picture shows, so motion stays even whatever the
    control step is.
    """
    model, task = body.model, body.task
    data, rng, health = mujoco.MjData(model), np.random.default_rng(seed), Health(body)
    rows: list[tuple[np.ndarray, float, float, int]] = []
    episode, step, elapsed = 1, 0, 0.0
    _start(body, data, rng)
    while len(rows) < math.ceil(seconds * fps):
        if step % task.frame_skip == 0:
            fallen = not health(data)
            if step and (fallen or step >= task.frame_skip * task.max_episode_steps):
                episode, step = episode + 1, 0
                _start(body, data, rng)
            data.ctrl[:] = act(data)
        if elapsed * fps >= len(rows):
            rows.append((data.qpos.copy(), _distance(body, data), data.time, episode))
        mujoco.mj_step(model, data)
        step, elapsed = step + 1, elapsed + model.opt.timestep
    qpos, x, time, episodes = zip(*rows, strict=True)
    return Take(np.array(qpos), np.array(x), np.array(time), np.array(episodes))


def _start(body: Body, data: mujoco.MjData, rng: np.random.Generator) -> None:
    mujoco.mj_resetData(body.model, data)
    data.qpos[:] += rng.uniform(-body.task.qpos_noise, body.task.qpos_noise, body.model.nq)
    mujoco.mj_forward(body.model, data)


def _distance(body: Body, data: mujoco.MjData) -> float:
    root = data.xpos[body.graph.root_body]
    return float(root[0] * body.task.direction[0] + root[1] * body.task.direction[1])


def film(body: Body, act: Act, words: str, look: Look, seed: int) -> Iterator[np.ndarray]:
    """Yield captioned pictures of a body driven by ``act``."""
    shot = take(body, act, look.seconds, look.fps, seed)
    pictures = render_frames(
        body.model,
        shot.qpos,
        width=look.width,
        height=look.height,
        preset=look.preset,
        root_body=body.graph.root_body,
        planar=not body.base.can_yaw,
    )
    for index, picture in enumerate(pictures):
        yield caption(picture, [body.name, words, _status(shot, index)])


def _status(shot: Take, index: int) -> str:
    back = max(0, index - 15)
    same = shot.episode[back] == shot.episode[index] and index > back
    passed = shot.time[index] - shot.time[back]
    speed = (shot.x[index] - shot.x[back]) / passed if same and passed > 0 else 0.0
    return f"{shot.time[index]:4.1f} s   {shot.x[index]:5.1f} m   {speed:4.1f} m/s"


def film_body(out: Path, name: str, policy: str | None, checkpoint: Path | None, look: Look, seed: int) -> None:
    """Write a film of one body."""
    from morphnet.bodies import load_body

    body = load_body(name)
    act, words = act_for(body, policy, checkpoint, seed)
    with VideoWriter(out, look.fps) as writer:
        for picture in film(body, act, words, look, seed):
            writer.add(picture)


def film_suite(out: Path, suite: Suite, split: str, checkpoint: Path | None, look: Look, seed: int) -> None:
    """Write a mosaic of a suite's zero-shot policies, about twice as wide and as high as ``look`` says."""
    policies = Hypernetwork.load(checkpoint).generate_all(suite.bodies(split))
    if not policies:
        raise MorphNetError(f"suite {suite.name}: its split {split} is empty")
    columns = math.ceil(math.sqrt(len(policies)))
    # even sizes, as video encoders need them
    tile = dataclasses.replace(
        look, width=look.width * 2 // columns // 2 * 2, height=look.height * 2 // columns // 2 * 2
    )
    films = [film(policy.body, policy.act, "zero-shot", tile, seed) for policy in policies]
    with VideoWriter(out, look.fps) as writer:
        for picture in side_by_side(films, columns):
            writer.add(picture)
