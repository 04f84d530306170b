"""Experts of families as files."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from morphnet.bodies import load_body
from morphnet.errors import CheckpointError
from morphnet.policy import ActorWeights
from morphnet.specialists.family_expert import FamilyExpert
from morphnet.specialists.frame import Frame

HIDDEN = 5


@pytest.fixture(scope="module")
def expert() -> FamilyExpert:
    frame, rng = Frame.of([load_body("hopper"), load_body("hopper_four")]), np.random.default_rng(0)
    sizes = (frame.size, HIDDEN, HIDDEN, len(frame.actuators))
    weights = [rng.standard_normal((out, into)).astype(np.float32) for into, out in itertools.pairwise(sizes)]
    biases = [rng.standard_normal(out).astype(np.float32) for out in sizes[1:]]
    actor = ActorWeights((weights[0], weights[1], weights[2]), (biases[0], biases[1], biases[2]), biases[2] - 1.0)
    return FamilyExpert(frame, actor, 7)


def test_what_is_read_makes_the_same_policies_of_bodies_in_between_too(expert, tmp_path):
    expert.save(tmp_path / "hopper.safetensors")
    again = FamilyExpert.load(tmp_path / "hopper.safetensors")
    assert again.steps == 7
    for name in ("hopper", "hopper_four", "hopper_short", "hopper_four_short"):
        before, after = (one.policy(load_body(name)) for one in (expert, again))
        assert after.origin == before.origin == {"kind": "family expert", "steps": 7}
        for key, tensor in before.actor.tensors().items():
            np.testing.assert_array_equal(after.actor.tensors()[key], tensor)


def test_damage_is_one_clear_error(expert, tmp_path):
    path = tmp_path / "hopper.safetensors"
    with pytest.raises(CheckpointError, match=r"hopper\.safetensors: no such file"):
        FamilyExpert.load(path)
    expert.save(path)
    whole, tensors = path.read_bytes(), load_file(path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match=r"hopper\.safetensors: not the expert of a family, or damaged"):
        FamilyExpert.load(path)
    save_file(tensors, path, metadata={"record": json.dumps({"format": 99})})
    with pytest.raises(CheckpointError, match="of format 1, the one this version reads"):
        FamilyExpert.load(path)
    path.write_bytes(whole)
    record = {"format": 1, "steps": 7, "actuators": ["a"], "keys": [["body", "torso", 0]], "entries": ["x"]}
    save_file(tensors, path, metadata={"record": json.dumps(record)})
    with pytest.raises(CheckpointError, match="not of the sizes that its names ask for"):
        FamilyExpert.load(path)
    save_file(tensors, path, metadata={"record": json.dumps({**record, "keys": [["body"]]})})
    with pytest.raises(CheckpointError, match="damaged"):
        FamilyExpert.load(path)
    save_file({"mean": np.zeros(1)}, path, metadata={"record": json.dumps(record)})
    with pytest.raises(CheckpointError, match="axes"):
        FamilyExpert.load(path)
