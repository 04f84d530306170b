"""How two tokens of a robot are related: small graphs by hand, and limbs that coincide and have no names."""

from __future__ import annotations

import re
from pathlib import Path

import gymnasium
import mujoco
import numpy as np
import pytest
import torch

from morphnet.bodies import load_body
from morphnet.config import NetworkConfig
from morphnet.embodiment import SLOT_TABLE, feature_sizes, tokens_of
from morphnet.networks import ActorHypernetwork, Tokens, stack_tokens
from morphnet.simulation import Kinematics, Observer, update_kinematics


def relations_by_name(name):
    """(token, token) -> relation of a Gymnasium body, tokens named "b:torso", "j:rootx", "a:0", "task"."""
    body = load_body(f"gymnasium:{name}")
    graph = body.graph
    names = [f"b:{n}" for n in graph.body_names] + [f"j:{n}" for n in graph.joint_names]
    names += [f"a:{i}" for i in range(graph.num_actuators)] + ["task"]
    relation = stack_tokens([tokens_of(body, Observer(body).layout)]).relation[0]
    return {(a, b): int(relation[i, j]) for i, a in enumerate(names) for j, b in enumerate(names)}


def test_hopper():
    see = relations_by_name("hopper")
    joints = ["j:thigh_joint", "j:leg_joint", "j:foot_joint"]
    bodies = ["b:torso", "b:thigh", "b:leg", "b:foot"]
    # the same place in the graph gives the same relation
    groups = {
        "self": [(n, n) for n in (*bodies, *joints, "a:0", "a:2", "task")],
        "parent sees child": [("b:torso", "b:thigh"), ("b:thigh", "b:leg"), ("b:leg", "b:foot")],
        "child sees parent": [("b:thigh", "b:torso"), ("b:leg", "b:thigh"), ("b:foot", "b:leg")],
        "body sees joint": [("b:torso", "j:rootx"), ("b:torso", "j:rooty"), ("b:thigh", joints[0])],
        "joint sees body": [("j:rootz", "b:torso"), (joints[0], "b:thigh"), (joints[1], "b:leg")],
        "joint sees actuator": [(joints[i], f"a:{i}") for i in range(3)],
        "actuator sees joint": [(f"a:{i}", joints[i]) for i in range(3)],
        "two apart": [("b:torso", "b:leg"), ("b:foot", "b:thigh"), ("a:0", "b:thigh"), ("j:rootx", "j:rooty")],
        "three apart": [("b:torso", "b:foot"), ("a:0", "b:torso"), ("a:1", "b:foot"), (joints[1], joints[2])],
        "four apart": [("a:0", joints[1]), ("a:2", joints[1]), (joints[0], "a:1"), (joints[0], joints[2])],
        "five apart": [("a:0", "a:1"), ("a:2", "a:1"), ("a:0", joints[2]), ("a:2", joints[0])],
        "six apart": [("a:0", "a:2"), ("a:2", "a:0")],
        "task": [("task", "b:torso"), ("b:foot", "task"), ("a:1", "task"), ("task", "j:rootx")],
    }
    ids = {}
    for group, pairs in groups.items():
        found = {see[pair] for pair in pairs}
        assert len(found) == 1, group
        ids[group] = found.pop()
    assert len(set(ids.values())) == len(groups), ids


def test_walker_tells_its_own_limb_from_the_other():
    see = relations_by_name("walker2d_v5")

    def mirror(name):
        if name.startswith("a:"):
            return f"a:{(int(name[2:]) + 3) % 6}"
        for part in ("thigh", "leg", "foot"):
            for suffix in ("_joint", ""):
                right, left = f"{part}{suffix}", f"{part}_left{suffix}"
                if name[2:] in (right, left):
                    return name[:2] + (left if name[2:] == right else right)
        return name

    assert mirror("j:leg_left_joint") == "j:leg_joint"
    assert any(mirror(a) != a for a, _ in see)
    for (a, b), relation in see.items():
        assert see[mirror(a), mirror(b)] == relation
    for actuator, joint in (("a:0", "j:thigh_joint"), ("a:1", "j:leg_joint"), ("a:1", "b:thigh"), ("a:2", "b:leg")):
        assert see[actuator, joint] != see[actuator, mirror(joint)]


