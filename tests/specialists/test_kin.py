"""Kin: who shares an expert, and the mutants that learn with them."""

from __future__ import annotations

import collections
import itertools
from pathlib import Path

import pytest
import robots

from morphnet.bodies import Body, load_body, load_suite
from morphnet.specialists.frame import Frame
from morphnet.specialists.kin import kin_of, make_mutants, mutate_alike


def names_of(kin: list[list[Body]]) -> list[list[str]]:
    return [[body.name for body in others] for others in kin]


def test_kin_share_names_and_a_control_step():
    suite = load_suite("planar")
    names = ["hopper", "walker", "hopper_five", "gymnasium:hopper", "walker_no_left_foot"]
    found = names_of(kin_of([suite.load(name) for name in names]))
    assert sorted(found) == [["gymnasium:hopper"], ["hopper", "hopper_five"], ["walker", "walker_no_left_foot"]]


def cart(folder: Path, name: str, target: str) -> Body:
    """A cart with a motor that has no name."""
    (folder / f"{name}.xml").write_text(
        '<mujoco><worldbody><body name="torso"><joint name="x" type="slide" axis="1 0 0"/><geom size=".1"/>'
        f'<site name="{name}"/></body></worldbody><actuator><motor {target}/></actuator></mujoco>'
    )
    return load_body(folder / f"{name}.xml")


def test_motors_without_names_are_called_as_their_joints_and_others_make_no_kin(tmp_path):
    one, other = (cart(tmp_path, name, 'joint="x"') for name in ("one", "other"))
    assert one.graph.actuator_names == other.graph.actuator_names == ("x",)
    assert len(kin_of([one, other])) == 1
    third, fourth = (cart(tmp_path, name, f'site="{name}" gear="1 0 0 0 0 0"') for name in ("third", "fourth"))
    assert third.graph.actuator_names == fourth.graph.actuator_names == ("actuator0",)
    assert len(kin_of([third, fourth])) == 2


def test_other_rewards_make_no_kin():
    one, other = load_body("hopper"), load_body("hopper_short")
    assert len(kin_of([one, other])) == 1
    assert len(kin_of([one, other.with_task(other.task.replace(ctrl_cost=0.5))])) == 2


@pytest.mark.parametrize("order", itertools.permutations(("swimmer", "swimmer_four", "swimmer_six")))
def test_a_chain_of_likenesses_makes_kin_whatever_the_order(order):
    """Swimmers of two and of five joints share less than half of their names, but both are like the one of three."""
    (kin,) = names_of(kin_of([load_body(name) for name in order]))
    assert sorted(kin) == ["swimmer", "swimmer_four", "swimmer_six"]
    apart = names_of(kin_of([load_body("swimmer"), load_body("swimmer_six")]))
    assert sorted(apart) == [["swimmer"], ["swimmer_six"]]


def test_mutants_repeat_and_fit_into_the_frame_of_their_kin():
    bodies = [load_body(name) for name in ("cheetah", "cheetah_no_front_foot")]
    mutants, again = (make_mutants(bodies, 24, 3, "mutant") for _ in range(2))
    assert [one.source.data for one in mutants] == [one.source.data for one in again]
    assert [body.name for body in mutants] == [f"mutant~{number:03d}" for number in range(24)]
    frame = Frame.of(bodies)
    assert all(frame.holds(body) for body in mutants)
    lost = collections.Counter(6 - body.model.nu for body in mutants)
    assert set(lost) >= {0, 1, 2}, lost


def test_a_body_without_good_mutants_is_left_out(tmp_path):
    (tmp_path / "weak.xml").write_text(robots.WALKER_WITHOUT_FLOOR.replace('gear="3"', 'gear="1e-9"'))
    mutants = make_mutants([load_body("hopper"), load_body(tmp_path / "weak.xml")], 3, 0, "mutant")
    assert [body.name for body in mutants] == ["mutant~000", "mutant~002"]


def test_mutants_alike_repeat_and_lack_no_further_limb():
    bodies = [load_body("cheetah"), load_body("cheetah_no_front_foot")]
    alike, again = (mutate_alike(bodies, 4, 3) for _ in range(2))
    assert [one.source.data for one in alike] == [one.source.data for one in again]
    assert len({one.source.data for one in alike}) == len({one.name for one in alike}) == 4
    allowed = {body.name: body.graph.actuator_names for body in bodies}
    assert all(one.graph.actuator_names == allowed[one.name.partition("~")[0]] for one in alike)
    assert {one.name.partition("~")[0] for one in alike} == {*allowed}
    assert mutate_alike(bodies, -3, 0) == []
