"""All stages of a training in one run, of two kin and one body without: killed in the last two, resumed to the bit."""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from safetensors.torch import load_file
from test_kill import finish, metrics, start, wait_for_update

from morphnet.bodies import suite_from_folder
from morphnet.config import DistillConfig, TrainConfig
from morphnet.distillation.shift import MOST_ALWAYS, MOST_TURNS, memory_each, most_at_once, steps_each
from morphnet.errors import CheckpointError, SimulationError
from morphnet.learning import Progress
from morphnet.learning.resume import STATE, saved_stage
from morphnet.meta_training import MetaTraining
from morphnet.policy import Policy
from morphnet.specialists import teachers
from morphnet.specialists.teachers import Folders, is_clearly_better

PPO_UPDATES, ROUNDS, EXPERT_STEPS, FAMILY_STEPS, MUTANTS = 4, 8, 2048, 20480, 2
FLAGS = [
    f"--steps={PPO_UPDATES * 3 * 64}", f"--expert-steps={EXPERT_STEPS}", f"--family-steps={FAMILY_STEPS}",
    f"--mutants={MUTANTS}", f"--distill-steps={ROUNDS * (3 + MUTANTS) * 1024}",
    "--num-sims=4", "--horizon=16", "--save-every=3", "--hidden=16", "--own=4", "--width=16", "--depth=1", "--heads=2",
]  # fmt: skip