def test_long_chains_and_strangers():
    count = 14
    features = {"body": np.zeros((count + 2, 1), np.float32), "task": np.zeros((1, 1), np.float32)}
    features |= {kind: np.zeros((0, 1), np.float32) for kind in ("joint", "actuator")}
    features = {kind: features[kind] for kind in ("body", "joint", "actuator", "task")}
    chain = [(i, i + 1, 0) for i in range(count - 1)] + [(count, count + 1, 0)]
    task = (np.array([4, 4]), np.array([0, 0]), np.array([0, 1]))  # all that this robot observes
    relation = stack_tokens([Tokens(features, np.array(chain), 0, *task, 0.02)]).relation[0].numpy()
    distances = {d: {relation[i, i + d] for i in range(count - d)} for d in range(1, count)}
    assert all(len(found) == 1 for found in distances.values())
    ids = [found.pop() for found in distances.values()]
    assert ids[:7] == list(dict.fromkeys(ids[:7])), "near distances differ"
    assert len(set(ids[7:])) == 1, "far ones are one relation"
    assert relation[0, count] == ids[-1], "which is that of parts that are not connected at all"
    assert ids[-1] not in ids[:7]


@pytest.fixture(scope="module")
def walker(tmp_path_factory):
    """Untrained actor of Gymnasium's walker, its bodies unnamed: a function from (qpos, qvel, ctrl) to its actions."""
    source = Path(gymnasium.__file__).parent / "envs" / "mujoco" / "assets" / "walker2d_v5.xml"
    file = tmp_path_factory.mktemp("walker") / "unnamed.xml"
    file.write_text(re.sub(r'<body name="[^"]*"', "<body", source.read_text()))
    body = load_body(str(file))
    observer, data = Observer(body), mujoco.MjData(body.model)
    tokens = tokens_of(body, observer.layout)
    torch.manual_seed(0)
    config = NetworkConfig(hidden=16, own=4, width=16, depth=2, heads=2)
    actor = ActorHypernetwork(feature_sizes(tokens), SLOT_TABLE, config)
    batch = stack_tokens([tokens]).to(torch.float64)
    with torch.no_grad():
        generated = actor.double()(batch)

    def act(qpos, qvel, ctrl):
        data.qpos[:], data.qvel[:], data.ctrl[:] = qpos, qvel, ctrl
        update_kinematics(body.model, data)
        observation = observer.observe(Kinematics.of_data(data), np.array([1.0, 0.0]))
        return generated.mean(torch.from_numpy(observation).double()[None])[0, 0].numpy()

    return act


def test_coincident_limbs_move_apart_and_swap(walker):
    rng = np.random.default_rng(0)
    for _ in range(5):
        qpos, qvel = rng.normal(size=9) * 0.3 + np.eye(9)[1] * 1.25, rng.normal(size=9)
        ctrl = rng.uniform(-1, 1, 6)
        actions = walker(qpos, qvel, ctrl)
        apart = np.abs(actions[:3] - actions[3:])
        assert apart.min() > 1e-6, "legs in different states must move differently"
        assert apart.max() > 1e-4
        swap, swap_ctrl = [0, 1, 2, 6, 7, 8, 3, 4, 5], [3, 4, 5, 0, 1, 2]
        swapped = walker(qpos[swap], qvel[swap], ctrl[swap_ctrl])
        np.testing.assert_allclose(swapped, actions[swap_ctrl], atol=1e-6)


def test_coincident_limbs_in_one_state_move_as_one(walker):
    leg = np.array([-0.3, -0.5, 0.1])
    actions = walker(np.array([0, 1.25, 0.1, *leg, *leg]), np.array([1, 0, 0, *leg, *leg]), np.array([*leg, *leg]))
    np.testing.assert_allclose(actions[:3], actions[3:], atol=1e-6)
