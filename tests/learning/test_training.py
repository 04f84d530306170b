"""Training as a whole: it learns, it saves what it says, it stops and resumes without a trace."""

from __future__ import annotations

import csv
import dataclasses
import json
import signal

import numpy as np
import pytest
import torch

from morphnet.bodies import load_body
from morphnet.config import NetworkConfig, TrainConfig
from morphnet.errors import CheckpointError
from morphnet.evaluation import PolicyController, RandomController, evaluate
from morphnet.hypernetwork import Hypernetwork
from morphnet.learning import Trainer, load_checkpoint

UPDATE = 3 * 4 * 16  # environment steps of one update on the three robots


def make_trainer(robots, config, folder):
    return Trainer([("small", body) for body in robots], config, folder, {"bodies": "three"})


def read_metrics(folder):
    """Rows of a run, without what the clock decides."""
    with (folder / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    return [{k: v for k, v in row.items() if not k.startswith("seconds") and k != "steps_per_second"} for row in rows]


def assert_same_networks(first, second):
    first, second = first.state_dict(), second.state_dict()
    assert list(first) == list(second)
    for name in first:
        assert torch.equal(first[name], second[name]), name


def test_pushing_a_puck_is_learned_in_seconds(tmp_path, small_bodies):
    """dv/dt = 5 u - v: full force for 5 s gives 200 of 10 v a second; random force gives about 0."""
    path = small_bodies / "slider.xml"
    task = load_body(path).task.replace(max_episode_steps=50, discount=0.9, frame_skip=5, velocity="body")
    body = load_body(path, task)
    config = TrainConfig(
        steps=16 * 8 * 50, num_sims=8, horizon=50, minibatches=2, learning_rate=3e-3, save_every=100, threads=1,
        kl_limit=0.1, network=NetworkConfig(hidden=16, own=4, width=16, depth=1, heads=2, initial_log_std=0.1),
    )  # fmt: skip
    trainer = Trainer([("slider", body)], config, tmp_path / "run", {"bodies": "one"})
    reported = []
    trainer.run(report=lambda progress: reported.append(progress.returns["slider"]))
    random = evaluate(body, RandomController(body, 0), 8, 0).returns
    learned = evaluate(body, PolicyController(Hypernetwork.load(tmp_path / "run").generate(body)), 8, 0).returns
    assert abs(random.mean()) < 30.0
    assert 150.0 < learned.mean() < 205.0
    assert reported[-1] > 100.0
    assert reported[-1] > reported[0] + 50.0


@pytest.mark.parametrize("stop", [2, 5])
def test_a_resumed_run_equals_an_uninterrupted_one(robots, tiny, tmp_path, stop):
    config = dataclasses.replace(tiny, steps=6 * UPDATE, save_every=4)
    whole = make_trainer(robots, config, tmp_path / "whole")
    whole.run()

    def interrupt(progress):
        if progress.update == stop:
            signal.raise_signal(signal.SIGINT)

    first = make_trainer(robots, config, tmp_path / "cut")
    with pytest.raises(KeyboardInterrupt):
        first.run(report=interrupt)
    second = make_trainer(robots, config, tmp_path / "cut")
    second.run(resume=True)
    assert (second.update, second.steps) == (whole.update, whole.steps) == (6, 6 * UPDATE)
    assert_same_networks(second.networks, whole.networks)
    assert read_metrics(tmp_path / "cut") == read_metrics(tmp_path / "whole")
    assert second.recent == whole.recent
    for one, other in zip(second.simulations, whole.simulations, strict=True):
        np.testing.assert_array_equal(one.observation, other.observation)
    loaded, _ = load_checkpoint(tmp_path / "cut")
    assert_same_networks(loaded, whole.networks)


def test_updates_after_the_saved_state_are_forgotten(robots, tiny, tmp_path):
    config = dataclasses.replace(tiny, steps=6 * UPDATE, save_every=4)
    whole = make_trainer(robots, config, tmp_path / "whole")
    whole.run()

    def interrupt(progress):
        if progress.update == 5:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        make_trainer(robots, config, tmp_path / "cut").run(report=interrupt)
    assert [row["update"] for row in read_metrics(tmp_path / "cut")] == ["1", "2", "3", "4", "5"]
    resumed = make_trainer(robots, config, tmp_path / "cut")
    resumed.run(resume=True)
    assert_same_networks(resumed.networks, whole.networks)
    assert read_metrics(tmp_path / "cut") == read_metrics(tmp_path / "whole")


def test_ctrl_c_before_the_first_save_leaves_a_checkpoint(robots, tiny, tmp_path):
    config = dataclasses.replace(tiny, steps=4 * UPDATE, save_every=1000)

    def interrupt(progress):
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        make_trainer(robots, config, tmp_path).run(report=interrupt)
    load_checkpoint(tmp_path)
    make_trainer(robots, config, tmp_path).run(resume=True)


def test_metrics_hold_every_update(robots, tiny, tmp_path):
    config = dataclasses.replace(tiny, steps=4 * UPDATE)
    trainer = make_trainer(robots, config, tmp_path)
    seen = []
    trainer.run(report=seen.append)
    rows = read_metrics(tmp_path)
    assert [int(row["update"]) for row in rows] == [p.update for p in seen] == [1, 2, 3, 4]
    assert [int(row["steps"]) for row in rows] == [p.steps for p in seen] == [UPDATE * i for i in (1, 2, 3, 4)]
    assert {p.total_steps for p in seen} == {4 * UPDATE}
    assert {f"return/{body.name}" for body in robots} <= set(rows[0])
    for row in rows:
        assert all(np.isfinite(float(v)) for k, v in row.items() if "return" not in k), row
    last = trainer.body_returns()
    assert float(rows[-1]["return/slider"]) == pytest.approx(last["slider"], rel=1e-5)
    assert rows[-1]["loss/passes"] == "2"


def test_every_update_starts_from_the_actors_that_collected(robots, tiny, tmp_path):
    """With one gradient step an update, the divergence that it reports is that before any step: none."""
    config = dataclasses.replace(tiny, steps=4 * UPDATE, epochs=1, minibatches=1, learning_rate=1e-2)
    make_trainer(robots, config, tmp_path).run()
    rows = read_metrics(tmp_path)
    assert len({row["loss/entropy"] for row in rows}) == 4, "it does learn"
    assert all(abs(float(row["loss/kl"])) < 1e-6 for row in rows)
    assert all(float(row["loss/clipped"]) == 0.0 for row in rows)


def test_a_run_leaves_checkpoints(robots, tiny, tmp_path):
    trainer = make_trainer(robots, dataclasses.replace(tiny, steps=8 * UPDATE), tmp_path)
    trainer.run()
    networks, record = load_checkpoint(tmp_path)
    assert_same_networks(networks, trainer.networks)
    assert record["body_names"] == ["crawler", "slider", "tipper"]
    assert record["steps"] == 8 * UPDATE
    assert record["train"] == json.loads(json.dumps(trainer.config.to_dict()))
    card = (tmp_path / "README.md").read_text()
    assert all(name in card for name in record["body_names"])
    assert f"{8 * UPDATE:,}" in card
    periodic = sorted(folder.name for folder in (tmp_path / "periodic").iterdir())
    assert periodic == ["020", "050", "070", "100"]  # of saves after 2, 4, 6 and 8 updates of 8
    for folder in ("best", *(f"periodic/{name}" for name in periodic)):
        load_checkpoint(tmp_path / folder)
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")], "temporary files"


def test_a_kill_within_a_periodic_checkpoint_leaves_no_half_of_one(robots, tiny, tmp_path):
    config = dataclasses.replace(tiny, steps=2 * UPDATE)
    (tmp_path / "periodic" / "100").mkdir(parents=True)  # as a kill before the files were written leaves it
    make_trainer(robots, config, tmp_path).run()
    assert load_checkpoint(tmp_path / "periodic" / "100")[1]["steps"] == 2 * UPDATE


def best_steps(folder):
    return json.loads((folder / "best" / "config.json").read_text())["steps"]


def save_at(trainer, update):
    """Save as a run does after ``update`` updates, at a scripted return."""
    trainer.update, trainer.steps = update, update * UPDATE
    trainer._save()


def test_best_is_the_checkpoint_of_the_highest_return(robots, tiny, tmp_path):
    trainer = make_trainer(robots, tiny, tmp_path)
    for update, value in ((1, 3.0), (2, 9.0), (3, 6.0)):
        trainer.body_returns = lambda value=value: {"slider": value, "tipper": value, "crawler": value}
        save_at(trainer, update)
    assert best_steps(tmp_path) == 2 * UPDATE


def test_a_resumed_run_keeps_a_better_best(robots, tiny, tmp_path):
    trainer = make_trainer(robots, tiny, tmp_path)
    trainer.body_returns = lambda: {"slider": 9.0, "tipper": 9.0, "crawler": 9.0}
    save_at(trainer, 2)
    from morphnet.learning.resume import load_resume

    resumed = make_trainer(robots, tiny, tmp_path)
    load_resume(resumed)
    resumed.body_returns = lambda: {"slider": 6.0, "tipper": 6.0, "crawler": 6.0}
    save_at(resumed, 4)
    assert best_steps(tmp_path) == 2 * UPDATE


def test_what_a_run_went_on_from_is_known_though_it_was_killed_before_its_first_checkpoint(robots, tiny, tmp_path):
    from morphnet.learning.resume import load_resume, save_resume

    trainer = make_trainer(robots, tiny, tmp_path)
    trainer.origin = {"suite": "small", "command": "train", "start": {"checkpoint": "another", "suite": "planar"}}
    save_resume(trainer)
    assert not (tmp_path / "config.json").exists()
    resumed = make_trainer(robots, tiny, tmp_path)
    resumed.origin = {"suite": "small", "command": "train --resume"}
    load_resume(resumed)
    assert resumed.origin == trainer.origin


def test_the_clock_stops_a_run_but_changes_no_schedule(robots, tiny, tmp_path):
    config = dataclasses.replace(tiny, steps=6 * UPDATE)
    whole = make_trainer(robots, config, tmp_path / "whole")
    whole.run()
    stopped = make_trainer(robots, config, tmp_path / "stopped")
    stopped.run(minutes=1e-9)
    assert stopped.update == 1
    resumed = make_trainer(robots, config, tmp_path / "stopped")
    resumed.run(resume=True)
    assert_same_networks(resumed.networks, whole.networks)
    assert read_metrics(tmp_path / "stopped") == read_metrics(tmp_path / "whole")
    assert resumed.seconds > stopped.seconds


@pytest.fixture
def saved(robots, tiny, tmp_path):
    """The folder of a finished run of one update."""
    config = dataclasses.replace(tiny, steps=UPDATE)
    make_trainer(robots, config, tmp_path).run()
    return tmp_path, config


def resume_error(robots, config, folder):
    with pytest.raises(CheckpointError) as caught:
        make_trainer(robots, config, folder).run(resume=True)
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder) in message
    return message


