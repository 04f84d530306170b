"""``morphnet adapt`` as users meet it."""

from __future__ import annotations

import json
import shutil
import sys

import h5py
import numpy as np
import pytest

from morphnet import cli
from morphnet.demonstrations import write_demonstrations
from morphnet.evaluation import PolicyController, evaluate
from morphnet.policy import Policy


@pytest.fixture
def dataset(puck, pushes, tmp_path):
    write_demonstrations(tmp_path / "pushes", puck, pushes, "pushing")
    return tmp_path / "pushes"


def call(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["morphnet", "adapt", *map(str, arguments)])
    cli.main()


def refused(monkeypatch, capsys, *arguments):
    with pytest.raises(SystemExit) as stopped:
        call(monkeypatch, *arguments)
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_a_policy_and_a_report_come_of_it(monkeypatch, capsys, puck, puck_path, dataset, pushing, tmp_path):
    out, report = tmp_path / "adapted", tmp_path / "report.json"
    arguments = ["--demos", dataset, "--episodes=2", "--steps=4000", "--threads=1"]
    call(monkeypatch, puck_path, *arguments, f"--out={out}", f"--json={report}")
    adapted, numbers = Policy.load(out), json.loads(report.read_text())
    returns = [evaluate(puck, PolicyController(p), 10, 7).returns.mean() for p in (adapted, pushing)]
    assert returns[0] > 0.9 * returns[1]
    assert numbers["demonstrations"] == {"episodes": 2, "steps": 100}
    assert numbers["mode"] == "simulated"
    assert numbers["start"]["kind"] == "zero-shot"
    assert numbers["chosen"] in [candidate["name"] for candidate in numbers["candidates"]]
    assert {key: numbers[key] for key in adapted.origin} == adapted.origin
    shown = capsys.readouterr().out
    assert f"* {numbers['chosen']}" in shown
    assert numbers["reason"] in shown


def test_offline(monkeypatch, puck_path, dataset, tmp_path):
    call(monkeypatch, puck_path, "--demos", dataset, "--offline", "--out", tmp_path / "adapted")
    origin = Policy.load(tmp_path / "adapted").origin
    assert origin["mode"] == "offline"
    assert not any("score" in candidate for candidate in origin["candidates"])


def test_the_simulated_body_can_be_changed(monkeypatch, puck_path, dataset, tmp_path):
    """The demonstrations do not show the change, so they are off, and are not simulated."""
    (tmp_path / "dead.toml").write_text("[actuators]\npush = 0\n")
    arguments = ["--demos", dataset, "--change", tmp_path / "dead.toml", "--steps=1"]
    call(monkeypatch, puck_path, *arguments, "--out", tmp_path / "adapted")
    assert "simulation is off by" in Policy.load(tmp_path / "adapted").origin["reason"]


def test_another_body(monkeypatch, capsys, dataset, tmp_path):
    line = refused(monkeypatch, capsys, "hopper", "--demos", dataset, "--out", tmp_path / "adapted")
    assert "demonstrations of 'puck', whose MJCF (sha256" in line


def damage(dataset, how):
    path = dataset / "main_data.hdf5"
    if how == "truncated":
        path.write_bytes(path.read_bytes()[:1000])
        return
    with h5py.File(path, "r+") as file:
        infos = file["episode_0"]["infos"]
        if how == "nan":
            infos["qvel"][3, 0] = np.nan
    metadata = json.loads((dataset / "metadata.json").read_text())
    if how == "actuators":
        metadata["morphnet"]["actuators"].reverse()
    elif how == "control step":
        metadata["morphnet"]["control_step"] = 0.01
    elif how == "empty":
        metadata["total_episodes"] = 0
        with h5py.File(path, "r+") as file:
            for name in list(file):
                del file[name]
            file.attrs["total_episodes"] = 0
    (dataset / "metadata.json").write_text(json.dumps(metadata))


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("truncated", "damaged or not a Minari dataset"),
        ("nan", "episode 0: qvel holds NaN"),
        ("actuators", "its actuators are ['turn', 'push'], puck's ['push', 'turn']"),
        ("control step", "recorded with a control step of 0.01 s, puck has 0.05 s"),
        ("empty", "no episodes in it; at least one is needed"),
    ],
)
def test_bad_datasets(monkeypatch, capsys, puck_path, dataset, tmp_path, how, says):
    damage(dataset, how)
    line = refused(monkeypatch, capsys, puck_path, "--demos", dataset, "--out", tmp_path / "adapted")
    assert says in line
    assert str(dataset) in line


def test_too_short(monkeypatch, capsys, puck, puck_path, pushes, tmp_path):
    from morphnet.demonstrations import demonstration

    with monkeypatch.context() as patched:
        patched.setattr(demonstration, "SHORTEST", 1)
        write_demonstrations(tmp_path / "short", puck, [pushes[0].fragment(0, 1)])
    line = refused(monkeypatch, capsys, puck_path, "--demos", tmp_path / "short", "--out", tmp_path / "adapted")
    assert "episode 0: 1 control steps; at least 2 are needed" in line


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--episodes=0"], "--episodes 0"),
        (["--seconds=0"], "seconds = 0"),
        (["--steps=0"], "steps = 0"),
        (["--demos=nowhere"], "nowhere: no such dataset folder"),
        (["--checkpoint=nowhere"], "nowhere"),
        (["--ofline"], "--offline"),
    ],
)
def test_bad_arguments(monkeypatch, capsys, puck_path, dataset, tmp_path, arguments, says):
    line = refused(monkeypatch, capsys, puck_path, "--demos", dataset, "--out", tmp_path / "adapted", *arguments)
    assert says in line


def test_a_policy_is_not_overwritten(monkeypatch, capsys, puck_path, dataset, lazy, tmp_path):
    lazy.save(tmp_path / "mine")
    before = shutil.copytree(tmp_path / "mine", tmp_path / "before")
    line = refused(monkeypatch, capsys, puck_path, "--demos", dataset, "--out", tmp_path / "mine")
    assert f"{tmp_path / 'mine'}: already holds a policy" in line
    for path in before.iterdir():
        assert path.read_bytes() == (tmp_path / "mine" / path.name).read_bytes()
