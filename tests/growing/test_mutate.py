"""Mutants: any body's, within their ranges, standing where the original stood."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
import robots

from morphnet.bodies import Body, Change, load_body
from morphnet.errors import BodyError
from morphnet.growing import mutate_body, ranges
from morphnet.growing.checks import physics_hash

# gymnasium:ant has actuators without names, which are found by their place
NAMES = ("hopper", "cheetah", "quadruped", "creature_004", "gymnasium:ant", "slider_rail")


def lowest(body: Body) -> float:
    """Height of the lowest corner of any colliding geom's box above z = 0 (MuJoCo's own boxes)."""
    model, data = body.model, mujoco.MjData(body.model)
    mujoco.mj_kinematics(model, data)
    heights = []
    for geom in np.flatnonzero((model.geom_bodyid > 0) & (model.geom_contype > 0)):
        rotation, aabb = data.geom_xmat[geom].reshape(3, 3), model.geom_aabb[geom]
        if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_CAPSULE:
            drop = model.geom_size[geom, 0] + model.geom_size[geom, 1] * abs(rotation[2, 2])
        else:
            drop = np.abs(rotation[2]) @ aabb[3:]
        heights.append(data.geom_xpos[geom, 2] - drop)
    return min(heights)


@pytest.fixture(scope="module", params=NAMES)
def pair(request: pytest.FixtureRequest) -> tuple[Body, list[Body]]:
    body = load_body(request.param)
    rng = np.random.default_rng(0)
    return body, [mutate_body(body, rng) for _ in range(3)]


def test_mutants_differ_and_the_original_does_not_change(pair: tuple[Body, list[Body]]) -> None:
    body, mutants = pair
    hashes = {physics_hash(one.model) for one in (body, *mutants)}
    assert len(hashes) == 4
    assert physics_hash(load_body(body.name).model) == physics_hash(body.model)
    assert {mutant.name for mutant in mutants} == {f"{body.name}_mutant"}


def test_factors_are_within_their_ranges(pair: tuple[Body, list[Body]]) -> None:
    body, mutants = pair
    old = body.model
    for new in (mutant.model for mutant in mutants):
        for index in range(new.nu):
            name = new.actuator(index).name
            before = old.actuator(name if name else index).gear[0]
            factor = new.actuator(index).gear[0] / before
            assert ranges.GEAR_FACTOR[0] - 1e-3 <= factor <= ranges.GEAR_FACTOR[1] + 1e-3
        for index in range(new.njnt):
            name = new.joint(index).name
            if old.joint(name).damping[0] > 0:
                factor = new.joint(name).damping[0] / old.joint(name).damping[0]
                assert ranges.DAMPING_FACTOR[0] - 1e-3 <= factor <= ranges.DAMPING_FACTOR[1] + 1e-3
            width, before = np.ptp(new.joint(name).range), np.ptp(old.joint(name).range)
            if before > 0:
                assert ranges.RANGE_FACTOR[0] - 1e-3 <= width / before <= ranges.RANGE_FACTOR[1] + 1e-3
        for index in range(new.ngeom):
            name = new.geom(index).name
            if name and new.geom(name).type[0] == mujoco.mjtGeom.mjGEOM_CAPSULE:
                factor = new.geom(name).size[1] / old.geom(name).size[1]
                assert ranges.LENGTH_FACTOR[0] - 1e-3 <= factor <= ranges.LENGTH_FACTOR[1] + 1e-3
                assert new.geom(name).size[0] == pytest.approx(old.geom(name).size[0])


def test_mutants_stand_where_the_original_stood(pair: tuple[Body, list[Body]]) -> None:
    body, mutants = pair
    if body.base.z_qpos is None:
        return
    for mutant in mutants:
        assert lowest(mutant) == pytest.approx(lowest(body), abs=2e-4)
        before, after = (one.model.qpos0[one.base.z_qpos] for one in (body, mutant))
        if body.task.height:
            assert mutant.task.height[0] / body.task.height[0] == pytest.approx(after / before, abs=1e-3)
            assert mutant.task.height[0] < after < mutant.task.height[1]
        data = mujoco.MjData(mutant.model)
        mujoco.mj_kinematics(mutant.model, data)
        assert data.xpos[mutant.graph.root_body, 2] == pytest.approx(after, abs=1e-6)


def test_what_a_mutant_is_compiled_from_is_its_source(pair: tuple[Body, list[Body]]) -> None:
    for mutant in pair[1]:
        again = mujoco.MjModel.from_xml_string(mutant.source.data.decode())
        assert physics_hash(again) == physics_hash(mutant.model)


def test_the_same_generator_gives_the_same_mutant() -> None:
    body = load_body("walker")
    one, same, other = (mutate_body(body, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.source.data == same.source.data != other.source.data


def test_some_mutants_lack_a_limb() -> None:
    body, rng = load_body("creature_004"), np.random.default_rng(3)
    missing = [body.graph.num_bodies - mutate_body(body, rng).graph.num_bodies for _ in range(12)]
    assert set(missing) == {0, 1}


def test_joint_ranges_keep_the_start_pose_in_reach(tmp_path) -> None:
    """A range that does not hold the start pose is scaled about its nearer end."""
    text = robots.WALKER_WITHOUT_FLOOR.replace('range="-33.3333333 47.7777777"', 'range="10 50"')
    (tmp_path / "walker.xml").write_text(text)
    body = load_body(tmp_path / "walker.xml")
    mutant = mutate_body(body, np.random.default_rng(0))
    assert mutant.model.joint("hip").range[0] == pytest.approx(np.radians(10), abs=1e-5)


def test_the_end_effector_is_never_cut_off() -> None:
    body, rng = load_body("gymnasium:ant"), np.random.default_rng(0)
    body = body.with_task(body.task.replace(kind="reach", end_effector="aux_1", velocity="root"))
    for _ in range(6):
        mutant = mutate_body(body, rng)
        assert mutant.end_effector[0] > 0


def test_a_hidden_change_would_be_lost() -> None:
    body = load_body("hopper").with_change(Change(mass=2.0))
    with pytest.raises(BodyError, match=r"^hopper: has a hidden change"):
        mutate_body(body, np.random.default_rng(0))


def test_a_body_without_good_mutants_says_why(tmp_path) -> None:
    text = robots.WALKER_WITHOUT_FLOOR.replace('gear="3"', 'gear="1e-9"')
    (tmp_path / "walker.xml").write_text(text)
    with pytest.raises(BodyError, match=r"^walker: none of 30 mutants passed .* an actuator moves nothing"):
        mutate_body(load_body(tmp_path / "walker.xml"), np.random.default_rng(0))
