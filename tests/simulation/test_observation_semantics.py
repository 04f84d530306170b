"""What the entries of an observation mean, on cases worked out by hand or by finite differences."""

import mujoco
import numpy as np
import pytest
import robots
from hypothesis import given, settings
from hypothesis import strategies as st

from morphnet.bodies import load_body, suite_names
from morphnet.bodies.body import suite_folders
from morphnet.simulation import Kinematics, Observer, update_kinematics

AHEAD = np.array([1.0, 0.0])
# Units of the entries. Trained weights depend on them: a change here makes every checkpoint useless.
PER_METRE_A_SECOND, PER_RADIAN_A_SECOND = 0.2, 0.1

angles = st.floats(-np.pi, np.pi)


def load_text(tmp_path, text):
    path = tmp_path / "robot.xml"
    path.write_text(text)
    return load_body(path)


class View:
    """Observes states of one body as {name: value}."""

    def __init__(self, body):
        self.model = body.model
        self.observer = Observer(body)
        self.names = self.observer.layout.names
        self._data = mujoco.MjData(body.model)

    def __call__(self, qpos=None, qvel=None, ctrl=None, act=None, direction=AHEAD):
        data = self._data
        mujoco.mj_resetData(self.model, data)
        for field, value in (("qpos", qpos), ("qvel", qvel), ("ctrl", ctrl), ("act", act)):
            if value is not None:
                getattr(data, field)[:] = value
        update_kinematics(self.model, data)
        values = self.observer.observe(Kinematics.of_data(data), direction)[0]
        return dict(zip(self.names, values.astype(float), strict=True))

    def of(self, data, direction=AHEAD):
        return self(data.qpos, data.qvel, data.ctrl, data.act, direction)


@pytest.fixture(scope="module")
def views():
    made = {}

    def get(name):
        if name not in made:
            made[name] = View(load_body(name))
        return made[name]

    return get


def assert_same(first, second, but=(), atol=1e-5):
    assert first.keys() == second.keys()
    for name in first:
        if name not in but:
            assert first[name] == pytest.approx(second[name], abs=atol), name


# --- where and which way the robot stands -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "joints"), [("gymnasium:hopper", ["rootx"]), ("gymnasium:swimmer", ["slider1", "slider2"])]
)
@settings(max_examples=20, deadline=None)
@given(shift=st.lists(st.floats(-1000, 1000), min_size=2, max_size=2), seed=st.integers(0, 1000))
def test_sliding_the_root_along_the_ground_changes_nothing(views, name, joints, shift, seed):
    view = views(name)
    data = robots.random_state(view.model, seed)
    before = view.of(data)
    for joint, distance in zip(joints, shift, strict=False):
        data.joint(joint).qpos += distance
    assert_same(before, view.of(data))


@settings(max_examples=20, deadline=None)
@given(x=st.floats(-1000, 1000), y=st.floats(-1000, 1000), seed=st.integers(0, 1000))
def test_moving_a_free_root_along_the_ground_changes_nothing(views, x, y, seed):
    view = views("gymnasium:ant")
    data = robots.random_state(view.model, seed)
    before = view.of(data)
    data.qpos[:2] += x, y
    assert_same(before, view.of(data))


def test_lifting_the_root_changes_the_height_alone(views):
    for name, address in [("gymnasium:ant", 2), ("gymnasium:hopper", 1)]:
        view = views(name)
        data = robots.random_state(view.model, 3)
        before = view.of(data)
        data.qpos[address] += 0.25
        after = view.of(data)
        assert_same(before, after, but=["root/root/height"])
        assert after["root/root/height"] - before["root/root/height"] == pytest.approx(0.25, abs=1e-6)
        assert view()["root/root/height"] == pytest.approx(0.0, abs=1e-6)


