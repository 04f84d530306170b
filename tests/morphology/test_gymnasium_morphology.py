from pathlib import Path

import gymnasium
import mujoco
import numpy as np
import pytest

from morphnet.morphology import EdgeKind, base_from_graph, graph_from_model

ASSETS = Path(gymnasium.__file__).parent / "envs" / "mujoco" / "assets"

# Counted by hand in the MJCF files: bodies, joints and actuators of the robot, and its edges: every body but
# the root to its parent, every joint to its body, every motor to its joint.
COUNTS = {
    "ant": (1 + 4 * 3, 1 + 8, 8, 12 + 9 + 8),
    "half_cheetah": (7, 3 + 6, 6, 6 + 9 + 6),
    "hopper": (4, 3 + 3, 3, 3 + 6 + 3),
    "humanoid": (13, 1 + 17, 17, 12 + 18 + 17),
    "humanoidstandup": (13, 1 + 17, 17, 12 + 18 + 17),
    "inverted_double_pendulum": (3, 3, 1, 2 + 3 + 1),
    "inverted_pendulum": (2, 2, 1, 1 + 2 + 1),
    "point": (1, 3, 2, 0 + 3 + 2),
    "pusher": (10, 7, 7, 9 + 7 + 7),  # without the object and the goal, which are bodies with slides
    "pusher_v5": (10, 7, 7, 9 + 7 + 7),
    "reacher": (3, 2, 2, 2 + 2 + 2),  # without the target
    "swimmer": (3, 3 + 2, 2, 2 + 5 + 2),
    "walker2d": (7, 3 + 6, 6, 6 + 9 + 6),
    "walker2d_v5": (7, 3 + 6, 6, 6 + 9 + 6),
}


def load(name):
    return mujoco.MjModel.from_xml_path(str(ASSETS / f"{name}.xml"))


def test_every_shipped_body_is_counted():
    assert set(COUNTS) == {path.stem for path in ASSETS.glob("*.xml")}


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_tokens_and_edges(name):
    graph = graph_from_model(load(name))
    bodies, joints, actuators, edges = COUNTS[name]
    assert (graph.num_bodies, graph.num_joints, graph.num_actuators) == (bodies, joints, actuators)
    assert graph.num_tokens == bodies + joints + actuators
    assert len(graph.edges) == edges
    assert np.count_nonzero(graph.edges[:, 2] == EdgeKind.JOINT_ACTUATOR) == actuators
    for features in (graph.body_features, graph.joint_features, graph.actuator_features):
        assert features.dtype == np.float32
        assert np.abs(features).max() < 5.0


def test_ant_motors_are_joined_to_the_joints_they_name():
    graph = graph_from_model(load("ant"))
    joints = [graph.joint_names[joint] for _, joint in graph.actuator_joints]
    assert joints == ["hip_4", "ankle_4", "hip_1", "ankle_1", "hip_2", "ankle_2", "hip_3", "ankle_3"]
    leg = graph.body_names.index("front_left_leg")
    assert graph.body_names[graph.body_parent[leg]] == "torso"


@pytest.mark.parametrize(
    ("name", "roots"),
    [
        ("ant", ["root"]),
        ("hopper", ["rootx", "rootz", "rooty"]),
        ("swimmer", ["slider1", "slider2", "free_body_rot"]),
        ("inverted_pendulum", []),  # the cart's slide is driven
        ("point", ["bally"]),  # the other two are driven
        ("reacher", []),
    ],
)
def test_root_joints(name, roots):
    graph = graph_from_model(load(name))
    names = dict(zip(graph.joint_ids, graph.joint_names, strict=True))
    assert [names[joint] for joint in graph.root_joint_ids] == roots


def test_base_of_ant_is_its_free_joint():
    model = load("ant")
    base = base_from_graph(model, graph_from_model(model))
    assert base.can_yaw
    assert (base.x_qpos, base.y_qpos, base.z_qpos, base.pitch_qpos) == (0, 1, 2, None)
    assert (base.x_dof, base.y_dof, base.z_dof, base.pitch_dof) == (0, 1, 2, None)


def test_base_of_hopper_moves_in_a_plane():
    model = load("hopper")
    base = base_from_graph(model, graph_from_model(model))
    assert not base.can_yaw
    assert (base.x_qpos, base.y_qpos, base.z_qpos, base.pitch_qpos) == (0, None, 1, 2)


def test_base_of_swimmer_yaws_on_the_ground():
    model = load("swimmer")
    base = base_from_graph(model, graph_from_model(model))
    assert base.can_yaw
    assert (base.x_qpos, base.y_qpos, base.z_qpos, base.pitch_qpos) == (0, 1, None, None)


def test_base_of_an_arm_is_fixed():
    model = load("pusher")
    base = base_from_graph(model, graph_from_model(model))
    assert not base.can_yaw
    assert (base.x_qpos, base.y_qpos, base.z_qpos, base.pitch_qpos) == (None, None, None, None)
