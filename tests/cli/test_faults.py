"""Where the input is at fault, one line helps."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from small_robots import SLIDER, TINY

from morphnet.bodies import suite_names


@pytest.mark.parametrize(
    ("arguments", "helps"),
    [
        (["trian"], ["trian", "train?"]),
        ([], ["train", "evaluate", "doctor"]),
        (["train", "--stpes", "3", "--out", "x"], ["--stpes", "--steps"]),
        (["train", "--steps", "3"], ["--out"]),
        (["train", "--out", "x", "--steps", "many"], ["--steps", "many"]),
        (["inspect"], ["body"]),
        (["inspect", "hoper"], ["'hoper'", "hopper"]),
        (["inspect", "xyzzy"], ["'xyzzy'", "hopper", "cheetah"]),
        (["inspect", "gymnasium:antt"], ["gymnasium:antt", "ant"]),
        (["inspect", "nowhere/none.xml"], ["nowhere/none.xml"]),
        (["bodies", "--suite", "planr"], ["'planr'", "planar"]),
        (["evaluate", "--suite", "planr"], ["'planr'", "planar"]),
        (["evaluate"], ["--suite", "--bodies", *suite_names()]),
        (["train", "--out", "x", "--suite", "planar", "--bodies", "y"], ["--suite", "--bodies"]),
        (["evaluate", "hopper", "--checkpoint", "nowhere"], ["nowhere", "checkpoint"]),
        (["evaluate", "hopper", "--policy", "nowhere"], ["nowhere", "policy"]),
        (["evaluate", "--bodies", "nowhere"], ["nowhere"]),
        (["generate", "hopper", "--checkpoint", "nowhere", "--out", "x"], ["nowhere"]),
        (["evaluate", "hopper", "--policy", "random", "--change", "nowhere.toml"], ["nowhere.toml"]),
        (["evaluate", "--suite", "planar", "--change", "nowhere.toml"], ["--change", "one body"]),
        (["record", "hopper", "--out", "x", "--policy", "nowhere"], ["nowhere", "policy"]),
        (["record", "hopper", "--out", "x", "--episodes", "0"], ["--episodes", "0"]),
        (["record", "hopper", "--out", "x", "--policy", "random", "--steps", "1"], ["--steps 1", "2"]),
        (["record", "hopper", "--out", "x", "--policy", "random", "--noise", "-1"], ["--noise"]),
        (["record", "hopper", "--out", "x", "--change", "nowhere.toml"], ["nowhere.toml"]),
        (["render", "hopper", "--policy", "random", "--out", "film.avi"], ["film.avi", ".mp4", ".gif"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_arguments(refused, tmp_path, monkeypatch, arguments, helps):
    monkeypatch.chdir(tmp_path)
    line = refused(*arguments)
    for word in helps:
        assert word in line
    assert list(tmp_path.iterdir()) == []


def test_usage_errors_read_like_a_sentence(refused):
    line = refused("trian")
    assert "----" not in line
    assert len(line) < 300


@pytest.mark.parametrize(
    ("mjcf", "toml", "helps"),
    [
        ("<mujoco><worldbody><body></mujoco>", None, ["robot.xml", "XML"]),
        ("hello", None, ["robot.xml"]),
        ("<mujoco><worldbody><bdy/></worldbody></mujoco>", None, ["robot.xml", "bdy"]),
        (SLIDER.replace('joint="x"/>', 'joint="y"/>'), None, ["robot.xml", "y"]),
        (SLIDER.split("<actuator>")[0] + "</mujoco>", None, ["robot", "actuator"]),
        (SLIDER, "frame_skp = 3", ["robot.toml", "frame_skp", "frame_skip"]),
        (SLIDER, 'frame_skip = "3"', ["robot.toml", "frame_skip", "int"]),
        (SLIDER, "frame_skip = 0", ["robot.toml", "frame_skip", "at least 1"]),
        (SLIDER, "frame_skip = = 3", ["robot.toml", "line 1"]),
        (SLIDER, 'velocity = "fast"', ["robot.toml", "velocity", "center_of_mass"]),
    ],
    ids=["broken", "no XML", "schema", "no such joint", "no actuator", "key", "type", "value", "TOML", "choice"],
)
def test_wrong_robots(refused, tmp_path, mjcf, toml, helps):
    (tmp_path / "robot.xml").write_text(mjcf)
    if toml is not None:
        (tmp_path / "robot.toml").write_text(toml)
    line = refused("inspect", tmp_path / "robot.xml")
    for word in helps:
        assert word in line


def test_wrong_folders(refused, tmp_path):
    assert "*.xml" in refused("evaluate", "--bodies", tmp_path)
    (tmp_path / "slider.xml").write_text(SLIDER)
    (tmp_path / "splits.json").write_text('{"train": {"carts": ["slidr"]}, "held_out": {}}')
    line = refused("evaluate", "--bodies", tmp_path)
    assert "slidr" in line
    assert "slider" in line
    (tmp_path / "splits.json").write_text('{"train": {}}')
    assert "held_out" in refused("evaluate", "--bodies", tmp_path)


def test_wrong_splits(refused, run, small_suite):
    line = refused("evaluate", "--bodies", small_suite, "--checkpoint", run[0], "--split", "held-out")
    assert "held_out" in line


def test_places_that_cannot_be_written_to(refused, run, tmp_path):
    (tmp_path / "file").write_text("")
    inside = tmp_path / "file" / "inside"
    for arguments in (
        ["inspect", "hopper", "--json", inside / "x.json"],
        ["inspect", "hopper", "--image", inside / "x.png"],
        ["generate", "hopper", "--checkpoint", run[0], "--out", inside],
        ["train", "--suite", "planar", "--out", inside, *TINY],
    ):
        assert str(tmp_path / "file") in refused(*arguments, after_output=True)


def test_a_policy_of_another_body(refused, morphnet_command, run, small_suite, tmp_path):
    puck = small_suite / "puck.xml"
    assert morphnet_command("generate", puck, "--checkpoint", run[0], "--out", tmp_path / "p").code == 0
    line = refused("evaluate", small_suite / "slider.xml", "--policy", tmp_path / "p")
    assert "puck" in line
    assert "slider" in line


@pytest.mark.parametrize(
    "flag",
    [
        "--steps=0", "--steps=-5", "--num-sims=0", "--horizon=0", "--epochs=0", "--minibatches=0", "--save-every=0",
        "--threads=0", "--hidden=0", "--own=0", "--width=0", "--heads=0", "--heads=3", "--learning-rate=-1",
        "--seed=-1",
    ],
)  # fmt: skip
def test_numbers_of_training_out_of_range(refused, small_suite, tmp_path, flag):
    line = refused("train", "--bodies", small_suite, "--out", tmp_path / "run", *TINY, flag)
    assert flag.split("=")[0].strip("-").replace("-", "_") in line.replace("-", "_")


@pytest.mark.parametrize("flag", ["--episodes=0", "--episodes=-1", "--seed=-1"])
def test_numbers_of_evaluation_out_of_range(refused, small_suite, flag):
    assert flag.split("=")[0].strip("-") in refused("evaluate", small_suite / "slider.xml", "--policy=random", flag)


@pytest.mark.parametrize("flag", ["--seconds=0", "--seconds=-1", "--width=0"])
def test_numbers_of_a_film_out_of_range(refused, small_suite, tmp_path, flag):
    film = tmp_path / "film.mp4"
    line = refused("render", small_suite / "slider.xml", "--policy=random", "--out", film, flag)
    assert flag.split("=")[0].strip("-") in line


@pytest.mark.parametrize("flag", ["--speed=0", "--episodes=0", "--fps=-1"])
def test_numbers_of_a_look_out_of_range(refused, small_suite, tmp_path, flag):
    line = refused("render", small_suite / "puck.xml", "--policy=random", "--out", tmp_path / "film.mp4", flag)
    assert flag.split("=")[0] in line


def test_the_script_exits_with_two_and_one_line(tmp_path):
    script = Path(sys.executable).parent / "morphnet"
    done = subprocess.run([script, "inspect", "hoper"], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "hopper" in done.stderr
