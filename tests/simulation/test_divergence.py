"""Divergence: who diverges is reset, counted and not rewarded; physics that always does is an error."""

import mujoco
import numpy as np
import pytest
from robots import actions_for, load_text

from morphnet.bodies import load_body
from morphnet.errors import SimulationError
from morphnet.simulation import Simulation

# With ctrl 0 it hangs still; with ctrl 1 its acceleration passes what MuJoCo calls unstable within a step.
UNSTABLE = """<mujoco><worldbody><body name="post" pos="0 0 1"><joint name="turn" axis="0 1 0"/>
  <geom size=".01" mass="1e-4"/></body></worldbody><actuator><motor joint="turn" gear="1e14"/></actuator></mujoco>"""


def test_a_diverging_simulation_is_reset_and_counted(tmp_path):
    body = load_text(tmp_path, UNSTABLE, qpos_noise=0.01, qvel_noise=0.01)
    simulation = Simulation(body, 3, np.random.default_rng(0))
    for count in range(1, 13):  # more often than the patience with a batch that diverges as a whole
        step = simulation.step(np.array([[0.0], [1.0], [0.0]]))
        assert simulation.diverged == count
        assert step.terminated.tolist() == [False, True, False]
        assert step.done_ids.tolist() == [1]
        assert step.episode_lengths.tolist() == [1]
        assert step.reward.total[1] == 0.0
        assert np.isfinite(step.reward.total).all()
        assert np.isfinite(step.final_observation).all()
        assert np.isfinite(simulation.observation).all()
        assert np.abs(simulation.kinematics.qpos[1]).max() <= 0.01
        assert np.abs(simulation.kinematics.qvel[1]).max() <= 0.01
    calm = simulation.step(np.zeros((3, 1)))
    assert not calm.terminated.any()
    assert simulation.diverged == 12


def test_divergence_is_silent(tmp_path, monkeypatch, capfd):
    """MuJoCo alone would warn, and keep a log where the user happens to be."""
    simulation = Simulation(load_text(tmp_path, UNSTABLE), 2, np.random.default_rng(0))
    monkeypatch.chdir(tmp_path)
    for step in range(12):
        simulation.step(np.array([[0.0], [float(step % 2)]]))
    assert simulation.diverged == 6
    assert capfd.readouterr() == ("", "")
    assert not list(tmp_path.glob("*LOG*"))


def test_a_copy_is_an_ordinary_simulation():
    body = load_body("gymnasium:walker2d_v5")
    simulation = Simulation(body, 2, np.random.default_rng(0))
    for action in actions_for(body, 5, 2):
        simulation.step(action)
    data, action = simulation.get_data(1), actions_for(body, 1, 2, seed=2)[0]
    assert not data.warning.number.any()
    simulation.step(action)
    data.ctrl[:] = simulation.kinematics.ctrl[1]
    mujoco.mj_step(body.model, data, body.frame_skip)
    assert np.array_equal(data.qpos, simulation.kinematics.qpos[1])


def test_the_jump_back_of_a_diverged_simulation_is_not_rewarded(tmp_path):
    """MuJoCo itself puts it back at the origin, here 5 m in no time."""
    rails = '<joint name="x" type="slide" axis="1 0 0"/><joint name="turn" axis="0 1 0"/>'
    text = UNSTABLE.replace('<joint name="turn" axis="0 1 0"/>', rails)
    simulation = Simulation(load_text(tmp_path, text, ctrl_cost=1.0, healthy_reward=1.0), 2, np.random.default_rng(0))
    simulation.set_state(np.array([5.0, 0.0]), np.zeros(2), sim=1)
    step = simulation.step(np.array([[0.0], [1.0]]))
    assert step.terminated.tolist() == [False, True]
    assert step.reward.total[1] == 0.0
    assert step.episode_returns.tolist() == [0.0]


def test_physics_that_always_diverges_is_an_error(tmp_path):
    simulation = Simulation(load_text(tmp_path, UNSTABLE), 2, np.random.default_rng(0))

    def run():
        for _ in range(20):
            simulation.step(np.ones((2, 1)))

    with pytest.raises(
        SimulationError, match=r"^robot: the physics diverges at every step.*smaller timestep"
    ) as caught:
        run()
    assert "\n" not in str(caught.value)
    assert 4 <= simulation.diverged < 40


def test_patience_is_for_steps_in_a_row(tmp_path):
    simulation = Simulation(load_text(tmp_path, UNSTABLE), 2, np.random.default_rng(0))
    for step in range(20):
        simulation.step(np.full((2, 1), float(step % 3 != 0)))
    assert simulation.diverged == 2 * 13


def test_divergence_is_mujocos_own():
    """The unstable robot does what the tests above take for granted, in MuJoCo alone."""
    model = mujoco.MjModel.from_xml_string(UNSTABLE)
    data = mujoco.MjData(model)
    mujoco.mj_step(model, data)
    assert not any(warning.number for warning in data.warning)
    data.ctrl[:] = 1.0
    mujoco.mj_step(model, data, 4)
    assert any(warning.number for warning in data.warning)
