"""The command line as users meet it: what it writes, and one line that helps where the input is at fault."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import imageio.v3 as imageio
import numpy as np
import pytest

import morphnet
from morphnet import cli, demo, hypernetwork
from morphnet.bodies import load_suite, suite_names
from morphnet.look import Look

GYMNASIUM_ASSETS = Path(gymnasium.__file__).parent / "envs" / "mujoco" / "assets"
GYMNASIUM_BODIES = sorted(path.stem for path in GYMNASIUM_ASSETS.glob("*.xml"))

PUCK = """<mujoco><option timestep="0.02"/><worldbody><body name="puck"><joint name="x" type="slide" axis="1 0 0"/>
  <geom size=".1"/><body pos=".2 0 0"><joint name="flap" range="-40 40" damping=".1"/><geom size=".05"/></body></body>
  </worldbody><actuator><motor joint="flap"/></actuator></mujoco>"""
SLIDER = """<mujoco><option timestep="0.02"/><worldbody><body name="cart"><joint name="x" type="slide" axis="1 0 0"/>
  <geom size=".1"/></body></worldbody><actuator><motor joint="x"/></actuator></mujoco>"""
TASKS = "[puck]\nframe_skip = 1\nmax_episode_steps = 20\n[slider]\nframe_skip = 2\nmax_episode_steps = 10\n"
SPLITS = {"train": {"pucks": ["puck"]}, "held_out": {"carts": ["slider"]}}
TINY = [
    "--steps=64", "--num-sims=2", "--horizon=16", "--epochs=1", "--minibatches=2",
    "--hidden=16", "--own=4", "--width=16", "--depth=1", "--heads=2",
]  # fmt: skip


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What went to standard output, as strict JSON: NaN and Infinity are no part of it."""
        return json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


@pytest.fixture
def morphnet_command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """Return a function that runs a command in this process, as ``morphnet`` does."""

    def command(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["morphnet", *map(str, arguments)])
        capfd.readouterr()
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code
        else:
            code = 0
        return Outcome(code, *capfd.readouterr())

    return command


@pytest.fixture
def refused(morphnet_command):
    """Return a function that runs a command which must fail, and gives its one line."""

    def command(*arguments: object, after_output: bool = False) -> str:
        outcome = morphnet_command(*arguments)
        assert outcome.code == 2, outcome
        assert after_output or outcome.out == ""
        lines = outcome.err.splitlines()
        assert len(lines) == 1, outcome.err
        assert lines[0].startswith("morphnet: ")
        assert "Traceback" not in lines[0]
        return lines[0]

    return command


@pytest.fixture(scope="session")
def small_suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "small"
    folder.mkdir()
    (folder / "puck.xml").write_text(PUCK)
    (folder / "slider.xml").write_text(SLIDER)
    (folder / "suite.toml").write_text(TASKS)
    (folder / "splits.json").write_text(json.dumps(SPLITS))
    return folder


@pytest.fixture(scope="session")
def run(small_suite: Path) -> tuple[Path, dict[str, Any]]:
    """Train a tiny checkpoint through the command line; return its folder and what --json wrote."""
    folder, report = small_suite.parent / "run", small_suite.parent / "report.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            sys, "argv", ["morphnet", "train", f"--bodies={small_suite}", f"--out={folder}", f"--json={report}", *TINY]
        )
        cli.main()
    return folder, json.loads(report.read_text())


# ---------------------------------------------------------------- faults


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


# ---------------------------------------------------------------- bodies, inspect, doctor


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


# ---------------------------------------------------------------- train, evaluate, generate


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


DOCUMENTED = {"bodies", "mean_return", "mean_score", "unscored", "seed", "checkpoint", "version"}
ROW = {"return_mean", "return_std", "length_mean", "episodes", "score"}


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


# ---------------------------------------------------------------- render, demo


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_render(needs_gl, morphnet_command, small_suite, tmp_path, suffix):
    film = tmp_path / f"film{suffix}"
    size = ["--seconds=0.5", "--width=96", "--height=64", "--fps=10"]
    outcome = morphnet_command("render", small_suite / "puck.xml", "--policy=random", "--out", film, *size)
    assert outcome.code == 0, outcome
    assert str(film) in outcome.out
    frames = imageio.imread(film, index=None)
    assert frames.shape[:3] == (5, 64, 96)
    assert frames.std() > 5, "a picture, not one colour"


