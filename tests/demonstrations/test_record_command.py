"""``morphnet record`` as users meet it."""

from __future__ import annotations

import json
import sys

import minari
import numpy as np
import pytest

from morphnet import cli, runs
from morphnet.bodies import load_body
from morphnet.demonstrations import read_demonstrations
from morphnet.evaluation import RandomController, evaluate


@pytest.fixture
def record_command(monkeypatch, tmp_path):
    """Return a function that runs ``morphnet record hopper`` and gives the dataset and what --json wrote."""

    def command(*arguments):
        folder, report = tmp_path / "set", tmp_path / "report.json"
        monkeypatch.setattr(
            sys, "argv", ["morphnet", "record", "hopper", f"--out={folder}", f"--json={report}", *map(str, arguments)]
        )
        cli.main()
        return folder, json.loads(report.read_text())

    return command


def test_a_policy_is_recorded(record_command):
    body = load_body("hopper")
    folder, report = record_command("--policy", "random", "--episodes", 3, "--seed", 8)
    expected = evaluate(body, RandomController(body, 8), 3, 8)
    np.testing.assert_allclose(report["returns"], expected.returns)
    assert report["lengths"] == expected.lengths.tolist()
    assert [len(d) for d in read_demonstrations(folder, body)] == report["lengths"]
    assert minari.MinariDataset(folder).storage.metadata["algorithm_name"] == "random"


def test_a_changed_body_is_recorded(record_command, tmp_path):
    (tmp_path / "dead.toml").write_text("[actuators]\nhip = 0.0\n")
    folder, report = record_command(
        "--policy", "random", "--episodes", 1, "--change", tmp_path / "dead.toml", "--steps", 6, "--noise", 0.1
    )
    assert report["change"]["name"] == "dead"
    assert report["lengths"] == [6]
    assert len(read_demonstrations(folder, load_body("hopper"))) == 1
    assert minari.MinariDataset(folder).storage.metadata["algorithm_name"] == "random, noise 0.1"


def test_a_bad_place_is_found_before_anything_is_recorded(record_command, tmp_path, monkeypatch, capsys):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "thesis.txt").write_text("mine")
    monkeypatch.setattr(runs, "record", lambda *_, **__: pytest.fail("it was recorded"))
    with pytest.raises(SystemExit):
        record_command("--policy", "random")
    assert "thesis.txt" in capsys.readouterr().err


def test_a_relative_folder_is_as_good_as_any(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    arguments = ["hopper", "--policy=random", "--episodes=1", "--steps=5", "--out=deep/set"]
    monkeypatch.setattr(sys, "argv", ["morphnet", "record", *arguments])
    cli.main()
    assert len(read_demonstrations("deep/set", load_body("hopper"))) == 1
