"""The commands that tell what there is: bodies, inspect, doctor, and --help of any."""

from __future__ import annotations

import json
from pathlib import Path

import gymnasium
import pytest

import morphnet
from morphnet import cli
from morphnet.bodies import load_suite, suite_names

GYMNASIUM_ASSETS = Path(gymnasium.__file__).parent / "envs" / "mujoco" / "assets"
GYMNASIUM_BODIES = sorted(path.stem for path in GYMNASIUM_ASSETS.glob("*.xml"))


def test_bodies_lists_every_body_of_every_suite(morphnet_command):
    outcome = morphnet_command("bodies", "--json", "-")
    assert outcome.code == 0
    rows = outcome.json["bodies"]
    files = {path.stem for path in (Path(cli.__file__).parent.parent / "assets").glob("*/*.xml")}
    assert {row["body"] for row in rows if ":" not in row["body"]} == files
    assert {row["suite"] for row in rows} == set(suite_names())
    assert {row["split"] for row in rows} == {"train", "held_out"}
    for row in rows:
        assert row["family"]
        assert row["actuators"] >= 1
        assert row["mass (kg)"] > 0
    hopper = next(row for row in rows if row["body"] == "hopper")
    assert (hopper["bodies"], hopper["joints"], hopper["actuators"]) == (4, 6, 3)


def test_bodies_of_one_suite_as_a_table(morphnet_command):
    outcome = morphnet_command("bodies", "--suite", "planar")
    assert outcome.code == 0
    assert "hopper" in outcome.out
    assert "hexapod" not in outcome.out
    assert "\x1b" not in outcome.out, "no colours where nobody looks"
    assert outcome.err == ""


def test_names_in_the_table_of_bodies_are_whole(morphnet_command):
    outcome = morphnet_command("bodies", "--suite", "planar")
    for name in load_suite("planar").names("train"):
        assert f" {name} " in outcome.out


def test_gymnasium_bodies_are_found():
    assert {"ant", "hopper", "humanoid", "walker2d_v5"} <= set(GYMNASIUM_BODIES)


@pytest.mark.parametrize("name", GYMNASIUM_BODIES)
def test_inspect_every_body_of_gymnasium(morphnet_command, name):
    outcome = morphnet_command("inspect", f"gymnasium:{name}", "--json", "-")
    assert outcome.code == 0
    report = outcome.json
    documented = {
        "name", "num_bodies", "num_joints", "num_actuators", "observation_size", "action_size", "tokens", "edges",
    }  # fmt: skip
    assert documented <= set(report)
    assert report["name"] == f"gymnasium:{name}"
    model = morphnet.load_body(f"gymnasium:{name}").model
    assert report["action_size"] == report["num_actuators"] == model.nu
    kinds = [token["kind"] for token in report["tokens"]]
    assert kinds.count("body") == report["num_bodies"] <= model.nbody - 1
    assert kinds.count("joint") == report["num_joints"] <= model.njnt
    assert kinds.count("actuator") == model.nu
    assert report["observation_size"] > 0
    ends = {end for edge in report["edges"] for end in (edge["from"], edge["to"])}
    assert ends <= set(range(len(report["tokens"])))
    actuators = {index for index, kind in enumerate(kinds) if kind == "actuator"}
    assert actuators <= ends, "every actuator is connected to what it drives"


def test_inspect_as_a_table(morphnet_command):
    outcome = morphnet_command("inspect", "hopper")
    assert outcome.code == 0
    for word in ("torso", "thigh", "foot", "actuator"):
        assert word in outcome.out


def test_inspect_writes_json_to_a_file(morphnet_command, tmp_path, small_suite):
    outcome = morphnet_command("inspect", small_suite / "puck.xml", "--json", tmp_path / "new" / "puck.json")
    assert outcome.code == 0
    report = json.loads((tmp_path / "new" / "puck.json").read_text())
    assert (report["name"], report["num_bodies"], report["num_joints"], report["num_actuators"]) == ("puck", 2, 2, 1)
    assert "puck" in outcome.out


def test_doctor(morphnet_command):
    outcome = morphnet_command("doctor", "--json", "-")
    assert outcome.code == 0
    findings = outcome.json["findings"]
    assert {"mujoco", "torch", "cores"} <= {finding["name"] for finding in findings}
    assert {finding["status"] for finding in findings} <= {"ok", "warn", "missing"}


@pytest.mark.parametrize("command", [[], ["train"], ["evaluate"], ["inspect"], ["render"]])
def test_help(morphnet_command, command):
    outcome = morphnet_command(*command, "--help")
    assert outcome.code == 0
    assert "usage: morphnet" in outcome.out
    assert outcome.err == ""
