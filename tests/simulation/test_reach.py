"""Reaching: goals that can be reached, how they are observed, and what being near them is worth."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
import robots

from morphnet.bodies import load_body
from morphnet.errors import SimulationError
from morphnet.simulation import GoalSampler, Kinematics, Observer, Simulation, update_kinematics

# Two links of 1 and 0.5 m in the plane of x and y, 0.2 m above the ground; the hand's site is 0.1 m before the end.
PLANAR = """<mujoco><option timestep="0.01" gravity="0 0 0"/><worldbody>
  <body name="upper" pos="0.3 -0.1 0.2"><joint name="a" axis="0 0 1" range="-90 90"/>
    <geom type="capsule" size=".02" fromto="0 0 0 1 0 0"/>
    <body name="hand" pos="1 0 0"><joint name="b" axis="0 0 1" range="0 120"/>
      <geom type="capsule" size=".02" fromto="0 0 0 .5 0 0"/><site name="grip" pos=".4 0 0"/></body></body></worldbody>
  <actuator><motor joint="a"/><motor joint="b" ctrlrange="-2 2"/></actuator></mujoco>"""
TASK = """kind = "reach"
end_effector = "grip"
frame_skip = 1
ctrl_cost = 0.5
goal_tolerance = 0.1
goal_reward = 2.0
distance_cost = 3.0
qpos_noise = 0.0
qvel_noise = 0.0
"""


def grip(a: float, b: float) -> np.ndarray:
    """Place of the site, by trigonometry."""
    return np.array([0.3 + np.cos(a) + 0.4 * np.cos(a + b), -0.1 + np.sin(a) + 0.4 * np.sin(a + b), 0.2])


@pytest.fixture
def planar(tmp_path):
    (tmp_path / "planar.xml").write_text(PLANAR)
    (tmp_path / "planar.toml").write_text(TASK)
    return load_body(tmp_path / "planar.xml")


def observed(body, data, goal):
    update_kinematics(body.model, data)
    observer = Observer(body)
    values = observer.observe(Kinematics.of_data(data), np.asarray(goal, np.float64))[0]
    return dict(zip(observer.layout.names, values.tolist(), strict=True))


def task_vector(seen, name):
    return np.array([seen[f"task/task/{name}_{axis}"] for axis in "xyz"])


# --- goals --------------------------------------------------------------------------------------------------


def test_goals_are_where_the_joints_can_take_the_hand(planar):
    goals = GoalSampler(planar).draw(np.random.default_rng(0), 500)
    assert goals[:, 2] == pytest.approx(0.2)
    place = goals[:, :2] - [0.3, -0.1]
    distance = np.hypot(*place.T)
    # the law of cosines: the elbow's angle that gives this distance lies within the joint's range
    elbow = np.arccos(np.clip((distance**2 - 1.0 - 0.16) / 0.8, -1, 1))
    assert (elbow <= np.radians(120) + 1e-6).all()
    shoulder = np.arctan2(place[:, 1], place[:, 0]) - np.arctan2(0.4 * np.sin(elbow), 1.0 + 0.4 * np.cos(elbow))
    assert (np.abs(shoulder) <= np.pi / 2 + 1e-6).all()
    assert np.ptp(np.degrees(elbow)) > 100
    assert np.ptp(np.degrees(shoulder)) > 150


@pytest.mark.parametrize("name", ["crane_5", "spatial_arm_7", "slider_gantry"])
def test_goals_are_above_the_floor_and_within_the_arms_length(name):
    body = load_body(name)
    goals = GoalSampler(body).draw(np.random.default_rng(1), 200)
    assert (goals[:, 2] > 0).all()
    assert np.ptp(goals, axis=0).max() > 0.3
    assert len(np.unique(goals.round(9), axis=0)) == 200


def test_a_goal_of_the_tasks_own_is_every_goal(planar):
    body = planar.with_task(planar.task.replace(goal=(0.1, 0.2, 0.3)))
    simulation = Simulation(body, 3, np.random.default_rng(0))
    assert (simulation.command == [0.1, 0.2, 0.3]).all()


def test_a_robot_that_is_always_under_the_floor_is_told_of(tmp_path, planar):
    text = PLANAR.replace("<worldbody>", '<worldbody><geom type="plane" size="0 0 1" pos="0 0 1"/>')
    (tmp_path / "planar.xml").write_text(text)
    with pytest.raises(SimulationError, match=r"^planar: found no pose above the floor"):
        Simulation(load_body(tmp_path / "planar.xml"), 1, np.random.default_rng(0))


def test_every_episode_has_a_goal_of_its_own(planar):
    body = planar.with_task(planar.task.replace(max_episode_steps=3))
    simulation = Simulation(body, 4, np.random.default_rng(0))
    first = simulation.command.copy()
    assert len(np.unique(first, axis=0)) == 4
    for _ in range(2):
        simulation.step(np.zeros((4, 2)))
        assert np.array_equal(simulation.command, first)
    simulation.step(np.zeros((4, 2)))
    assert (simulation.command != first).any(axis=1).all()


def test_the_same_seed_gives_the_same_goals(planar):
    one, other = (Simulation(planar, 5, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(one.command, other.command)
    assert np.array_equal(one.observation, other.observation)


def test_a_state_comes_back_with_its_goal(planar):
    simulation = Simulation(planar, 2, np.random.default_rng(0))
    state, seen = simulation.state_dict(), simulation.observation.copy()
    simulation.reset()
    assert not np.array_equal(simulation.observation, seen)
    simulation.load_state_dict(state)
    assert np.array_equal(simulation.observation, seen)


# --- rewards ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("offset", "reached"), [((0.0, 0.0), True), ((0.0, 0.099), True), ((0.3, -0.4), False)])
def test_rewards_by_hand(planar, offset, reached):
    simulation = Simulation(planar, 1, np.random.default_rng(0))
    a, b = 0.4, 0.9
    simulation.set_state(np.array([a, b]), np.zeros(2))
    goal = grip(a, b) + np.array([*offset, 0.0])
    simulation.set_command(goal)
    step = simulation.step(np.array([[1e-9, 0.0]]))
    assert step.reward.distance[0] == pytest.approx(-3.0 * np.hypot(*offset), abs=1e-6)
    assert step.reward.goal[0] == (2.0 if reached else 0.0)
    step = simulation.step(np.array([[0.5, -0.25]]))
    assert step.reward.ctrl[0] == pytest.approx(-0.5 * (0.5**2 + 0.5**2))
    terms = vars(step.reward)
    assert set(terms) == {"distance", "goal", "healthy", "ctrl", "contact"}
    assert step.reward.total[0] == pytest.approx(sum(value[0] for value in terms.values()))


def test_the_distance_is_that_after_the_step(planar):
    simulation = Simulation(planar, 1, np.random.default_rng(0))
    simulation.set_state(np.array([0.2, 0.3]), np.array([3.0, -2.0]))
    simulation.set_command(np.array([1.0, 0.5, 0.2]))
    step = simulation.step(np.zeros((1, 2)))
    a, b = simulation.kinematics.qpos[0]
    assert a == pytest.approx(0.23, abs=2e-3)
    assert step.reward.distance[0] == pytest.approx(-3.0 * np.linalg.norm(grip(a, b) - [1.0, 0.5, 0.2]), abs=1e-9)


def test_returns_are_sums_of_rewards(planar):
    body = planar.with_task(planar.task.replace(max_episode_steps=20))
    simulation = Simulation(body, 3, np.random.default_rng(0))
    rng, total = np.random.default_rng(1), np.zeros(3)
    for _ in range(20):
        step = simulation.step(rng.uniform(-1, 1, (3, 2)))
        total += step.reward.total
    assert step.truncated.all()
    assert not step.terminated.any()
    assert step.episode_returns == pytest.approx(total)


def test_limits_end_episodes_of_reaching_bodies_too():
    body = load_body("gymnasium:ant")
    task = body.task.replace(kind="reach", end_effector="torso", velocity="root", healthy_reward=0.5)
    simulation = Simulation(body.with_task(task), 1, np.random.default_rng(0))
    qpos = body.model.qpos0.copy()
    assert simulation.step(np.zeros((1, 8))).reward.healthy[0] == 0.5
    qpos[2] = 5.0
    simulation.set_state(qpos, np.zeros(body.model.nv))
    step = simulation.step(np.zeros((1, 8)))
    assert step.terminated[0]
    assert step.reward.healthy[0] == 0.0


def test_a_step_that_diverges_is_worth_nothing(planar):
    simulation = Simulation(planar, 2, np.random.default_rng(0))
    simulation.set_state(np.array([0.1, 0.1]), np.array([1e300, 0.0]), sim=1)
    step = simulation.step(np.zeros((2, 2)))
    assert step.terminated.tolist() == [False, True]
    assert step.reward.total[1] == 0.0
    assert step.reward.total[0] != 0.0


# --- observations -------------------------------------------------------------------------------------------


def test_goals_are_observed_from_the_root_and_from_the_hand(planar):
    data = mujoco.MjData(planar.model)
    data.qpos[:] = 0.4, 0.9
    goal = np.array([0.7, 0.6, 0.5])
    seen = observed(planar, data, goal)
    assert task_vector(seen, "goal") == pytest.approx(goal - [0.3, -0.1, 0.2], abs=1e-6)
    assert task_vector(seen, "to_goal") == pytest.approx(goal - grip(0.4, 0.9), abs=1e-6)
    assert not any("direction" in name for name in seen)


def test_a_body_may_be_the_end_effector(planar):
    body = planar.with_task(planar.task.replace(end_effector="hand"))
    data = mujoco.MjData(body.model)
    data.qpos[:] = 0.5, 0.2
    seen = observed(body, data, np.zeros(3))
    elbow = np.array([0.3 + np.cos(0.5), -0.1 + np.sin(0.5), 0.2])
    assert task_vector(seen, "to_goal") == pytest.approx(-elbow, abs=1e-6)


def test_a_root_that_turns_sees_goals_in_its_heading():
    body = load_body("gymnasium:ant")
    body = body.with_task(body.task.replace(kind="reach", end_effector="aux_1", height=None))
    data = robots.random_state(body.model, 3)
    goal = np.array([0.4, -0.7, 1.1])
    seen = observed(body, data, goal)
    root = body.graph.root_body
    forward = data.xmat[root].reshape(3, 3)[:, 0]
    yaw = np.arctan2(forward[1], forward[0])
    turn = np.array([[np.cos(yaw), np.sin(yaw), 0], [-np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    assert task_vector(seen, "goal") == pytest.approx(turn @ (goal - data.xpos[root]), abs=1e-5)
    assert task_vector(seen, "to_goal") == pytest.approx(turn @ (goal - data.body("aux_1").xpos), abs=1e-5)


def test_a_command_of_the_other_kind_is_refused(planar):
    """The compiled loop would read past the end of it."""
    data = mujoco.MjData(planar.model)
    with pytest.raises(ValueError, match=r"\(1, 2\): expected \(1, 3\)"):
        observed(planar, data, np.array([1.0, 0.0]))