@pytest.fixture(scope="module")
def bodies(small_bodies: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("three")
    text = (small_bodies / "slider.xml").read_text()
    (folder / "slider.xml").write_text(text.replace("<motor", '<motor name="push"'))
    (folder / "slider_heavy.xml").write_text(
        text.replace("<motor", '<motor name="push"').replace('mass="1"', 'mass="2"')
    )
    (folder / "slider_other.xml").write_text(text.replace("<motor", '<motor name="pull"'))
    (folder / "suite.toml").write_text('[slider]\nmax_episode_steps = 11\nqvel_noise = 0.5\nvelocity = "body"\n')
    return folder


@pytest.fixture(scope="module")
def reference(bodies: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("meta") / "reference"
    finish(start(folder, bodies, *FLAGS))
    return folder


def wait_for_stage(folder: Path, name: str) -> None:
    """Wait until a folder or file of a run is there."""
    deadline = time.monotonic() + 120
    while not (folder / name).exists():
        assert time.monotonic() < deadline, f"no {name}"
        time.sleep(0.01)


def test_the_stages_follow_one_another(reference: Path, bodies: Path) -> None:
    rows = metrics(reference)
    assert [int(row["update"]) for row in rows] == list(range(1, PPO_UPDATES + ROUNDS + 1))
    learnt, taught = rows[:PPO_UPDATES], rows[PPO_UPDATES:]
    assert all(row["loss/imitation"] == "nan" and row["loss/kl"] != "nan" for row in learnt)
    assert all(row["loss/imitation"] != "nan" and row["loss/kl"] == "nan" for row in taught)
    # the experts' steps lie between the two
    assert int(taught[0]["steps"]) == PPO_UPDATES * 3 * 64 + EXPERT_STEPS + 2 * FAMILY_STEPS + (3 + MUTANTS) * 1024
    record = json.loads((reference / "config.json").read_text())
    assert record["steps"] == int(rows[-1]["steps"])
    assert record["distillation"]["steps"] == ROUNDS * (3 + MUTANTS) * 1024
    assert Policy.load(reference / "emitted" / "slider").origin["kind"] == "zero-shot"
    assert (reference / "periodic" / "distilled_100" / "config.json").is_file()


def test_kin_have_one_expert_and_are_taught_with_their_mutants(reference: Path) -> None:
    kinds, mutants = (
        {folder.name: Policy.load(folder).origin["kind"] for folder in (reference / place).iterdir()}
        for place in ("teachers", "mutants/slider")
    )
    assert mutants == {f"slider~{number:03d}": "family expert" for number in range(MUTANTS)}
    assert (kinds["slider"], kinds["slider_heavy"]) == ("family expert", "family expert")
    assert kinds["slider_other"] in ("expert", "zero-shot")
    # of the bodies, not of the mutants, there are returns
    record = json.loads((reference / "config.json").read_text())
    assert record["body_names"] == ["slider", "slider_heavy", "slider_other"]
    assert record["mutants"] == MUTANTS
    returns = {name.removeprefix("return/") for name in metrics(reference)[-1] if name.startswith("return/")}
    assert returns == {"slider", "slider_heavy", "slider_other"}


def test_killed_and_resumed(reference: Path, bodies: Path, tmp_path: Path) -> None:
    """Killed while an expert's policies are saved, and again while they are imitated."""
    folder = tmp_path / "run"
    process = start(folder, bodies, *FLAGS)
    wait_for_stage(folder, "mutants/slider/slider~000/policy.safetensors")
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert saved_stage(folder) == "ppo"
    shutil.rmtree(folder / "teachers" / "slider", ignore_errors=True)  # as if that had been the last
    process = start(folder, bodies, "--resume")
    wait_for_update(process, folder, PPO_UPDATES + 4)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert saved_stage(folder) == "distillation"
    finish(start(folder, bodies, "--resume"))
    ours, theirs = (load_file(run / "hypernetwork.safetensors") for run in (folder, reference))
    assert [name for name in theirs if not (ours[name] == theirs[name]).all()] == []
    assert metrics(folder) == metrics(reference)
    # a finished run stays as it is
    before = (folder / "hypernetwork.safetensors").read_bytes()
    finish(start(folder, bodies, "--resume"))
    assert (folder / "hypernetwork.safetensors").read_bytes() == before
    assert (folder / STATE).is_file()


@pytest.fixture
def pushing(reference: Path) -> Callable[[str], Policy]:
    """Return a function that makes a good policy of a body."""

    def make(name: str) -> Policy:
        policy = Policy.load(reference / "emitted" / name)
        policy.actor.biases[2][:] = 5.0
        return policy

    return make


def test_with_all_teachers_there_is_nothing_to_find(reference: Path, bodies: Path, tmp_path: Path) -> None:
    """As after a kill between the last expert and the first save of the distillation."""
    shutil.copytree(reference, tmp_path / "run")
    training = make_training(bodies, tmp_path / "run")
    training._find_teachers(None)
    assert [len(teacher.policy.body.name) > 0 for teacher in training._teachers()] == [True] * (3 + MUTANTS)


def test_a_run_without_its_mutants_is_refused(reference: Path, bodies: Path, tmp_path: Path) -> None:
    shutil.copytree(reference, tmp_path / "run")
    training = make_training(bodies, tmp_path / "run")
    training._check_teachers()
    shutil.rmtree(tmp_path / "run" / "mutants" / "slider")
    with pytest.raises(CheckpointError, match="the mutants that go with the teacher of slider are missing"):
        training._check_teachers()


def test_an_expert_of_other_bodies_is_refused_before_anything_is_trained(
    reference: Path, bodies: Path, tmp_path: Path
) -> None:
    shutil.copytree(reference / "families", tmp_path / "run" / "families")
    make_training(bodies, tmp_path / "run")._check_families()
    shutil.copytree(bodies, tmp_path / "other")
    text = (tmp_path / "other" / "slider_heavy.xml").read_text()
    (tmp_path / "other" / "slider_heavy.xml").write_text(f"{text}<!-- another -->")
    with pytest.raises(CheckpointError, match="an expert of other bodies"):
        make_training(tmp_path / "other", tmp_path / "run").run()
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["families"]


def test_a_teacher_of_another_body_is_refused(reference: Path, bodies: Path, tmp_path: Path) -> None:
    shutil.copytree(reference, tmp_path / "run")
    shutil.copytree(bodies, tmp_path / "other")
    text = (tmp_path / "other" / "slider_heavy.xml").read_text()
    (tmp_path / "other" / "slider_heavy.xml").write_text(f"{text}<!-- another -->")
    shutil.rmtree(tmp_path / "run" / "families")
    with pytest.raises(CheckpointError, match="the teacher of another version or task of slider_heavy"):
        make_training(tmp_path / "other", tmp_path / "run").run()


def test_a_run_that_found_no_mutant_worth_teaching_goes_on(reference: Path, bodies: Path, tmp_path: Path) -> None:
    shutil.copytree(reference, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "mutants" / "slider")
    (tmp_path / "run" / "mutants" / "slider").mkdir()
    training = make_training(bodies, tmp_path / "run")
    training._check_teachers()
    assert not any(teacher.mutant for teacher in training._teachers())


def test_a_trained_network_is_taught_on_more_gently(reference: Path, bodies: Path) -> None:
    training = make_training(bodies, reference)
    usual = DistillConfig().learning_rate
    assert training._distiller().config.learning_rate == usual
    training.origin["start"] = {"checkpoint": "another", "suite": "planar", "steps": 1}
    assert training._distiller().config.learning_rate == 0.5 * usual


def test_a_suite_of_any_size_can_always_be_due() -> None:
    assert most_at_once(3, 20) == DistillConfig().bodies_at_once
    for count in (30, 31, 57, 300):
        assert 0 < count <= MOST_ALWAYS * most_at_once(count, 10)


def test_mutants_come_up_as_often_however_many_there_are() -> None:
    for count in (383, 790, 5_000):
        assert count <= MOST_TURNS * (most_at_once(57, count) - 57) < count + MOST_TURNS


def test_a_gradient_step_is_as_large_however_many_bodies_are_in_it() -> None:
    usual = DistillConfig()
    assert steps_each(40) == usual.batch == 256
    assert steps_each(76) == 134
    assert steps_each(10**6) == 1


def test_more_bodies_at_once_are_remembered_for_less_long_so_that_memory_suffices() -> None:
    usual = DistillConfig()
    assert memory_each(40) == usual.memory == 65_536
    assert memory_each(160) == 16_384
    assert memory_each(10**6) == 2 * usual.num_sims * usual.horizon, "DistillConfig takes no less"


def make_training(bodies: Path, folder: Path) -> MetaTraining:
    def refuse(_: Progress) -> None:
        raise AssertionError("nothing is to be reported")

    return MetaTraining(suite_from_folder(bodies), TrainConfig(threads=1), folder, {}, refuse)


def test_a_policy_takes_anothers_place_where_it_is_clearly_better(reference: Path, pushing) -> None:
    policy = Policy.load(reference / "emitted" / "slider")
    assert not is_clearly_better([policy], [policy], 0)
    assert is_clearly_better([pushing("slider")], [policy], 0)
    assert not is_clearly_better([policy], [pushing("slider")], 0)


@pytest.fixture
def find(reference: Path, bodies: Path, tmp_path: Path) -> Callable[..., Folders]:
    """Return a function that finds teachers of kin, in this process, and where they are."""

    def run(names: Sequence[str], emitted: Path = reference / "emitted") -> Folders:
        folders = Folders(emitted, tmp_path / "families", tmp_path / "teachers", tmp_path / "mutants")
        config = TrainConfig(expert_steps=EXPERT_STEPS, family_steps=FAMILY_STEPS, mutants=MUTANTS, threads=1)
        assert teachers._find(suite_from_folder(bodies), names, folders, config) == names
        return folders

    return run


def test_where_what_is_emitted_is_clearly_better_all_kin_keep_it(find, pushing, tmp_path: Path) -> None:
    """Mutants are not taught the gait that lost."""
    names = ["slider", "slider_heavy"]
    for name in names:
        pushing(name).save(tmp_path / "emitted" / name)
    folders = find(names, tmp_path / "emitted")
    assert {Policy.load(folders.teachers / name).origin["kind"] for name in names} == {"zero-shot"}
    assert not folders.mutants.exists()


@pytest.mark.parametrize("names", [["slider", "slider_heavy"], ["slider_other"]])
def test_experts_that_break_the_physics_teach_nothing(find, monkeypatch, names) -> None:
    def diverge(*_: object, **__: object) -> None:
        raise SimulationError("all simulations diverged")

    monkeypatch.setattr(teachers.FamilyTraining, "run", diverge)
    monkeypatch.setattr(teachers, "train_expert", diverge)
    folders = find(names)
    assert {Policy.load(folders.teachers / name).origin["kind"] for name in names} == {"zero-shot"}
    assert not folders.mutants.exists()


def test_limbs_that_nothing_tells_apart_get_no_expert(bodies: Path, tmp_path: Path) -> None:
    for path in bodies.iterdir():
        shutil.copy(path, tmp_path)
    limb = '<body><joint name="{0}" axis="0 1 0"/><geom type="capsule" size=".05" fromto="0 0 0 0 0 -.4"/></body>'
    (tmp_path / "slider_twins.xml").write_text(
        '<mujoco><worldbody><body name="torso"><joint type="slide" axis="1 0 0"/><geom size=".1"/>'
        f"{limb.format('l')}{limb.format('r')}</body></worldbody>"
        '<actuator><motor joint="l"/><motor joint="r"/></actuator></mujoco>'
    )
    training = MetaTraining(suite_from_folder(tmp_path), TrainConfig(threads=1), tmp_path / "run", {}, lambda _: None)
    assert "slider_twins" in {body.name for _, body in training.bodies}
    assert sorted(map(sorted, training.kin)) == [["slider", "slider_heavy"], ["slider_other"]]
