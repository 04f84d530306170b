"""Exports act as the policy does, in software that has never heard of MorphNet."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
import robots

from morphnet import cli
from morphnet.bodies import load_body
from morphnet.errors import MorphNetError
from morphnet.export import export, export_policy
from morphnet.policy import Policy

BAN = "import sys; sys.modules.update({'morphnet': None})\n"
BODIES = ["gymnasium:hopper", "activations"]
"""Control ranges of [-1, 1], and ranges that do not lie about zero."""


def named(name, tmp_path):
    if name != "activations":
        return load_body(name)
    (tmp_path / "activations.xml").write_text(robots.ACTIVATIONS)
    return load_body(tmp_path / "activations.xml")


def loud(hypernetwork, body):
    """A policy whose mean actions leave [-1, 1] at some states, for clipping to matter."""
    policy = hypernetwork.generate(body)
    first, second, third = policy.actor.weights
    return Policy(body, dataclasses.replace(policy.actor, weights=(first, second, 10 * third)), policy.origin)


@pytest.fixture
def policy(request, hypernetwork, tmp_path):
    return loud(hypernetwork, named(request.param, tmp_path))


def states(policy, tmp_path, count=30):
    """Observations and controls of ``Policy.act`` at random states, written to a file; some controls are clipped."""
    found = [robots.random_state(policy.body.model, seed) for seed in range(count)]
    observation = np.array([policy.observe(data) for data in found])
    ctrl = np.array([policy.act(data) for data in found])
    np.savez(tmp_path / "states.npz", observation=observation, ctrl=ctrl)
    return tmp_path / "states.npz"


def run_without_morphnet(code, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", BAN + code, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


SB3 = """
import gymnasium, numpy as np
from stable_baselines3 import PPO
zip_file, states = sys.argv[1:]
states = np.load(states)
model = PPO.load(zip_file, device="cpu")
ctrl, _ = model.predict(states["observation"], deterministic=True)
half = (model.action_space.high - model.action_space.low) / 2
assert np.abs((ctrl - states["ctrl"]) / half).max() < 1e-5

class Anything(gymnasium.Env):
    observation_space, action_space = model.observation_space, model.action_space

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        return self.observation_space.sample(), {}

    def step(self, action):
        assert self.action_space.contains(action)
        cost, ended = float(np.square(action).sum()), self.np_random.random() < 0.1
        return self.observation_space.sample(), -cost, ended, False, {}

