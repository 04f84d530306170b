"""Policy: what a hypernetwork emits, its file format, and that the order of a robot's file does not matter."""

import json
import shutil
import subprocess
import sys

import mujoco
import numpy as np
import pytest
import robots
import torch
from safetensors.numpy import load_file, save_file
from torch import nn

from morphnet.bodies import load_body
from morphnet.bodies.body import body_path
from morphnet.errors import CheckpointError, MorphNetError
from morphnet.policy import Policy


@pytest.fixture(scope="module")
def policy(hypernetwork):
    return hypernetwork.generate(load_body("gymnasium:ant"))


def actions(policy, count=20):
    return np.array([policy.act(robots.random_state(policy.body.model, seed)) for seed in range(count)])


@pytest.fixture
def saved(policy, tmp_path):
    folder = tmp_path / "policy"
    policy.save(folder)
    return folder


# --- the network --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gymnasium:hopper", "gymnasium:ant", "humanoid", "swimmer_six"])
def test_mean_is_a_plain_torch_network(hypernetwork, name):
    policy = hypernetwork.generate(load_body(name))
    actor, body = policy.actor, policy.body
    sizes = [(w.shape[1], w.shape[0]) for w in actor.weights]
    assert sizes[0][0] == len(policy.observation_names)
    assert sizes[2][1] == body.model.nu
    layers = [nn.Linear(*size) for size in sizes]
    with torch.no_grad():
        for layer, weight, bias in zip(layers, actor.weights, actor.biases, strict=True):
            layer.weight.copy_(torch.from_numpy(weight))
            layer.bias.copy_(torch.from_numpy(bias))
    network = nn.Sequential(layers[0], nn.Tanh(), layers[1], nn.Tanh(), layers[2])
    observation = np.random.default_rng(0).normal(size=(50, sizes[0][0])).astype(np.float32)
    expected = network(torch.from_numpy(observation)).detach().numpy()
    assert expected.std() > 1e-2
    np.testing.assert_allclose(actor.mean(observation), expected, atol=1e-6 * max(1.0, np.abs(expected).max()), rtol=0)
    alone = np.array([actor.mean(row) for row in observation])
    np.testing.assert_allclose(alone, expected, atol=1e-6 * max(1.0, np.abs(expected).max()), rtol=0)
    assert actor.log_std.shape == (body.model.nu,)
    assert all(array.dtype == np.float32 for array in (*actor.weights, *actor.biases, actor.log_std))


def test_act_is_observe_then_mean_then_scale(policy):
    data = robots.random_state(policy.body.model, 3)
    mean = policy.actor.mean(policy.observe(data))
    low, high = robots.control_range(policy.body.model)
    np.testing.assert_allclose(policy.act(data), np.clip(mean, low, high), atol=1e-7)  # the ant's range is -1 to 1


def test_company_does_not_matter(hypernetwork):
    """A policy is the same whether its body is the only one asked for or the smallest of many."""
    bodies = [load_body(name) for name in ("gymnasium:hopper", "gymnasium:humanoid", "hopper_five", "gymnasium:ant")]
    together = hypernetwork.generate_all(bodies)
    for body, among in zip(bodies, together, strict=True):
        np.testing.assert_allclose(actions(hypernetwork.generate(body), 5), actions(among, 5), atol=1e-6)
    assert [policy.body.name for policy in together] == [body.name for body in bodies]


def test_generating_twice_gives_the_same_bits(hypernetwork):
    body = load_body("gymnasium:walker2d_v5")
    first, second = (hypernetwork.generate(body).actor for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first.weights, second.weights, strict=True))


def test_a_hypernetwork_for_other_features_refuses(hypernetwork):
    features = dict(hypernetwork.record["features"])
    hypernetwork.record["features"] = {**features, "joint": features["joint"] + 1}
    try:
        with pytest.raises(CheckpointError, match="physical features"):
            hypernetwork.generate(load_body("hopper"))
    finally:
        hypernetwork.record["features"] = features


# --- the folder ---------------------------------------------------------------------------------------------


def test_round_trip_gives_identical_actions_and_survives_a_move(policy, saved, tmp_path):
    moved = tmp_path / "far" / "away"
    shutil.copytree(saved, moved)
    shutil.rmtree(saved)
    again = Policy.load(moved)
    assert np.array_equal(actions(again), actions(policy))
    assert again.body.name == "gymnasium:ant"
    assert again.body.task == policy.body.task
    assert again.observation_names == policy.observation_names
    assert again.origin == policy.origin


def test_the_folder_holds_three_files_and_its_record_says_what(policy, saved):
    assert sorted(path.name for path in saved.iterdir()) == ["body.xml", "policy.json", "policy.safetensors"]
    record = json.loads((saved / "policy.json").read_text())
    assert record["body"]["name"] == "gymnasium:ant"
    assert record["body"]["sha256"] == policy.body.source.sha256
    assert record["actuators"] == [f"{joint}_{leg}" for leg in (4, 1, 2, 3) for joint in ("hip", "ankle")]
    assert record["control_step"] == pytest.approx(0.05)
    tensors = load_file(saved / "policy.safetensors")
    assert len(record["observation"]) == tensors["hidden1.weight"].shape[1]
    assert tensors["output.weight"].shape[0] == len(record["actuators"])
    np.testing.assert_array_equal(tensors["output.bias"], policy.actor.biases[2])


