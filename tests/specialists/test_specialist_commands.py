"""``morphnet expert`` and ``morphnet finetune`` as users meet them."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import torch

from morphnet import cli, runs
from morphnet.bodies import load_body
from morphnet.embodiment import tokens_of
from morphnet.evaluation import PolicyController, evaluate
from morphnet.hypernetwork import SHIPPED, Hypernetwork
from morphnet.learning.checkpoint import load_checkpoint
from morphnet.networks import stack_tokens
from morphnet.policy import Policy
from morphnet.simulation import Observer
from morphnet.specialists import trainer


@pytest.fixture
def command(monkeypatch, tmp_path):
    """Return a function that runs a command and gives what --json wrote."""

    def run(*arguments):
        report = tmp_path / "report.json"
        monkeypatch.setattr(sys, "argv", ["morphnet", *map(str, arguments), f"--json={report}"])
        cli.main()
        return json.loads(report.read_text())

    return run


def assert_reported(report, policy, seed):
    expected = evaluate(policy.body, PolicyController(policy), runs.REPORT_EPISODES, seed)
    assert report["return_mean"] == pytest.approx(expected.returns.mean())
    assert report["episodes"] == runs.REPORT_EPISODES


def test_expert_then_finetune(command, puck_path, tmp_path):
    report = command("expert", puck_path, "--out", tmp_path / "expert", "--steps", 6000, "--seed", 3, "--threads", 1)
    expert = Policy.load(tmp_path / "expert")
    assert_reported(report, expert, 3)
    assert expert.origin["kind"] == "expert"
    arguments = ["--policy", tmp_path / "expert", "--out", tmp_path / "tuned", "--steps", 6000, "--threads", 1]
    report = command("finetune", puck_path, *arguments)
    assert_reported(report, Policy.load(tmp_path / "tuned"), 0)
    assert report["return_mean"] >= report["start"]["return_mean"]
    assert report["origin"]["start"]["kind"] == "expert"


def test_an_expert_of_a_changed_body_keeps_the_hash_and_names_the_change(command, puck, puck_path, tmp_path):
    (tmp_path / "dead.toml").write_text("[actuators]\nturn = 0\n")
    arguments = ["--steps", 1, "--threads", 1, "--change", tmp_path / "dead.toml"]
    report = command("expert", puck_path, "--out", tmp_path / "expert", *arguments)
    assert report["origin"]["change"]["name"] == "dead"
    assert Policy.load(tmp_path / "expert").body.source.sha256 == puck.source.sha256


def test_ctrl_c_leaves_a_policy(monkeypatch, puck_path, tmp_path, capsys):
    update = trainer.Specialist._one_update

    def interrupted(self):
        update(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(trainer.Specialist, "_one_update", interrupted)
    monkeypatch.setattr(sys, "argv", ["morphnet", "expert", str(puck_path), f"--out={tmp_path / 'expert'}"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 1
    assert np.isfinite(Policy.load(tmp_path / "expert").actor.weights[0]).all()
    assert "stopped; --out has kept the best policy" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["expert", "finetune"])
def test_a_policy_is_not_overwritten(monkeypatch, lazy, puck_path, tmp_path, capsys, name):
    mine = tmp_path / "mine"
    lazy.save(mine)
    before = {path.name: path.read_bytes() for path in mine.iterdir()}
    policy = ["--policy", str(mine)] if name == "finetune" else []
    monkeypatch.setattr(sys, "argv", ["morphnet", name, str(puck_path), "--out", str(mine), "--steps=1", *policy])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    assert f"{mine}: already holds a policy" in capsys.readouterr().err
    assert before == {path.name: path.read_bytes() for path in mine.iterdir()}


@pytest.mark.parametrize(
    ("arguments", "helps"),
    [
        (["expert", "hoper", "--out", "x"], "'hoper'"),
        (["expert", "hopper", "--out", "x", "--steps", "0"], "steps = 0"),
        (["expert", "hopper", "--out", "x", "--threads", "0"], "threads"),
        (["finetune", "hopper", "--out", "x", "--policy", "nowhere"], "nowhere"),
        (["finetune", "hopper", "--out", "x", "--policy", "random"], "random"),
    ],
)
def test_faults_are_one_line(monkeypatch, tmp_path, capsys, arguments, helps):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["morphnet", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert helps in line


def test_a_zero_shot_policy_brings_its_critic_along(command, monkeypatch, tmp_path):
    given = []
    monkeypatch.setattr(runs, "finetune", lambda start, *_, critic, **__: given.append(critic) or start)
    command("finetune", "hopper", "--out", tmp_path / "one", "--steps=1")
    body = load_body("hopper")
    Hypernetwork.load().generate(body).save(tmp_path / "policy")
    command("finetune", "hopper", "--policy", tmp_path / "policy", "--out", tmp_path / "two", "--steps=1")
    emitted, none = given
    assert none is None
    # the networks themselves, without the facade
    networks, _ = load_checkpoint(SHIPPED)
    layout = Observer(body).layout
    with torch.no_grad():
        expected = networks.critic(stack_tokens([tokens_of(body, layout)]), networks.actor.statistics)
        observation = torch.randn(1, 20, layout.size)
        np.testing.assert_allclose(emitted(observation), expected(observation), atol=1e-4)
