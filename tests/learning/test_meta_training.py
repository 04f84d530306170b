"""All stages of a training in one run: killed in each of the last two, and resumed to the bit."""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file
from test_kill import finish, metrics, start, wait_for_update

from morphnet.bodies import suite_from_folder
from morphnet.config import TrainConfig
from morphnet.learning.resume import STATE, saved_stage
from morphnet.meta_training import MetaTraining
from morphnet.policy import Policy
from morphnet.specialists.fleet import better

PPO_UPDATES, ROUNDS, EXPERT_STEPS = 4, 8, 2048
FLAGS = [
    f"--steps={PPO_UPDATES * 4 * 16}", f"--expert-steps={EXPERT_STEPS}", f"--distill-steps={ROUNDS * 1024}",
    "--num-sims=4", "--horizon=16", "--save-every=3", "--hidden=16", "--own=4", "--width=16", "--depth=1", "--heads=2",
]  # fmt: skip


@pytest.fixture(scope="module")
def one_body(small_bodies: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one")
    shutil.copy(small_bodies / "slider.xml", folder)
    (folder / "suite.toml").write_text('[slider]\nmax_episode_steps = 11\nqvel_noise = 0.5\nvelocity = "body"\n')
    return folder


@pytest.fixture(scope="module")
def reference(one_body: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("meta") / "reference"
    finish(start(folder, one_body, *FLAGS))
    return folder


def wait_for_stage(folder: Path, name: str) -> None:
    """Wait until a folder or file of a run is there."""
    deadline = time.monotonic() + 120
    while not (folder / name).exists():
        assert time.monotonic() < deadline, f"no {name}"
        time.sleep(0.01)


def test_the_stages_follow_one_another(reference: Path, one_body: Path) -> None:
    rows = metrics(reference)
    assert [int(row["update"]) for row in rows] == list(range(1, PPO_UPDATES + ROUNDS + 1))
    learnt, taught = rows[:PPO_UPDATES], rows[PPO_UPDATES:]
    assert all(row["loss/imitation"] == "nan" and row["loss/kl"] != "nan" for row in learnt)
    assert all(row["loss/imitation"] != "nan" and row["loss/kl"] == "nan" for row in taught)
    # the expert's steps lie between the two
    assert int(taught[0]["steps"]) == PPO_UPDATES * 64 + EXPERT_STEPS + 1024
    record = json.loads((reference / "config.json").read_text())
    assert record["steps"] == int(rows[-1]["steps"])
    assert record["distillation"]["steps"] == ROUNDS * 1024
    teacher, emitted = (Policy.load(reference / name / "slider") for name in ("teachers", "emitted"))
    assert teacher.origin["kind"] in ("expert", "zero-shot")
    assert emitted.origin["kind"] == "zero-shot"
    assert (reference / "periodic" / "distilled_100" / "config.json").is_file()


def test_killed_and_resumed(reference: Path, one_body: Path, tmp_path: Path) -> None:
    """Killed while the expert trains, and again while it is imitated."""
    folder = tmp_path / "run"
    process = start(folder, one_body, *FLAGS)
    wait_for_stage(folder, "emitted/slider/policy.safetensors")
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert saved_stage(folder) == "ppo"
    process = start(folder, one_body, "--resume")
    wait_for_update(process, folder, PPO_UPDATES + 4)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert saved_stage(folder) == "distillation"
    finish(start(folder, one_body, "--resume"))
    ours, theirs = (load_file(run / "hypernetwork.safetensors") for run in (folder, reference))
    assert [name for name in theirs if not (ours[name] == theirs[name]).all()] == []
    assert metrics(folder) == metrics(reference)
    # a finished run stays as it is
    before = (folder / "hypernetwork.safetensors").read_bytes()
    finish(start(folder, one_body, "--resume"))
    assert (folder / "hypernetwork.safetensors").read_bytes() == before
    assert (folder / STATE).is_file()


def test_the_better_of_the_two_teaches(reference: Path) -> None:
    policy = Policy.load(reference / "emitted" / "slider")
    # equal returns: no expert takes the place of an equal
    other = Policy(policy.body, policy.actor, {"kind": "expert"})
    assert better(other, policy, 0) is policy
    pushing = Policy.load(reference / "emitted" / "slider").actor
    pushing.biases[2][:] = 5.0
    expert = Policy(policy.body, pushing, {"kind": "expert"})
    assert better(expert, policy, 0) is expert
    assert better(policy, expert, 0) is expert


def test_limbs_that_nothing_tells_apart_get_no_expert(one_body: Path, tmp_path: Path) -> None:
    for path in one_body.iterdir():
        shutil.copy(path, tmp_path)
    limb = '<body><joint name="{0}" axis="0 1 0"/><geom type="capsule" size=".05" fromto="0 0 0 0 0 -.4"/></body>'
    (tmp_path / "slider_twins.xml").write_text(
        '<mujoco><worldbody><body name="torso"><joint type="slide" axis="1 0 0"/><geom size=".1"/>'
        f"{limb.format('l')}{limb.format('r')}</body></worldbody>"
        '<actuator><motor joint="l"/><motor joint="r"/></actuator></mujoco>'
    )
    training = MetaTraining(suite_from_folder(tmp_path), TrainConfig(threads=1), tmp_path / "run", {}, lambda _: None)
    assert {body.name for _, body in training.bodies} == {"slider", "slider_twins"}
    assert training.with_expert == {"slider"}
