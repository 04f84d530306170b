"""What train, evaluate and generate write."""

from __future__ import annotations

import json

import pytest
from small_robots import PUCK, SLIDER, TINY

import morphnet

DOCUMENTED = {"bodies", "mean_return", "mean_score", "unscored", "seed", "checkpoint", "version"}
ROW = {"return_mean", "return_std", "length_mean", "episodes", "score"}


def test_train_leaves_a_checkpoint(run):
    folder, report = run
    files = {path.name for path in folder.iterdir()}
    assert {"hypernetwork.safetensors", "config.json", "metrics.csv", "README.md", "tensorboard"} <= files
    assert list((folder / "tensorboard").iterdir())
    record = json.loads((folder / "config.json").read_text())
    assert record["body_names"] == ["puck"], "held-out bodies are not trained on"
    assert record["train"]["num_sims"] == 2
    assert set(report) == {"steps", "seconds", "diverged", "returns", "seed", "version"}
    assert report["steps"] == record["steps"] == 64
    assert list(report["returns"]) == ["puck"]


def test_train_into_a_folder_that_holds_a_run(refused, run, small_suite):
    before = {path: path.read_bytes() for path in run[0].rglob("*") if path.is_file()}
    line = refused("train", "--bodies", small_suite, "--out", run[0], *TINY)
    assert str(run[0]) in line
    assert "--resume" in line
    line = refused("train", "--bodies", small_suite, "--out", run[0], "--resume", *TINY, "--horizon=8")
    assert "horizon" in line
    assert before == {path: path.read_bytes() for path in run[0].rglob("*") if path.is_file()}


def test_train_goes_on_from_a_checkpoint(morphnet_command, refused, run, small_suite, tmp_path):
    out, short = tmp_path / "further", [flag for flag in TINY if flag.split("=")[0] in ("--expert-steps", "--num-sims")]
    command = ["train", "--bodies", small_suite, "--out", out, "--checkpoint", run[0], *short]
    outcome = morphnet_command(*command, "--steps=0", "--json=-")
    assert outcome.code == 0, outcome.err
    assert outcome.json["steps"] == 0
    assert (out / "hypernetwork.safetensors").read_bytes() == (run[0] / "hypernetwork.safetensors").read_bytes()
    record = json.loads((out / "config.json").read_text())
    assert record["train"]["network"]["hidden"] == 16, "the checkpoint's sizes are kept"
    assert str(run[0]) in record["command"]
    assert record["start"]["checkpoint"] == str(run[0])
    assert f"went on from | `{run[0]}`" in (out / "README.md").read_text()
    # what a resumed run was started by stays in its record
    assert morphnet_command("train", "--bodies", small_suite, "--out", out, "--resume").code == 0
    assert json.loads((out / "config.json").read_text()) == record
    line = refused("train", "--bodies", small_suite, "--out", out, "--resume", "--checkpoint", run[0])
    assert "--resume" in line


def test_what_goes_on_from_a_checkpoint_learns(morphnet_command, run, small_suite, tmp_path):
    sizes = ("--hidden", "--own", "--width", "--depth", "--heads")
    out, short = tmp_path / "further", [flag for flag in TINY if flag.split("=")[0] not in sizes]
    command = ["train", "--bodies", small_suite, "--out", out, "--checkpoint", run[0], *short]
    assert morphnet_command(*command).code == 0
    assert (out / "hypernetwork.safetensors").read_bytes() != (run[0] / "hypernetwork.safetensors").read_bytes()


def test_other_sizes_than_those_of_the_checkpoint_to_go_on_from(refused, run, small_suite, tmp_path):
    out = tmp_path / "wider"
    command = ["train", "--bodies", small_suite, "--out", out, "--checkpoint", run[0], "--steps=64", "--hidden=7"]
    assert "hidden = 16" in refused(*command)
    assert not out.exists()