def turned(data, angle):
    """Turn the state of a free body, its position and velocity included, about the world's vertical."""
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    qpos, qvel = data.qpos.copy(), data.qvel.copy()
    qpos[:3] = turn @ qpos[:3]
    mujoco.mju_mulQuat(qpos[3:7], np.array([np.cos(angle / 2), 0, 0, np.sin(angle / 2)]), data.qpos[3:7])
    qvel[:3] = turn @ qvel[:3]  # a free joint's angular velocity is in the body's own frame already
    return qpos, qvel, turn


@pytest.mark.parametrize("name", ["gymnasium:ant", "humanoid", "biped_heavy"])
@settings(max_examples=20, deadline=None)
@given(angle=angles, course=angles, seed=st.integers(0, 1000))
def test_turning_the_world_changes_only_where_the_task_points(views, name, angle, course, seed):
    view = views(name)
    data = robots.random_state(view.model, seed)
    qpos, qvel, turn = turned(data, angle)
    course_before = np.array([np.cos(course), np.sin(course)])
    before = view.of(data, course_before)
    task = ["task/task/direction_x", "task/task/direction_y"]
    after = view(qpos, qvel, data.ctrl, data.act, course_before)
    assert_same(before, after, but=task)
    # the robot has turned left by the angle, so the same course lies that much further to its right
    expected = turn[:2, :2].T @ [before[entry] for entry in task]
    np.testing.assert_allclose([after[entry] for entry in task], expected, atol=1e-5)
    # and nothing at all has changed for it if the course turns with it
    assert_same(before, view(qpos, qvel, data.ctrl, data.act, turn[:2, :2] @ course_before))


@settings(max_examples=20, deadline=None)
@given(angle=angles, seed=st.integers(0, 1000))
def test_turning_a_swimmer_about_its_vertical_hinge(views, angle, seed):
    view = views("gymnasium:swimmer")
    data = robots.random_state(view.model, seed)
    before = view.of(data, np.array([0.6, 0.8]))
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]])
    data.joint("free_body_rot").qpos += angle
    data.qvel[:2] = turn @ data.qvel[:2]
    assert_same(before, view.of(data, turn @ [0.6, 0.8]))


@pytest.mark.parametrize(
    ("angle", "ahead"), [(0.0, (1, 0)), (np.pi / 2, (0, -1)), (np.pi, (-1, 0)), (-np.pi / 2, (0, 1))]
)
def test_ahead_as_seen_by_a_turned_ant(views, angle, ahead):
    seen = views("gymnasium:ant")([0, 0, 0.75, np.cos(angle / 2), 0, 0, np.sin(angle / 2), *[0] * 8])
    assert (seen["task/task/direction_x"], seen["task/task/direction_y"]) == pytest.approx(ahead, abs=1e-6)


def test_a_planar_robot_has_no_heading(views):
    # on its back, a hopper's own x axis points backwards: +x must stay where it is
    seen = views("gymnasium:hopper")([0, 0.3, np.pi, 0, 0, 0], [2.0, 0, 0, 0, 0, 0])
    assert (seen["task/task/direction_x"], seen["task/task/direction_y"]) == (1, 0)
    assert seen["root/root/velocity_x"] == pytest.approx(2.0 * PER_METRE_A_SECOND, abs=1e-6)


def test_gravity_is_seen_in_the_roots_tilt(views):
    view = views("gymnasium:ant")
    for roll in (0.0, 0.4, -1.2):
        seen = view([0, 0, 0.75, np.cos(roll / 2), np.sin(roll / 2), 0, 0, *[0] * 8])
        assert seen["root/root/orientation_zy"] == pytest.approx(np.sin(roll), abs=1e-6)
        assert seen["root/root/orientation_zx"] == pytest.approx(0.0, abs=1e-6)


# --- joints and actuators ---------------------------------------------------------------------------------


