"""Start states drawn ahead: each is used once, in order, and none is lost on the way to a file and back."""

from __future__ import annotations

import numpy as np
import pytest
import robots

from morphnet.bodies import Body, load_body
from morphnet.simulation import Simulation, StartStates


class Numbered:
    """The first is at 0.001 along the first coordinate, the next at 0.002, and so on."""

    def __init__(self, body: Body) -> None:
        self.model, self.drawn = body.model, 0

    def draw(self, rng: np.random.Generator, count: int) -> StartStates:
        model, numbers = self.model, np.arange(1, count + 1) + self.drawn
        self.drawn += count
        qpos = np.tile(model.qpos0, (count, 1))
        qpos[:, 0] = numbers / 1000
        act, ctrl = (np.full((count, size), 0.25) for size in (model.na, model.nu))
        return StartStates(qpos, np.zeros((count, model.nv)), act, ctrl)


@pytest.fixture
def body(tmp_path):
    (tmp_path / "robot.xml").write_text(robots.ACTIVATIONS)
    body = load_body(tmp_path / "robot.xml")
    return body.with_task(body.task.replace(max_episode_steps=4))


def begun(simulation):
    """Numbers of the start states of the simulations, which have just begun."""
    return np.round(1000 * simulation.kinematics.qpos[:, 0]).astype(int).tolist()


def test_each_is_used_once_and_in_order(body):
    simulation = Simulation(body, 3, np.random.default_rng(0), starts=Numbered(body))
    seen = begun(simulation)
    assert seen == [1, 2, 3]
    simulation.setting.episodes.age[:] = 0, 2, 3  # they end one after another
    for _ in range(8):
        step = simulation.step(np.zeros((3, body.model.nu)))
        seen += [begun(simulation)[sim] for sim in step.done_ids]
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) == 9


def test_activations_and_controls_begin_as_drawn(body):
    kinematics = Simulation(body, 2, np.random.default_rng(0), starts=Numbered(body)).kinematics
    assert body.model.na > 0
    assert (kinematics.act == 0.25).all()
    assert (kinematics.ctrl == 0.25).all()


def test_what_waits_is_forgotten_at_a_reset(body):
    starts = Numbered(body)
    simulation = Simulation(body, 3, np.random.default_rng(0), starts=starts)
    simulation.fill()
    assert starts.drawn == 6
    simulation.reset()
    assert begun(simulation) == [7, 8, 9]


def test_what_waits_is_saved(body):
    simulation, other = (Simulation(body, 3, np.random.default_rng(0), starts=Numbered(body)) for _ in range(2))
    simulation.fill()
    other.reset()
    other.load_state_dict(simulation.state_dict())
    for _ in range(4):
        other.step(np.zeros((3, body.model.nu)))
    assert begun(other) == [4, 5, 6]