def test_a_fresh_process_acts_alike(policy, saved, tmp_path):
    data = robots.random_state(policy.body.model, 1)
    np.savez(tmp_path / "state.npz", qpos=data.qpos, qvel=data.qvel, ctrl=data.ctrl)
    code = f"""
import mujoco, numpy as np
from morphnet import Policy
policy, state = Policy.load({str(saved)!r}), np.load({str(tmp_path / "state.npz")!r})
data = mujoco.MjData(policy.body.model)
data.qpos[:], data.qvel[:], data.ctrl[:] = state["qpos"], state["qvel"], state["ctrl"]
print(policy.act(data).tobytes().hex())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    other = np.frombuffer(bytes.fromhex(done.stdout.strip()))
    # the same machine code on the same numbers, but alignment may pick other kernels of the matrix product
    np.testing.assert_allclose(other, policy.act(data), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["hopper_long_leg", "no floor", "mesh"])
def test_round_trip_of_bodies_of_other_sources(hypernetwork, tmp_path, name):
    path = tmp_path / "robot.xml"
    if name == "mesh":
        (tmp_path / "t.obj").write_text("v 0 0 0\nv .2 0 0\nv 0 .3 0\nv 0 0 .4\nf 1 3 2\nf 1 2 4\nf 2 3 4\nf 3 1 4\n")
        mesh = '<asset><mesh name="t" file="t.obj"/></asset>'
        text = robots.ACTIVATIONS.replace("<worldbody>", f"{mesh}<worldbody>")
        path.write_text(text.replace('<geom size=".04"/>', '<geom type="mesh" mesh="t"/>'))
    else:
        path.write_text(robots.WALKER_WITHOUT_FLOOR)
    policy = hypernetwork.generate(load_body(path if name != "hopper_long_leg" else name))
    policy.save(tmp_path / "policy")
    path.unlink()
    (tmp_path / "t.obj").unlink(missing_ok=True)
    assert np.array_equal(actions(Policy.load(tmp_path / "policy")), actions(policy))


def test_saving_over_another_policy_replaces_it(hypernetwork, policy, saved):
    other = hypernetwork.generate(load_body("gymnasium:hopper"))
    other.save(saved)
    assert np.array_equal(actions(Policy.load(saved)), actions(other))


def test_a_folder_that_cannot_be_made_is_named(policy, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MorphNetError, match=r"file") as caught:
        policy.save(tmp_path / "file" / "policy")
    assert "\n" not in str(caught.value)


# --- damage -------------------------------------------------------------------------------------------------


def truncate(path, share=0.5):
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def edit_json(folder, **changes):
    path = folder / "policy.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def edit_tensors(folder, change):
    tensors = load_file(folder / "policy.safetensors")
    change(tensors)
    save_file(tensors, folder / "policy.safetensors")


DAMAGE = {
    "no folder": shutil.rmtree,
    "no record": lambda folder: (folder / "policy.json").unlink(),
    "no weights": lambda folder: (folder / "policy.safetensors").unlink(),
    "no body": lambda folder: (folder / "body.xml").unlink(),
    "half of the weights": lambda folder: truncate(folder / "policy.safetensors"),
    "a few bytes of the weights": lambda folder: truncate(folder / "policy.safetensors", 0.001),
    "empty weights": lambda folder: truncate(folder / "policy.safetensors", 0),
    "weights of rubbish": lambda folder: (folder / "policy.safetensors").write_bytes(bytes(range(256)) * 40),
    "half of the record": lambda folder: truncate(folder / "policy.json"),
    "half of the body": lambda folder: truncate(folder / "body.xml"),
    "a list for a record": lambda folder: (folder / "policy.json").write_text("[]"),
    "bytes for a record": lambda folder: (folder / "policy.json").write_bytes(b"\xff\xfe\x00"),
    "another format": lambda folder: edit_json(folder, format=2),
    "other observations": lambda folder: edit_json(folder, observation=["root/root/height"]),
    "a missing tensor": lambda folder: edit_tensors(folder, lambda t: t.pop("output.bias")),
    "an unknown task": lambda folder: edit_json(folder, task={"frame_skipp": 4}),
}
QUIETER = {
    "no body in the record": lambda folder: edit_json(folder, body={}),
    "no task in the record": lambda folder: edit_json(folder, task=None),
    "no origin in the record": lambda folder: (folder / "policy.json").write_text(
        json.dumps({k: v for k, v in json.loads((folder / "policy.json").read_text()).items() if k != "origin"})
    ),
    "weights of another robot": lambda folder: edit_tensors(
        folder, lambda t: t.update({"hidden1.weight": t["hidden1.weight"][:, :-1].copy()})
    ),
    "layers that do not fit": lambda folder: edit_tensors(
        folder, lambda t: t.update({"hidden2.weight": t["hidden2.weight"][:-1].copy()})
    ),
    "too few actuators": lambda folder: edit_tensors(
        folder,
        lambda t: t.update({"output.weight": t["output.weight"][:-1].copy(), "output.bias": t["output.bias"][:-1]}),
    ),
    "weights that are not numbers": lambda folder: edit_tensors(folder, lambda t: t["output.bias"].fill(np.nan)),
    "another body than was hashed": lambda folder: (folder / "body.xml").write_text(
        (folder / "body.xml").read_text().replace('density="5.0"', 'density="50.0"')
    ),
}


ODD = {
    "a layer that lost a dimension": lambda folder: edit_tensors(
        folder, lambda t: t.update({"output.weight": t["output.weight"].ravel()})
    ),
    "a bias of no dimension": lambda folder: edit_tensors(
        folder, lambda t: t.update({"output.bias": np.array(1.0, np.float32)})
    ),
    "noise that is not a number": lambda folder: edit_tensors(folder, lambda t: t["log_std"].fill(np.nan)),
    "a number for the body's file": lambda folder: edit_json(
        folder, body={**json.loads((folder / "policy.json").read_text())["body"], "file": 3}
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_reported_in_one_line_that_names_the_folder(saved, damage):
    DAMAGE[damage](saved)
    with pytest.raises(MorphNetError) as caught:
        Policy.load(saved)
    message = str(caught.value)
    assert message.startswith(str(saved))
    assert "\n" not in message
    if "body" not in damage and "task" not in damage:
        assert isinstance(caught.value, CheckpointError)


@pytest.mark.parametrize("damage", [*QUIETER, *ODD])
def test_quieter_damage_is_reported_too(saved, damage):
    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    {**QUIETER, **ODD}[damage](saved)
    assert {path.name: path.read_bytes() for path in saved.iterdir()} != before
    with pytest.raises(CheckpointError) as caught:
        Policy.load(saved)
    assert "\n" not in str(caught.value)


def test_nothing_is_left_behind_by_a_save(saved):
    assert not [path for path in saved.iterdir() if path.name.startswith(".")]


# --- order ----------------------------------------------------------------------------------------------------

REORDERED = [
    *(f"gymnasium:{name}" for name in ("hopper", "walker2d_v5", "half_cheetah", "ant", "humanoid")),
    *("hexapod", "quadruped_no_front_left_shin", "biped_heavy", "humanoid_no_left_arm", "humanoid2d", "cheetah"),
    *("walker_no_left_foot", "hopper_five"),
]


def joint_addresses(model):
    """Joint name -> where its position and its velocity lie."""
    widths = {0: (7, 6), 1: (4, 3), 2: (1, 1), 3: (1, 1)}
    where = {}
    for joint in range(model.njnt):
        nq, nv = widths[int(model.jnt_type[joint])]
        q, v = model.jnt_qposadr[joint], model.jnt_dofadr[joint]
        where[model.joint(joint).name] = (np.arange(q, q + nq), np.arange(v, v + nv))
    return where


def same_state(model, data, other):
    """``data``'s state, in the order of the model ``other``."""
    copy = mujoco.MjData(other)
    theirs = joint_addresses(other)
    for name, (qpos, qvel) in joint_addresses(model).items():
        copy.qpos[theirs[name][0]], copy.qvel[theirs[name][1]] = data.qpos[qpos], data.qvel[qvel]
    for actuator in range(model.nu):
        copy.ctrl[other.actuator(model.actuator(actuator).name).id] = data.ctrl[actuator]
    return copy