ARM = """<mujoco><worldbody><body name="base"><joint name="limited" axis="0 1 0" range="-30 90"/>
  <geom size=".1"/><body name="a" pos=".3 0 0"><joint name="endless" axis="0 1 0"/><geom size=".1"/>
  <body name="b" pos=".3 0 0"><joint name="rail" type="slide" axis="1 0 0" range=".2 .6"/><geom size=".1"/>
  <body name="c" pos=".3 0 0"><joint name="track" type="slide" axis="1 0 0"/><geom size=".1"/>
  <body name="d" pos=".3 0 0"><joint name="ball" type="ball"/><geom size=".1"/></body></body></body></body></body>
  </worldbody><actuator><motor name="m0" joint="limited" ctrlrange="-2 6"/>
  <position name="m1" joint="endless" ctrlrange="0 1"/><motor name="m2" joint="rail"/>
  <general name="m3" joint="track" dyntype="filter" dynprm="1"/><motor name="m4" joint="ball"/></actuator></mujoco>"""


@pytest.mark.parametrize(("degrees", "expected"), [(-30, -1.0), (0, -0.5), (30, 0.0), (60, 0.5), (90, 1.0), (120, 1.5)])
def test_limited_hinge(tmp_path, degrees, expected):
    seen = View(load_text(tmp_path, ARM))([np.deg2rad(degrees), 0, 0.3, 0, 1, 0, 0, 0])
    assert seen["joint/limited/position"] == pytest.approx(expected, abs=1e-6)
    assert not {"joint/limited/sine", "joint/limited/cosine", "joint/limited/quat_w"} & seen.keys()


@pytest.mark.parametrize(("metres", "expected"), [(0.2, -1.0), (0.3, -0.5), (0.4, 0.0), (0.6, 1.0)])
def test_limited_slide(tmp_path, metres, expected):
    seen = View(load_text(tmp_path, ARM))([0, 0, metres, 0, 1, 0, 0, 0])
    assert seen["joint/rail/position"] == pytest.approx(expected, abs=1e-6)


def test_joints_without_limits(tmp_path):
    view = View(load_text(tmp_path, ARM))
    seen = view([0, np.pi / 3, 0.3, 0.7, 1, 0, 0, 0])
    assert seen["joint/endless/sine"] == pytest.approx(np.sqrt(3) / 2, abs=1e-6)
    assert seen["joint/endless/cosine"] == pytest.approx(0.5, abs=1e-6)
    assert "joint/endless/position" not in seen
    assert seen["joint/track/position"] == pytest.approx(0.7, abs=1e-6)  # metres
    # a whole turn more is the same pose
    assert_same(seen, view([0, np.pi / 3 + 2 * np.pi, 0.3, 0.7, 1, 0, 0, 0]))


def test_ball_joint_is_a_quaternion_whose_sign_does_not_matter(tmp_path):
    view = View(load_text(tmp_path, ARM))
    quat = np.array([0.5, 0.5, -0.5, 0.5])
    seen = view([0, 0, 0.3, 0, *quat])
    entries = [f"joint/ball/quat_{axis}" for axis in "wxyz"]
    np.testing.assert_allclose([seen[entry] for entry in entries], quat, atol=1e-6)
    assert_same(seen, view([0, 0, 0.3, 0, *-quat]))


def test_joint_velocities(tmp_path):
    seen = View(load_text(tmp_path, ARM))(qvel=[1.0, -2.0, 3.0, -4.0, 5.0, 6.0, 7.0])
    expected = {
        "limited": [("x", 1.0 * PER_RADIAN_A_SECOND)],
        "endless": [("x", -2.0 * PER_RADIAN_A_SECOND)],
        "rail": [("x", 3.0 * PER_METRE_A_SECOND)],
        "track": [("x", -4.0 * PER_METRE_A_SECOND)],
        "ball": [(axis, rate * PER_RADIAN_A_SECOND) for axis, rate in zip("xyz", (5.0, 6.0, 7.0), strict=True)],
    }
    names = {f"joint/{joint}/velocity_{axis}": value for joint, pairs in expected.items() for axis, value in pairs}
    assert names.keys() == {name for name in seen if name.startswith("joint/") and "velocity" in name}
    for name, value in names.items():
        assert seen[name] == pytest.approx(value, abs=1e-6), name


