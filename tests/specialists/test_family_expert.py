"""Experts of families as files."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from safetensors import safe_open
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
    return FamilyExpert(frame, actor, 7, [load_body(name).identity for name in ("hopper", "hopper_four")])


def test_what_is_read_makes_the_same_policies_of_bodies_in_between_too(expert, tmp_path):
    expert.save(tmp_path / "hopper.safetensors")
    again = FamilyExpert.load(tmp_path / "hopper.safetensors")
    assert again.steps == 7
    assert again.kin == expert.kin
    for name in ("hopper", "hopper_four", "hopper_short", "hopper_four_short"):
        before, after = (one.policy(load_body(name)) for one in (expert, again))
        assert after.origin == before.origin == {"kind": "family expert", "steps": 7}
        for key, tensor in before.actor.tensors().items():
            np.testing.assert_array_equal(after.actor.tensors()[key], tensor)


def test_it_stands_for_the_bodies_it_learnt_on_alone(expert, tmp_path):
    path, hopper, four = tmp_path / "hopper.safetensors", load_body("hopper"), load_body("hopper_four")
    expert.check([four, hopper], path)
    costly = four.with_task(four.task.replace(ctrl_cost=0.5))
    for others in ([hopper], [hopper, load_body("hopper_short")], [hopper, costly]):
        with pytest.raises(CheckpointError, match=r"hopper\.safetensors: an expert of other.*: hopper, hopper_four"):
            expert.check(others, path)


@pytest.fixture
def damaged(expert, tmp_path):
    """Returns a function that writes the expert with other tensors or another record, and reads it."""
    path = tmp_path / "hopper.safetensors"
    expert.save(path)
    tensors = load_file(path)
    with safe_open(path, framework="numpy") as file:
        record = json.loads(file.metadata()["record"])

    def read(change: dict[str, object], **arrays: np.ndarray) -> FamilyExpert:
        save_file({**tensors, **arrays}, path, metadata={"record": json.dumps({**record, **change})})
        return FamilyExpert.load(path)

    read({})
    return read


def test_damage_is_one_clear_error(expert, damaged, tmp_path):
    with pytest.raises(CheckpointError, match=r"none\.safetensors: no such file"):
        FamilyExpert.load(tmp_path / "none.safetensors")
    whole = (tmp_path / "hopper.safetensors").read_bytes()
    (tmp_path / "half.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match=r"half\.safetensors: not the expert of a family, or damaged"):
        FamilyExpert.load(tmp_path / "half.safetensors")
    with pytest.raises(CheckpointError, match="of format 2, the one this version reads"):
        damaged({"format": 99})
    assert damaged({"format": 1, "branches": None}).branches is None
    for record in (
        {"branches": 3},
        {"branches": [["thigh_joint"]]},
        {"steps": math.inf},
        {"steps": "many"},
        {"keys": [["body"]]},
        {"kin": 3},
        {"entries": None},
    ):
        with pytest.raises(CheckpointError, match=r"damaged|missing"):
            damaged(record)


def test_tables_that_do_not_fit_the_names_are_refused(expert, damaged):
    frame = expert.frame
    for arrays in (
        {"mean": frame.mean[:-1].copy()},
        {"mean": np.full_like(frame.mean, math.nan)},
        {"axes": frame.axes[:, 1:].copy()},
        {"spreads": np.zeros_like(frame.spreads)},
        {"spreads": np.ones((len(frame.spreads), 1))},
        {"spreads": np.array(1.0)},
    ):
        with pytest.raises(CheckpointError, match="damaged"):
            damaged({}, **arrays)
    for record in ({"actuators": ["a"]}, {"entries": frame.entries[1:]}):
        with pytest.raises(CheckpointError, match="not of the sizes that its names ask for"):
            damaged(record)