before = [p.detach().clone() for p in model.policy.parameters()]
model = PPO.load(zip_file, env=Anything(), n_steps=64, device="cpu")
model.learn(256)
assert any((a != b).any() for a, b in zip(before, model.policy.parameters()))
print(type(model.policy).__name__, model.gamma, model.num_timesteps, *model.policy.log_std.shape)
"""


@pytest.mark.parametrize("policy", BODIES, indirect=True)
def test_sb3_loads_it_acts_alike_and_trains_on_without_morphnet(policy, tmp_path):
    export_policy(policy, "sb3", tmp_path / "policy.zip")
    out = run_without_morphnet(SB3, tmp_path / "policy.zip", states(policy, tmp_path))
    expected = ["ActorCriticPolicy", str(policy.body.task.discount), "256", str(policy.body.model.nu)]
    assert out.split() == expected


def test_sb3_drives_gymnasiums_own_environment_as_the_policy_does(hypernetwork, tmp_path):
    """The exploration, too, is the policy's: its standard deviation in MuJoCo's units."""
    from stable_baselines3 import PPO

    from morphnet.envs import RunEnv, make_vec

    policy = loud(hypernetwork, named("activations", tmp_path))
    export_policy(policy, "sb3", tmp_path / "policy.zip")
    model = PPO.load(tmp_path / "policy.zip", device="cpu")
    low, high = policy.body.model.actuator_ctrlrange.T
    limited = policy.body.model.actuator_ctrllimited.astype(bool)
    half = np.where(limited, (high - low) / 2, 1.0)
    std = np.exp(policy.actor.log_std) * half
    np.testing.assert_allclose(model.policy.log_std.exp().detach(), std, rtol=1e-5)
    env = RunEnv(policy.body)
    assert (model.observation_space, model.action_space) == (env.observation_space, env.action_space)
    PPO.load(tmp_path / "policy.zip", env=make_vec(policy.body, 2), n_steps=32, device="cpu").learn(64)


ONNX = """
import json, numpy as np, onnxruntime
file, states = sys.argv[1:]
states = np.load(states)
session = onnxruntime.InferenceSession(file)
ctrl, = session.run(["ctrl"], {"observation": states["observation"]})
one, = session.run(None, {"observation": states["observation"][:1]})
assert np.abs(one - ctrl[:1]).max() < 1e-6
low, high = states["ctrl"].min(axis=0), states["ctrl"].max(axis=0)
assert np.abs(ctrl - states["ctrl"]).max() < 1e-5 * max(1, (high - low).max())
print(json.dumps(session.get_modelmeta().custom_metadata_map))
"""


@pytest.mark.parametrize("policy", BODIES, indirect=True)
def test_onnx_runtime_acts_alike(policy, tmp_path):
    pytest.importorskip("onnxruntime")
    export_policy(policy, "onnx", tmp_path / "policy.onnx")
    metadata = json.loads(run_without_morphnet(ONNX, tmp_path / "policy.onnx", states(policy, tmp_path)))
    assert metadata["body_sha256"] == policy.body.source.sha256
    assert json.loads(metadata["observation"]) == list(policy.observation_names)
    model = policy.body.model
    names = [model.actuator(i).name or model.joint(model.actuator_trnid[i, 0]).name for i in range(model.nu)]
    assert json.loads(metadata["actuators"]) == names
    assert float(metadata["control_step"]) == policy.body.control_step


def test_some_controls_of_these_states_are_clipped_and_some_are_not(hypernetwork, tmp_path):
    """Otherwise the tests above would not see clipping left out."""
    policy = loud(hypernetwork, named("activations", tmp_path))
    ctrl = np.load(states(policy, tmp_path))["ctrl"]
    low, high = policy.body.model.actuator_ctrlrange.T
    at_end = np.isclose(ctrl, low) | np.isclose(ctrl, high)
    assert at_end.any()
    assert not at_end.all()


@pytest.mark.parametrize("policy", ["gymnasium:hopper"], indirect=True)
@pytest.mark.parametrize("format", ["sb3", "onnx"])
def test_without_parity_nothing_is_written(policy, tmp_path, monkeypatch, format):
    suffix, write = export.FORMATS[format]

    def off(given, path):
        predict = write(given, path)
        return lambda observation: predict(observation) + np.float32(1e-3)

    monkeypatch.setitem(export.FORMATS, format, (suffix, off))
    out = tmp_path / "new" / f"policy{suffix}"
    with pytest.raises(MorphNetError, match=r"not written.*5e-04|not written.*0\.0005"):
        export_policy(policy, format, out)
    assert list(out.parent.iterdir()) == []


@pytest.fixture
def command(monkeypatch, capfd):
    """Return a function that runs ``morphnet export`` and gives exit code, output and errors."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["morphnet", "export", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code
        return (code, *capfd.readouterr())

    return run


@pytest.mark.parametrize("policy", ["gymnasium:hopper"], indirect=True)
def test_the_command(policy, tmp_path, command):
    policy.save(tmp_path / "policy")
    code, out, _ = command(tmp_path / "policy", "--format=sb3", "--out", tmp_path / "p.zip", "--json=-")
    report = json.loads(out)
    assert code == 0
    assert report["difference"] < 1e-6
    assert (report["body"], report["action_size"]) == ("gymnasium:hopper", 3)
    assert report["observation_size"] == len(policy.observation_names)
    assert (tmp_path / "p.zip").is_file()


@pytest.mark.parametrize("policy", ["gymnasium:hopper"], indirect=True)
def test_faults_are_one_line(policy, tmp_path, command, monkeypatch):
    policy.save(tmp_path / "policy")
    for arguments, helps in (
        (["nowhere", "--format=sb3", "--out=x.zip"], "nowhere"),
        ([tmp_path / "policy", "--format=sb3", "--out", tmp_path / "x.onnx"], "writes .zip files"),
        ([tmp_path / "policy", "--format=onnx", "--out", tmp_path / "x"], "writes .onnx files"),
        ([tmp_path / "policy", "--format=onxx", "--out", tmp_path / "x"], "sb3"),
    ):
        code, _, err = command(*arguments)
        assert code == 2
        assert helps in err
        assert err.count("\n") == 1
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    code, _, err = command(tmp_path / "policy", "--format=onnx", "--out", tmp_path / "x.onnx")
    assert code == 2
    assert 'pip install "morphnet[onnx]"' in err
    assert [path.name for path in tmp_path.iterdir()] == ["policy"]