def test_last_control_over_its_range_and_activation(tmp_path):
    view = View(load_text(tmp_path, ARM))
    seen = view(ctrl=[4.0, 0.25, -0.5, 0.5, 3.0], act=[0.125])
    controls = {"m0": 0.5, "m1": -0.5, "m2": -0.5, "m3": 0.5, "m4": 1.0}  # the last one is beyond -1 to 1
    for actuator, value in controls.items():
        assert seen[f"actuator/{actuator}/control"] == pytest.approx(value, abs=1e-6)
    assert seen["actuator/m3/activation"] == pytest.approx(0.125)
    assert [name for name in seen if name.endswith("activation")] == ["actuator/m3/activation"]


def test_every_activation_is_its_own_actuators(tmp_path):
    seen = View(load_text(tmp_path, robots.ACTIVATIONS))(act=[0.1, 0.2, 0.3])
    values = {name.split("/")[1]: value for name, value in seen.items() if name.endswith("/activation")}
    assert values == pytest.approx({"filter": 0.1, "integrator": 0.2, "muscle": 0.3})


@pytest.mark.parametrize("limits", ["-1 1", "0 1", "-100 100", "-3 -1.2", "2 50"])
def test_last_control_is_seen_whatever_the_range(tmp_path, limits):
    """As of a position servo whose joint does not pass through 0, a knee for one."""
    view = View(load_text(tmp_path, ARM.replace('ctrlrange="-2 6"', f'ctrlrange="{limits}"')))
    low, high = map(float, limits.split())
    seen = [view(ctrl=[value, 0, 0, 0, 0]).get("actuator/m0/control") for value in (low, high)]
    assert seen == [-1.0, 1.0]


# --- velocities of bodies, against finite differences -----------------------------------------------------


def moved(model, data, seconds):
    """The poses that the velocity of ``data`` leads to: (centres of mass, rotations)."""
    other = mujoco.MjData(model)
    other.qpos[:] = data.qpos
    mujoco.mj_integratePos(model, other.qpos, data.qvel, seconds)
    mujoco.mj_kinematics(model, other)
    return other.xipos.copy(), other.xmat.reshape(-1, 3, 3).copy()


def velocities(model, data, step=1e-5):
    """Central differences: (nbody, 3) of the centres of mass, (nbody, 3) angular; in the world's axes."""
    before, rotation_before = moved(model, data, -step)
    after, rotation_after = moved(model, data, step)
    between = (rotation_before + rotation_after) / 2
    spin = np.einsum("nij,nkj->nik", rotation_after - rotation_before, between) / 2 / step
    angular = np.stack([spin[:, 2, 1], spin[:, 0, 2], spin[:, 1, 0]], axis=1)
    return (after - before) / 2 / step, angular