def test_a_missing_checkpoint_to_go_on_from(refused, small_suite, tmp_path):
    out = tmp_path / "out"
    assert "none" in refused("train", "--bodies", small_suite, "--out", out, "--checkpoint", tmp_path / "none")
    assert not out.exists()


def test_resuming_needs_a_run(refused, small_suite, tmp_path):
    assert "nothing to resume" in refused("train", "--bodies", small_suite, "--out", tmp_path / "none", "--resume")


def test_resuming_on_other_bodies(refused, run, tmp_path):
    (tmp_path / "puck.xml").write_text(PUCK)
    (tmp_path / "third.xml").write_text(SLIDER)
    assert "third" in refused("train", "--bodies", tmp_path, "--out", run[0], "--resume")


def test_report_of_a_run_without_a_finished_episode_is_json(morphnet_command, small_suite, tmp_path):
    outcome = morphnet_command(
        "train", "--bodies", small_suite, "--out", tmp_path / "run", "--json=-", *TINY, "--horizon=2", "--steps=4"
    )
    assert outcome.code == 0
    assert outcome.json["returns"] == {"puck": None}


def test_evaluate_a_split(morphnet_command, run, small_suite):
    command = ["evaluate", "--bodies", small_suite, "--checkpoint", run[0], "--episodes=3", "--seed=4", "--json=-"]
    outcome = morphnet_command(*command)
    assert outcome.code == 0
    report = outcome.json
    assert set(report) == DOCUMENTED
    assert list(report["bodies"]) == ["slider"], "held_out is the default"
    row = report["bodies"]["slider"]
    assert set(row) == ROW
    assert row["episodes"] == 3
    assert row["length_mean"] == 10
    assert report["mean_return"] == pytest.approx(row["return_mean"])
    assert (report["seed"], report["version"]) == (4, morphnet.__version__)
    assert report["checkpoint"] == str(run[0])
    assert morphnet_command(*command).json == report, "the same seed gives the same numbers"
    assert list(morphnet_command(*command, "--split=train").json["bodies"]) == ["puck"]


def test_evaluate_a_split_zero_shot_by_name(morphnet_command, refused, run, small_suite):
    command = ["evaluate", "--bodies", small_suite, "--checkpoint", run[0], "--episodes=2"]
    named = morphnet_command(*command, "--policy=zero-shot", "--json=-")
    assert named.code == 0, named.err
    assert named.json == morphnet_command(*command, "--json=-").json
    assert "zero-shot" in refused(*command, "--policy=nowhere")


def test_evaluate_one_body(morphnet_command, run, small_suite, tmp_path):
    puck, file = small_suite / "puck.xml", tmp_path / "report.json"
    zero_shot = morphnet_command("evaluate", puck, "--checkpoint", run[0], "--episodes=2", "--json", file)
    assert zero_shot.code == 0
    assert "puck" in zero_shot.out
    report = json.loads(file.read_text())
    assert set(report) == DOCUMENTED
    assert set(report["bodies"]["puck"]) == ROW
    random = morphnet_command("evaluate", puck, "--policy=random", "--episodes=2", "--json=-")
    assert random.json["bodies"]["puck"]["return_mean"] != report["bodies"]["puck"]["return_mean"]


def test_generated_policy_runs_as_the_checkpoint_does(morphnet_command, run, small_suite, tmp_path):
    puck = small_suite / "puck.xml"
    outcome = morphnet_command("generate", puck, "--checkpoint", run[0], "--out", tmp_path / "policy")
    assert outcome.code == 0
    assert {path.name for path in (tmp_path / "policy").iterdir()} == {"policy.safetensors", "policy.json", "body.xml"}
    shared = ["--episodes=2", "--seed=1", "--json=-"]
    policy = morphnet_command("evaluate", puck, "--policy", tmp_path / "policy", *shared)
    checkpoint = morphnet_command("evaluate", puck, "--checkpoint", run[0], *shared)
    assert policy.json["bodies"] == checkpoint.json["bodies"]
