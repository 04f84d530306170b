"""Growing: the committed suite, what is drawn, what is rejected, and the command."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import mujoco
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morphnet import cli
from morphnet.assets import families
from morphnet.bodies import Body, Source, Task, load_suite, make_body, suite_from_folder
from morphnet.errors import MorphNetError
from morphnet.growing import grow_body, ranges
from morphnet.growing.checks import physics_fault, physics_hash, stance_fault, start_faults
from morphnet.growing.creature import Creature
from morphnet.growing.draw import draw_creature
from morphnet.growing.mjcf import creature_mjcf, creature_task
from morphnet.growing.suite import SUITE_SEED, grow_one, splits, suite_toml, write_suite

CREATURES = families.ASSETS / "creatures"
seeds = st.integers(0, 2**32 - 1)


# --- the committed suite ------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [0, 57, 149])
def test_the_committed_suite_is_what_grow_gives(index: int) -> None:
    body = grow_one(SUITE_SEED, index).body
    assert (CREATURES / f"{body.name}.xml").read_bytes() == body.source.data


def test_tasks_and_splits_of_the_committed_suite_are_what_grow_gives() -> None:
    suite = load_suite("creatures")
    bodies = sorted(suite.bodies("train") + suite.bodies("held_out"), key=lambda body: body.name)
    assert (CREATURES / "suite.toml").read_text() == suite_toml(bodies)
    assert json.loads((CREATURES / "splits.json").read_text()) == splits(bodies)


def test_sizes_are_spread() -> None:
    suite = load_suite("creatures")
    limbs = [body.graph.num_bodies - 1 for body in suite.bodies("train")[::2]]
    assert {min(limbs), max(limbs)} == set(ranges.LIMBS)
    assert len(set(limbs)) == 10


# --- drawing ------------------------------------------------------------------------------------------------


@given(seed=seeds)
@settings(max_examples=60, deadline=None)
def test_what_is_drawn_is_within_its_ranges(seed: int) -> None:
    creature = draw_creature(np.random.default_rng(seed))
    assert ranges.LIMBS[0] <= len(creature.limbs) <= ranges.LIMBS[1]
    assert ranges.HEIGHT[0] <= creature.height <= ranges.HEIGHT[1]
    assert sum(limb.is_leg and limb.parent == "torso" for limb in creature.limbs) >= 3
    for limb in creature.limbs:
        assert len(limb.hinges) in (1, 2)
        for hinge in limb.hinges:
            assert ranges.RANGE_LOW[0] <= hinge.low <= ranges.RANGE_LOW[1]
            assert ranges.RANGE_HIGH[0] <= hinge.high <= ranges.RANGE_HIGH[1]
            assert np.linalg.norm(hinge.axis) == pytest.approx(1.0, abs=1e-3)
            along = np.array(limb.end) / limb.length
            assert abs(along @ hinge.axis) < 0.95, "it would only spin about itself"
            if limb.is_leg:
                depth = int(limb.name.split("_")[-1]) - 1
                load = creature.mass * 9.81 * creature.height * ranges.TAPER**depth
                assert ranges.LEG_GEAR[0] * 0.99 <= hinge.gear / load <= ranges.LEG_GEAR[1] * 1.01


@given(seed=seeds)
@settings(max_examples=60, deadline=None)
def test_mirrored_twice_is_the_limb_itself(seed: int) -> None:
    for limb in draw_creature(np.random.default_rng(seed)).limbs:
        assert limb.mirrored().mirrored() == limb


@given(seed=seeds)
@settings(max_examples=25, deadline=None)
def test_mass_is_mujocos_and_feet_are_on_the_floor(seed: int) -> None:
    creature = draw_creature(np.random.default_rng(seed))
    model = mujoco.MjModel.from_xml_string(creature_mjcf(creature, "c", "Drawn."))
    assert model.body_mass.sum() == pytest.approx(creature.mass, rel=1e-3)
    assert 0.003 <= families.lowest_point(model) <= 0.007


def test_the_left_half_moves_as_the_mirror_image_of_the_right() -> None:
    """Equal controls on mirrored joints: the motion of the centre of mass stays in the plane of symmetry."""
    rng = np.random.default_rng(0)
    found = 0
    while found < 3:
        creature = draw_creature(rng)
        singles = [limb for limb in creature.limbs if "left_" not in limb.name and "right_" not in limb.name]
        if singles or stance_fault(body_of(creature)):
            continue
        found += 1
        body = body_of(creature)
        data, force = mujoco.MjData(body.model), np.random.default_rng(1)
        for _ in range(20):
            controls = {}
            for index, name in enumerate(body.graph.actuator_names):
                side = name.removeprefix("left_").removeprefix("right_")
                data.ctrl[index] = controls.setdefault(side, force.uniform(-1, 1))
            mujoco.mj_step(body.model, data, 4)
        assert np.abs(data.qpos[[1]]).max() < 2e-3
        assert np.abs(data.qpos[[0, 2]] - body.model.qpos0[[0, 2]]).max() > 2e-3


def body_of(creature: Creature, text: str | None = None, task: Task | None = None) -> Body:
    text = text or creature_mjcf(creature, "c", "Drawn.")
    source = Source(text.encode(), ".xml")
    return make_body("c", mujoco.MjModel.from_xml_string(text), source, task or creature_task(creature))


# --- growing ------------------------------------------------------------------------------------------------


def test_the_same_generator_grows_the_same_body() -> None:
    one, same, other = (grow_body(np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert one.source.data == same.source.data
    assert one.task == same.task
    assert physics_hash(one.model) != physics_hash(other.model)


def test_grown_bodies_stand_by_themselves() -> None:
    """Three seconds of MuJoCo without control: the torso stays up, and level."""
    rng = np.random.default_rng(5)
    for _ in range(3):
        body = grow_body(rng)
        data = mujoco.MjData(body.model)
        mujoco.mj_step(body.model, data, 600)
        assert data.qpos[2] > 0.6 * body.model.qpos0[2]
        assert data.xmat[1, 8] > 0.8


# --- what is rejected ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def creature() -> Creature:
    rng = np.random.default_rng(0)
    while True:
        drawn = draw_creature(rng)
        body = body_of(drawn)
        if not (start_faults(body) or stance_fault(body) or physics_fault(body)):
            return drawn


def changed(creature: Creature, **hinge: float) -> Creature:
    """The creature with all hinges changed."""
    limbs = tuple(
        dataclasses.replace(limb, hinges=tuple(dataclasses.replace(one, **hinge) for one in limb.hinges))
        for limb in creature.limbs
    )
    return dataclasses.replace(creature, limbs=limbs)


def test_a_dead_motor_is_found(creature: Creature) -> None:
    assert physics_fault(body_of(changed(creature, gear=1e-4))) == "an actuator moves nothing"


def test_wild_physics_is_found(creature: Creature) -> None:
    wild = body_of(changed(creature, gear=1e5, damping=0.0, armature=0.0))
    assert physics_fault(wild) == "unstable under random control"


def test_a_creature_on_one_leg_is_found(creature: Creature) -> None:
    one = dataclasses.replace(creature, limbs=creature.limbs[:1])
    assert creature.limbs[0].is_leg
    assert stance_fault(body_of(one)) == "falls by itself"


def test_feet_in_the_air_or_in_the_ground_are_found(creature: Creature) -> None:
    text = creature_mjcf(creature, "c", "Drawn.")
    place = f'name="torso" pos="0 0 {creature.height:g}"'
    assert place in text
    moved = [text.replace(place, f'name="torso" pos="0 0 {creature.height + by:g}"') for by in (0.05, -0.05)]
    faults = [start_faults(body_of(creature, other)) for other in moved]
    assert faults == [["no foot reaches the floor"], ["touches something in its start pose"]]


def test_a_start_outside_of_the_limits_is_found(creature: Creature) -> None:
    task = creature_task(creature).replace(height=(5.0, 6.0))
    assert start_faults(body_of(creature, task=task)) == ["starts outside of its task's limits"]


def test_limbs_in_one_another_are_found(creature: Creature) -> None:
    twice = dataclasses.replace(creature.limbs[0], name="again", hinges=())
    limb = dataclasses.replace(twice, start=(*creature.limbs[0].start[:2], creature.limbs[0].start[2] + 0.01))
    crowded = dataclasses.replace(creature, limbs=(*creature.limbs, limb))
    assert stance_fault(body_of(crowded)) == "limbs in one another"


def test_the_hash_is_of_physics_alone(creature: Creature) -> None:
    model = body_of(creature).model
    repainted = body_of(dataclasses.replace(creature, hue=0.5)).model
    heavier = body_of(dataclasses.replace(creature, limb_density=creature.limb_density + 1)).model
    assert physics_hash(model) == physics_hash(repainted)
    assert physics_hash(model) != physics_hash(heavier)


# --- the command --------------------------------------------------------------------------------------------


def test_a_written_folder_is_a_suite(tmp_path: Path) -> None:
    bodies = [grow_one(1, index).body for index in range(3)]
    write_suite(tmp_path / "grown", bodies)
    suite = suite_from_folder(tmp_path / "grown")
    assert suite.names("train") == ["creature_000", "creature_001"]
    assert suite.names("held_out") == ["creature_002"]
    for body, loaded in zip(bodies, [*suite.bodies("train"), *suite.bodies("held_out")], strict=True):
        assert loaded.task == body.task
        assert loaded.source.data == body.source.data


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    with pytest.raises(MorphNetError, match=r"holds other things \(mine\.txt\)"):
        write_suite(tmp_path, [])
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, numbers = tmp_path / "grown", tmp_path / "numbers.json"
    monkeypatch.setattr(sys, "argv", ["morphnet", "grow", "--count=2", f"--out={out}", "--seed=7", f"--json={numbers}"])
    cli.main()
    assert (out / "creature_001.xml").read_bytes() == (CREATURES / "creature_001.xml").read_bytes()
    report = json.loads(numbers.read_text())
    assert (report["count"], report["seed"], report["folder"]) == (2, 7, str(out))
    assert set(report["rejected"]) <= {"limbs in one another"}


@pytest.mark.parametrize(
    ("arguments", "said"), [(["--count=0"], "--count 0: at least one body"), ([], "missing --count")]
)
def test_bad_arguments_are_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.setattr(sys, "argv", ["morphnet", "grow", f"--out={tmp_path / 'grown'}", *arguments])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