def truncate(data):
    return data[: len(data) // 2]


def without_record(data):
    from safetensors.torch import load, save

    return save(load(data))


def foreign_record(data):
    from safetensors.torch import load, save

    return save(load(data), metadata={"record": "{}"})


def without_tensors(data):
    import struct

    from safetensors.torch import save

    size = struct.unpack("<Q", data[:8])[0]
    return save({"generator": torch.zeros(1)}, metadata=json.loads(data[8 : 8 + size])["__metadata__"])


@pytest.mark.parametrize(
    "damage",
    [
        truncate,
        lambda data: b"",
        lambda data: b"not safetensors at all",
        without_record,
        foreign_record,
        without_tensors,
    ],
    ids=["truncated", "empty", "text", "no record", "foreign record", "no tensors"],
)
def test_a_damaged_state_is_one_line(robots, saved, damage):
    folder, config = saved
    state = folder / "resume.safetensors"
    state.write_bytes(damage(state.read_bytes()))
    assert "resume.safetensors" in resume_error(robots, config, folder)


def test_a_state_of_other_bodies_is_refused(robots, saved, small_bodies, tmp_path_factory):
    folder, config = saved
    assert "tipper" in resume_error(robots[:1] + robots[2:], config, folder)
    xml = (small_bodies / "slider.xml").read_text().replace('mass="1"', 'mass="2"')
    heavier = tmp_path_factory.mktemp("other") / "slider.xml"
    heavier.write_text(xml)
    resume_error([load_body(heavier), *robots[1:]], config, folder)


def test_a_state_of_another_configuration_is_refused(robots, saved):
    folder, config = saved
    assert "gae_lambda" in resume_error(robots, dataclasses.replace(config, gae_lambda=0.5), folder)
    wider = dataclasses.replace(config, network=dataclasses.replace(config.network, hidden=20))
    assert "network" in resume_error(robots, wider, folder)


def test_there_must_be_something_to_resume(robots, tiny, tmp_path):
    message = resume_error(robots, tiny, tmp_path)
    assert "--resume" in message
