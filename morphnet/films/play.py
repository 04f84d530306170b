"""What happens in a film: a policy runs a body, and the state is noted at the time of every picture."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

import mujoco
import numpy as np

from morphnet.bodies import Body
from morphnet.evaluation import Controller
from morphnet.look import Look
from morphnet.simulation import ControlScale, Simulation

PAUSE_SECONDS = 0.4
"""How long the last state of an episode is shown, in seconds of film, for people to see that it ended."""


@dataclasses.dataclass(frozen=True, eq=False)
class Moment:
    """The state at some time of an episode.

    Attributes:
        episode: number of the episode, from 1.
        time: seconds since the episode's start.
        qpos: (nq,).
        distance: along the task's direction, in the world; of a body that reaches, to its goal (m).
        total_reward: so far in the episode; at the end it is the return that ``evaluate`` reports.
        goal: (3,) the point to reach (m, in the world); None where the body runs.
    """

    episode: int
    time: float
    qpos: np.ndarray
    distance: float
    total_reward: float
    goal: np.ndarray | None = None


def play(body: Body, controller: Controller, look: Look, seed: int) -> Iterator[Moment]:
    """Yield the moments that a film shows, one a picture.

    Without ``look.episodes`` there are ``look.pictures``, and a new episode starts after every end. With it, that many
    episodes are shown, none longer than ``look.seconds``.
    """
    simulation = Simulation(body, 1, np.random.default_rng(seed), exact=True)
    shown = (_pictures(_episode(simulation, controller, number), look, body.model) for number in itertools.count(1))
    if look.episodes is None:
        yield from itertools.islice(itertools.chain.from_iterable(shown), look.pictures)
        return
    for episode in itertools.islice(shown, look.episodes):
        yield from itertools.islice(episode, look.pictures)
        simulation.reset()


def _episode(simulation: Simulation, controller: Controller, number: int) -> Iterator[Moment]:
    """Run one episode; yield its state after every physics step.

    The simulation's own batch shows states at control steps alone, so the steps between are made once more.
    """
    body, controls = simulation.body, ControlScale(simulation.body.model)
    data, time, total, ended = simulation.get_data(0), 0.0, 0.0, False
    goal = simulation.command[0].copy() if body.task.kind == "reach" else None
    yield Moment(number, 0.0, data.qpos.copy(), _distance(body, data, goal), 0.0, goal)
    while not ended:
        action = controller.actions(simulation.observation)
        data = simulation.get_data(0)
        data.ctrl[:] = controls.to_ctrl(action)[0]
        step = simulation.step(action)
        total, ended = total + float(step.reward.total[0]), len(step.done_ids) > 0
        for _ in range(body.frame_skip):
            mujoco.mj_step(body.model, data)
            time += body.model.opt.timestep
            yield Moment(number, time, data.qpos.copy(), _distance(body, data, goal), total, goal)


def _distance(body: Body, data: mujoco.MjData, goal: np.ndarray | None) -> float:
    if goal is None:
        return float(data.xpos[body.graph.root_body, :2] @ body.task.direction)
    carrier, offset = body.end_effector
    tip = data.xpos[carrier] + data.xmat[carrier].reshape(3, 3) @ offset
    return float(np.linalg.norm(goal - tip))


def _pictures(episode: Iterator[Moment], look: Look, model: mujoco.MjModel) -> Iterator[Moment]:
    """Yield the moments at the pictures' times, and the last one a little longer."""
    before = now = next(episode)
    for number in itertools.count():
        time = number * look.step
        while now.time < time:
            before, after = now, next(episode, None)
            if after is None:
                yield from itertools.repeat(now, round(PAUSE_SECONDS * look.fps))
                return
            now = after
        yield _between(model, before, now, time)


def _between(model: mujoco.MjModel, before: Moment, after: Moment, time: float) -> Moment:
    """Return the moment at ``time``, so that motion is even whatever the physics step is."""
    span = after.time - before.time
    if span <= 0.0:
        return after
    part = (time - before.time) / span
    velocity, qpos = np.zeros(model.nv), before.qpos.copy()
    mujoco.mj_differentiatePos(model, velocity, 1.0, before.qpos, after.qpos)
    mujoco.mj_integratePos(model, qpos, velocity, part)
    distance = before.distance + part * (after.distance - before.distance)
    return dataclasses.replace(after, time=time, qpos=qpos, distance=distance)