def heading(data, root, turns):
    """World to heading frame: the root's own x axis, seen from above, becomes x."""
    if not turns:
        return np.eye(3)
    yaw = np.arctan2(data.xmat[root, 3], data.xmat[root, 0])
    return np.array([[np.cos(yaw), np.sin(yaw), 0], [-np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])


MOVERS = [("gymnasium:ant", True), ("humanoid", True), ("gymnasium:half_cheetah", False), ("gymnasium:pusher", False)]


@pytest.mark.parametrize(("name", "turns"), [*MOVERS, ("balls", True)])
def test_bodies_move_as_finite_differences_say(tmp_path, name, turns):
    body = load_text(tmp_path, robots.BALLS) if name == "balls" else load_body(name)
    model, view, root = body.model, View(body), body.graph.root_body
    for seed in range(5):
        data = robots.random_state(model, seed)
        seen = view.of(data)
        mujoco.mj_kinematics(model, data)
        frame = heading(data, root, turns)
        linear, angular = velocities(model, data)
        values = {}
        for index, label in zip(body.graph.body_ids, body.graph.body_names, strict=True):
            prefix = "root/root" if index == root else f"body/{label}"
            vectors = {
                "position": frame @ (data.xipos[index] - data.xpos[root]),
                "velocity": frame @ (linear[index] - (0 if index == root else linear[root])) * PER_METRE_A_SECOND,
                "angular_velocity": frame @ angular[index] * PER_RADIAN_A_SECOND,
            }
            rotation = frame @ data.xmat[index].reshape(3, 3)
            for i, axis in enumerate("xyz"):
                values |= {f"{prefix}/{kind}_{axis}": vector[i] for kind, vector in vectors.items()}
                values |= {f"{prefix}/orientation_{axis}{column}": rotation[i, j] for j, column in enumerate("xy")}
        entries = [name for name in seen if name.startswith(("root/", "body/")) and name != "root/root/height"]
        assert len(entries) > 5
        for entry in entries:
            assert seen[entry] == pytest.approx(values[entry], abs=2e-5), entry


# --- which entries there are ------------------------------------------------------------------------------


def test_hopper_has_exactly_the_entries_of_its_plane(views):
    pose = ["position_x", "position_z"]
    plane = ["orientation_xx", "orientation_zx", "velocity_x", "velocity_z", "angular_velocity_y"]
    expected = {f"root/root/{slot}" for slot in ["height", *plane]}
    expected |= {f"body/{body}/{slot}" for body in ("thigh", "leg", "foot") for slot in pose + plane}
    for joint in ("thigh_joint", "leg_joint", "foot_joint"):
        expected |= {f"joint/{joint}/position", f"joint/{joint}/velocity_x"}
    names = views("gymnasium:hopper").names
    expected |= {name for name in names if name.startswith("actuator/") and name.endswith("/control")}
    expected |= {"task/task/direction_x", "task/task/direction_y"}
    assert set(names) == expected
    assert len(names) == 6 + 3 * 7 + 3 * 2 + 3 + 2


def test_a_fixed_base_has_no_height_or_root_motion(views):
    root = [name for name in views("gymnasium:reacher").names if name.startswith("root/")]
    # reacher's root is its first link, which turns about a driven vertical hinge
    assert not {"root/root/height", "root/root/velocity_z", "root/root/angular_velocity_x"} & set(root)


def test_entries_of_an_ant_count_up(views):
    names = views("gymnasium:ant").names
    # yaw is taken out, so the root's xmat loses no column but its turn; 8 moving bodies, 8 hinges, 8 motors
    assert sum(name.startswith("body/") for name in names) == 8 * 15
    assert sum(name.startswith("joint/") for name in names) == 8 * 2
    assert sum(name.startswith("actuator/") for name in names) == 8
    assert not any("root" in name for name in names if name.startswith("joint/"))


@pytest.mark.parametrize("suite", suite_names())
def test_names_are_unique_and_entries_in_bounds_for_every_suite_body(suite):
    folder = next(folder for folder in suite_folders() if folder.name == suite)
    for path in sorted(folder.glob("*.xml"))[:: 15 if suite == "creatures" else 3]:
        view = View(load_body(path))
        assert len(set(view.names)) == len(view.names), path.stem
        data = robots.random_state(view.model, 0)
        data.qvel[:] = 1e6 * np.sign(data.qvel)
        command = AHEAD if suite != "arms" else np.array([0.3, -0.2, 0.1])
        values = np.array(list(view.of(data, command).values()))
        assert np.isfinite(values).all()
        assert np.abs(values).max() == 10.0


def test_names_are_unique_where_the_file_names_some(tmp_path):
    text = """<mujoco><worldbody><geom type="plane" size="0 0 1"/><body name="body2"><freejoint/><geom size=".1"/>
      <body pos=".2 0 0"><joint name="joint2" axis="0 1 0"/><geom size=".1"/>
        <body pos=".2 0 0"><joint axis="0 1 0"/><geom size=".1"/></body></body></body></worldbody>
      <actuator><motor name="actuator1" joint="joint2"/><motor joint="joint2"/></actuator></mujoco>"""
    names = View(load_text(tmp_path, text)).names
    assert len(set(names)) == len(names)
