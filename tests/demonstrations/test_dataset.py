"""Datasets: what is read is what was written, and Minari alone can run the body elsewhere."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import minari
import numpy as np
import pytest

from morphnet.bodies import Change, load_body
from morphnet.demonstrations import observations_of, read_demonstrations, record, write_demonstrations
from morphnet.errors import MorphNetError

STATES = ("qpos", "qvel", "act", "last_ctrl", "reward")


def assert_equal(one, two):
    for name in STATES:
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    assert one.terminated == two.terminated


def test_what_is_read_is_what_was_written(hopper, hops, saved):
    read = read_demonstrations(saved, hopper)
    assert len(read) == len(hops)
    for one, two in zip(read, hops, strict=True):
        assert_equal(one, two)
    assert len(read_demonstrations(saved, hopper, episodes=2)) == 2


def test_a_dataset_that_minari_opened_and_filtered_is_read(hopper, hops, saved):
    chosen = minari.MinariDataset(saved).filter_episodes(lambda episode: episode.rewards.sum() != hops[1].total_reward)
    read = read_demonstrations(chosen, hopper)
    assert len(read) == 2
    for one, two in zip(read, (hops[0], hops[2]), strict=True):
        assert_equal(one, two)


def test_activations_and_fragments_survive(muscular, tmp_path):
    rng = np.random.default_rng(0)
    whole = record(muscular, lambda o: rng.uniform(-1, 1, (len(o), muscular.model.nu)), 2, seed=0, steps=30)
    pieces = [whole[0].fragment(10, 12), whole[1]]
    assert np.abs(pieces[0].act[0]).max() > 0.01
    write_demonstrations(tmp_path / "set", muscular, pieces)
    for one, two in zip(read_demonstrations(tmp_path / "set", muscular), pieces, strict=True):
        assert_equal(one, two)


def test_minari_sees_an_ordinary_dataset(hopper, hops, saved):
    dataset = minari.MinariDataset(saved)
    assert dataset.spec.dataset_id == "morphnet/hopper-v0"
    assert dataset.total_episodes == 3
    assert dataset.total_steps == sum(len(d) for d in hops)
    for episode, demonstration in zip(dataset, hops, strict=True):
        np.testing.assert_array_equal(episode.observations, observations_of(hopper, demonstration))
        np.testing.assert_allclose(episode.actions, demonstration.ctrl, atol=1e-6)
        np.testing.assert_array_equal(episode.rewards, demonstration.reward)
        assert all(dataset.observation_space.contains(o) for o in episode.observations)
        assert all(dataset.action_space.contains(a) for a in episode.actions)
        assert episode.terminations[-1]
        assert not episode.truncations.any()
    record = dataset.storage.metadata["morphnet"]
    assert record["body"]["mjcf"].encode() == hopper.source.data
    assert record["body"]["sha256"] == hopper.source.sha256
    assert record["actuators"] == ["hip", "knee", "ankle"]


RECOVER = """
import json, sys
import minari
dataset = minari.MinariDataset(sys.argv[1])
environment = dataset.recover_environment()
episode, metadata = dataset[1], list(dataset.storage.get_episode_metadata([1]))[0]
observation, _ = environment.reset(options=metadata["options"])
same = [bool((observation == episode.observations[0]).all())]
rewards = []
for action, after in zip(episode.actions[:5], episode.observations[1:]):
    observation, reward, *_ = environment.step(action)
    rewards.append(reward)
    same.append(bool(abs(observation - after).max() < 1e-4))
print(json.dumps([same, rewards, environment.reset(seed=3)[0].tolist()]))
"""


def recover(dataset, folder):
    done = subprocess.run(
        [sys.executable, "-c", RECOVER, dataset], cwd=folder, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_the_environment_is_recovered_from_another_folder_after_the_body_is_gone(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    source = load_body("hopper").source.data
    (here / "mine.xml").write_bytes(source)
    (here / "mine.toml").write_text("frame_skip = 3\nhealthy_reward = 0.25\n")
    body = load_body(here / "mine.xml")
    change = Change(name="weak", mass=2.0, actuators={"hip": 0.5})
    demonstrations = record(body.with_change(change), lambda o: np.sin(o[:, :3]), 2, seed=0, steps=20)
    write_demonstrations(there / "set", body.with_change(change), demonstrations)
    shutil.rmtree(here)
    text = (there / "set" / "metadata.json").read_text()
    assert str(tmp_path) not in text
    same, rewards, observation = recover(there / "set", tmp_path)
    assert all(same)
    np.testing.assert_allclose(rewards, demonstrations[1].reward[:5], atol=1e-5)
    assert len(observation) == len(json.loads(text)["morphnet"]["observation"])


def test_a_changed_body_keeps_its_hash_and_names_the_change(hopper, tmp_path):
    change = Change(name="dead hip", actuators={"hip": 0.0})
    changed = hopper.with_change(change)
    write_demonstrations(tmp_path / "set", changed, record(changed, lambda o: np.ones((len(o), 3)), 1, seed=0, steps=9))
    (found,) = read_demonstrations(tmp_path / "set", hopper)
    (plain,) = record(hopper, lambda o: np.ones((len(o), 3)), 1, seed=0, steps=9)
    assert np.abs(found.qvel - plain.qvel).max() > 0.1
    metadata = json.loads((tmp_path / "set" / "metadata.json").read_text())
    assert metadata["morphnet"]["body"]["change"] == change.to_dict()
    assert metadata["morphnet"]["body"]["sha256"] == hopper.source.sha256
    assert "dead hip" in metadata["description"]


def test_a_dataset_is_replaced_whole_and_other_folders_are_left_alone(hopper, hops, tmp_path):
    folder = tmp_path / "set"
    write_demonstrations(folder, hopper, hops)
    write_demonstrations(folder, hopper, hops[:1])
    assert len(read_demonstrations(folder, hopper)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    (folder / "thesis.tex").write_text("years of work")
    with pytest.raises(MorphNetError, match=r"thesis\.tex"):
        write_demonstrations(folder, hopper, hops)
    assert (folder / "thesis.tex").read_text() == "years of work"


def test_a_failure_leaves_what_was_there(hopper, hops, tmp_path, monkeypatch):
    folder = tmp_path / "set"
    write_demonstrations(folder, hopper, hops)
    monkeypatch.setattr("morphnet.demonstrations.writing._episode", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_demonstrations(folder, hopper, hops[:1])
    assert len(read_demonstrations(folder, hopper)) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
