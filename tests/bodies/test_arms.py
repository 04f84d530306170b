"""The arms: files as declared, motors that hold and limit as declared, goals that can be reached."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from morphnet.assets import manipulators
from morphnet.bodies import Body, load_body
from morphnet.simulation import Simulation

every_arm = pytest.mark.parametrize("arm", manipulators.ARMS, ids=[arm.name for arm in manipulators.ARMS])


@every_arm
def test_declarations_reproduce_the_committed_file(arm: manipulators.Arm) -> None:
    assert manipulators.build(arm) == arm.path.read_text(encoding="utf-8")


@every_arm
def test_motors_hold_the_arm_at_full_stretch(arm: manipulators.Arm) -> None:
    """MuJoCo's own bias forces, in random poses: what is declared is the worst case or more."""
    body = load_body(arm.name)
    model, data = body.model, mujoco.MjData(body.model)
    rng = np.random.default_rng(0)
    most = np.zeros(model.nv)
    for _ in range(300):
        data.qpos[:] = rng.uniform(*model.jnt_range.T)
        mujoco.mj_forward(model, data)
        most = np.maximum(most, np.abs(data.qfrc_bias))
    assert (most * 2.0 < model.actuator_gear[:, 0]).all()


def test_speed_at_full_control_is_what_is_declared() -> None:
    """Without weight and limits it ends where force and damping balance."""
    body = load_body("slider_gantry")
    model = mujoco.MjModel.from_xml_string(body.source.data.decode())
    model.jnt_limited[:], model.opt.gravity[:] = 0, 0
    data = mujoco.MjData(model)
    data.ctrl[0] = 1.0
    mujoco.mj_step(model, data, 2000)
    assert data.qvel[0] == pytest.approx(manipulators.SLIDES, rel=1e-2)


def towards(body: Body, data: mujoco.MjData, goal: np.ndarray) -> np.ndarray:
    """Control of a textbook controller: damped least squares, with the bias and damping forces added."""
    model, (carrier, offset) = body.model, body.end_effector
    mujoco.mj_forward(model, data)
    tip = data.xpos[carrier] + data.xmat[carrier].reshape(3, 3) @ offset
    jacobian = np.zeros((3, model.nv))
    mujoco.mj_jac(model, data, jacobian, None, tip, carrier)
    wanted = jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + 0.01 * np.eye(3), 4.0 * (goal - tip))
    force = data.qfrc_bias + model.dof_damping * (2.0 * wanted - data.qvel)
    return np.clip(force / model.actuator_gear[:, 0], -1.0, 1.0)


@every_arm
def test_a_textbook_controller_reaches_most_goals(arm: manipulators.Arm) -> None:
    """It knows nothing of joint limits, so that it gets stuck now and then."""
    body = load_body(arm.name)
    simulation = Simulation(body, 6, np.random.default_rng(0))
    for _ in range(body.task.max_episode_steps - 1):
        action = [towards(body, simulation.get_data(sim), simulation.command[sim]) for sim in range(6)]
        step = simulation.step(np.array(action))
    near = -step.reward.distance < body.task.goal_tolerance
    assert near.sum() >= 3
