"""Datasets that cannot be used: one line that says why."""

from __future__ import annotations

import dataclasses
import json
import shutil

import h5py
import numpy as np
import pytest

from morphnet.bodies import load_body
from morphnet.demonstrations import read_demonstrations, write_demonstrations
from morphnet.errors import DemonstrationError


@pytest.fixture
def copied(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "copy")


def refused(folder, body):
    with pytest.raises(DemonstrationError) as caught:
        read_demonstrations(folder, body)
    (line,) = str(caught.value).splitlines()
    assert str(folder) in line
    return line


def edit(folder, **changes):
    path = folder / "metadata.json"
    metadata = json.loads(path.read_text())
    metadata["morphnet"].update(changes)
    path.write_text(json.dumps(metadata))


def test_another_body(saved):
    line = refused(saved, load_body("hopper_short"))
    assert "'hopper'" in line
    assert "'hopper_short'" in line
    assert "sha256" in line


def test_another_actuator_order(copied, hopper):
    edit(copied, actuators=["knee", "hip", "ankle"])
    assert "['hip', 'knee', 'ankle']" in refused(copied, hopper)


def test_another_control_step(saved, hopper):
    slow = hopper.with_task(hopper.task.replace(frame_skip=5))
    assert "control step of 0.008 s, hopper has 0.02 s" in refused(saved, slow)


def test_another_format(copied, hopper):
    edit(copied, format=99)
    assert "format 99" in refused(copied, hopper)


@pytest.mark.parametrize("name", ["qpos", "last_ctrl"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_none(copied, hopper, name, value):
    with h5py.File(copied / "main_data.hdf5", "a") as file:
        file[f"episode_1/infos/{name}"][3, 1] = value
    line = refused(copied, hopper)
    assert "episode 1" in line
    assert name in line


def test_states_that_are_text(copied, hopper):
    with h5py.File(copied / "main_data.hdf5", "a") as file:
        del file["episode_0/infos/qpos"]
        file["episode_0/infos/qpos"] = np.array([b"there", b"here"])
    assert "episode 0: infos/qpos: expected one array of numbers" in refused(copied, hopper)


def test_a_space_that_its_data_are_not_of(copied, hopper):
    text = {"type": "Text", "max_length": 9, "min_length": 0, "charset": "ab"}
    metadata = json.loads((copied / "metadata.json").read_text())
    (copied / "metadata.json").write_text(json.dumps({**metadata, "action_space": json.dumps(text)}))
    assert "damaged" in refused(copied, hopper)


def test_nan_in_rewards(copied, hopper):
    with h5py.File(copied / "main_data.hdf5", "a") as file:
        file["episode_0/rewards"][0] = np.nan
    assert "reward" in refused(copied, hopper)


def test_states_that_are_missing_or_too_few(copied, hopper):
    with h5py.File(copied / "main_data.hdf5", "a") as file:
        file["episode_0/infos/qvel"].resize(4, axis=0)
    assert "qvel has shape (4, 6)" in refused(copied, hopper)
    with h5py.File(copied / "main_data.hdf5", "a") as file:
        del file["episode_0/infos/qvel"]
    assert "infos/qvel is missing" in refused(copied, hopper)


def test_an_episode_that_is_too_short(hopper, hops, tmp_path):
    with pytest.raises(DemonstrationError, match="1 control steps; at least 2"):
        write_demonstrations(tmp_path / "set", hopper, [hops[0].fragment(0, 1)])
    assert not list(tmp_path.iterdir())


def test_no_episodes(copied, hopper, tmp_path):
    with pytest.raises(DemonstrationError, match="no demonstrations"):
        write_demonstrations(tmp_path / "set", hopper, [])
    metadata = json.loads((copied / "metadata.json").read_text())
    (copied / "metadata.json").write_text(json.dumps({**metadata, "total_episodes": 0}))
    assert "no episodes" in refused(copied, hopper)


@pytest.mark.parametrize("kept", [0, 100, 5000])
def test_truncated_hdf5(copied, hopper, kept):
    file = copied / "main_data.hdf5"
    file.write_bytes(file.read_bytes()[:kept])
    assert "damaged" in refused(copied, hopper)


def test_fewer_episodes_than_promised(copied, hopper):
    with h5py.File(copied / "main_data.hdf5", "a") as file:
        del file["episode_2"]
    assert "damaged" in refused(copied, hopper)


def test_metadata_that_is_none(copied, hopper):
    (copied / "metadata.json").write_text("{")
    refused(copied, hopper)
    (copied / "metadata.json").write_text("[]")
    assert "metadata" in refused(copied, hopper)
    (copied / "metadata.json").unlink()
    refused(copied, hopper)
    refused(copied / "nowhere", hopper)


def test_minaris_own_folder_layout_is_pointed_out(saved, hopper, tmp_path):
    shutil.copytree(saved, tmp_path / "named" / "data")
    assert str(tmp_path / "named" / "data") in refused(tmp_path / "named", hopper)


def test_a_demonstration_of_wrong_size(hopper, hops, tmp_path):
    wrong = dataclasses.replace(hops[0], qpos=hops[0].qpos[:, :-1])
    with pytest.raises(DemonstrationError, match="qpos has shape"):
        write_demonstrations(tmp_path / "set", hopper, [wrong])