def test_render_several_policies_side_by_side(needs_gl, morphnet_command, run, small_suite, tmp_path):
    policy, film = tmp_path / "mine", tmp_path / "film.mp4"
    assert morphnet_command("generate", small_suite / "puck.xml", "--checkpoint", run[0], "--out", policy).code == 0
    size = ["--seconds=0.5", "--width=240", "--height=180", "--fps=10", "--speed=0.5", "--checkpoint", run[0]]
    outcome = morphnet_command(
        "render", small_suite / "puck.xml", "--policy", "zero-shot", "random", policy, "--out", film, *size
    )
    assert outcome.code == 0, outcome
    frames = imageio.imread(film, index=None).astype(int)
    assert frames.shape[:3] == (5, 180, 3 * 240)
    zero_shot, random, folder = np.split(frames[-1, 50:130], 3, axis=1)  # between title and numbers
    assert np.abs(zero_shot - random).max() > 30, "random moves otherwise"
    assert np.abs(zero_shot - folder).mean() < 3, "the same policy from a folder"


def test_render_a_mosaic_of_a_folder(needs_gl, morphnet_command, run, small_suite, tmp_path):
    film = tmp_path / "film.mp4"
    size = ["--seconds=0.3", "--width=96", "--height=64", "--fps=10", "--checkpoint", run[0], "--split=train"]
    outcome = morphnet_command("render", "--bodies", small_suite, "--out", film, *size)
    assert outcome.code == 0, outcome
    assert imageio.imread(film, index=None).shape[:3] == (3, 128, 192)


@pytest.mark.parametrize("flag", ["--speed=0", "--episodes=0", "--fps=-1"])
def test_numbers_of_a_look_out_of_range(refused, small_suite, tmp_path, flag):
    line = refused("render", small_suite / "puck.xml", "--policy=random", "--out", tmp_path / "film.mp4", flag)
    assert flag.split("=")[0] in line


def test_inspect_draws_the_robot_and_its_graph(needs_gl, morphnet_command, small_suite, tmp_path):
    outcome = morphnet_command("inspect", small_suite / "puck.xml", "--image", tmp_path / "puck.png")
    assert outcome.code == 0, outcome
    picture = imageio.imread(tmp_path / "puck.png")
    assert picture.shape[0] > 100
    assert picture[..., :3].std() > 5


def test_demo_on_a_tiny_checkpoint(needs_gl, morphnet_command, run, small_suite, tmp_path, monkeypatch):
    monkeypatch.setattr(hypernetwork, "SHIPPED", run[0])
    monkeypatch.setattr(demo, "BODIES", tuple(str(small_suite / f"{name}.xml") for name in ("puck", "slider")))
    monkeypatch.setattr(demo, "Look", lambda **_: Look(0.2, 96, 64, 10))
    outcome = morphnet_command("demo", "--out", tmp_path / "demo", "--json=-")
    assert outcome.code == 0, outcome
    report = outcome.json
    assert [row["body"] for row in report["bodies"]] == ["puck", "slider"]
    assert [row["seen"] for row in report["bodies"]] == ["yes", "no"]
    assert len(report["films"]) == 2
    for film in report["films"]:
        frames = imageio.imread(film, index=None)
        assert frames.shape[:3] == (2, 64, 192), "random and zero-shot side by side"
        assert film in outcome.err, "it says where they are; standard output is for JSON"
    assert Path(report["report"]).read_text().startswith("<!doctype html>")
    assert report["report"] in outcome.err


# ---------------------------------------------------------------- Ctrl-C


@pytest.mark.parametrize(
    ("arguments", "stopped", "left"),
    [
        (["inspect", "hopper"], "morphnet.bodies.load_body", ""),
        (["train", "--suite=planar", "--out=x"], "morphnet.runs.start_training", "; --resume"),
        (["expert", "hopper", "--out=x"], "morphnet.runs.make_expert", "; --out has kept the best policy"),
        ([], "morphnet.cli.parse", ""),
    ],
    ids=["inspect", "train", "expert", "no command yet"],
)
def test_ctrl_c_says_what_this_command_leaves(morphnet_command, monkeypatch, arguments, stopped, left):
    def press(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stopped, press)
    outcome = morphnet_command(*arguments)
    assert outcome.code == 1
    line = outcome.err.splitlines()[-1]
    assert line.startswith(f"morphnet: stopped{left}")
    assert left or line == "morphnet: stopped"


# ---------------------------------------------------------------- the installed script


def test_the_script_exits_with_two_and_one_line(tmp_path):
    script = Path(sys.executable).parent / "morphnet"
    done = subprocess.run([script, "inspect", "hoper"], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "hopper" in done.stderr