@pytest.mark.parametrize("name", REORDERED)
def test_the_order_in_the_file_changes_no_action(hypernetwork, tmp_path, name):
    texts = robots.both_orders(body_path(name).read_text())
    task = load_body(name).task
    bodies = []
    for label, text in zip(("first", "second"), texts, strict=True):
        path = tmp_path / f"{label}.xml"
        path.write_text(text)
        bodies.append(load_body(path, task))
    first, second = (hypernetwork.generate(body) for body in bodies)
    one, two = (body.model for body in bodies)
    order = [two.actuator(one.actuator(i).name).id for i in range(one.nu)]
    assert order == list(range(one.nu))[::-1]
    seen = []
    for seed in range(10):
        data = robots.random_state(one, seed)
        mirrored = same_state(one, data, two)
        expected, got = first.act(data), second.act(mirrored)[order]
        low, high = robots.control_range(one)
        seen.append(expected)
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6)
        assert np.abs(expected - second.act(mirrored)).max() > 1e-4 * (high - low).max(), "the order must matter here"
    free = np.abs(np.array(seen)) < 0.999 * np.abs(high)
    assert free.mean() > 0.3, "actions at the ends of their range would hide differences"
    assert np.array(seen).std(axis=0).min() > 1e-3, "actions follow the state"
