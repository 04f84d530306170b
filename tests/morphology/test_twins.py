"""Limbs that coincide are read as if they lay side by side, in the order of their names."""

from __future__ import annotations

import numpy as np
import pytest
from robots import load_text

from morphnet.bodies import load_body
from morphnet.morphology import MorphologyGraph
from morphnet.morphology.body_features import BODY_FEATURE_NAMES
from morphnet.morphology.joint_features import JOINT_FEATURE_NAMES
from morphnet.morphology.scaling import LENGTH
from morphnet.morphology.twins import has_twins


def limbs(places: list[int], names: list[str]) -> str:
    """A slider with limbs of two bodies that hang at given places of it."""
    limb = (
        '<body name="{1}" pos="{0} 0 0"><joint axis="0 1 0"/><geom type="capsule" size=".05" fromto="0 0 0 0 0 -.4"/>'
        '<body pos="0 0 -.4"><joint axis="0 1 0"/><geom type="capsule" size=".05" fromto="0 0 0 0 0 -.3"/></body>'
        "</body>"
    )
    bodies = "".join(limb.format(place, name) for place, name in zip(places, names, strict=True))
    return (
        '<mujoco><worldbody><body name="torso" pos="0 0 1"><joint name="x" type="slide" axis="1 0 0"/>'
        f'<geom size=".1"/>{bodies}</body></worldbody><actuator><motor joint="x"/></actuator></mujoco>'
    )


def left_of_root(graph: MorphologyGraph) -> dict[str, float]:
    """How far to the left of the root each body is read to lie, in m."""
    column = graph.body_features[:, BODY_FEATURE_NAMES.index("from_root_y")]
    return dict(zip(graph.body_names, (LENGTH * np.sinh(column)).tolist(), strict=True))


@pytest.mark.parametrize("name", ["gymnasium:walker2d_v5", "walker", "gymnasium:ant", "gymnasium:humanoid"])
def test_no_actuators_of_a_robot_with_names_are_twins(name: str) -> None:
    assert not has_twins(load_body(name).graph)


def test_the_legs_of_walker2d_lie_as_those_of_our_walker_do() -> None:
    left = left_of_root(load_body("gymnasium:walker2d_v5").graph)
    ours = left_of_root(load_body("walker").graph)
    for part in ("thigh", "leg", "foot"):
        assert left[part] == pytest.approx(-left[f"{part}_left"])
        assert left[part] == pytest.approx(ours[f"left_{part}"], rel=0.1)
    assert left["torso"] == 0


def test_joints_lie_where_their_bodies_do() -> None:
    graph = load_body("gymnasium:walker2d_v5").graph
    of_joints = graph.joint_features[:, JOINT_FEATURE_NAMES.index("from_root_y")]
    of_bodies = graph.body_features[graph.joint_body, BODY_FEATURE_NAMES.index("from_root_y")]
    np.testing.assert_allclose(of_joints, of_bodies, atol=1e-6)
    assert np.count_nonzero(of_joints) == 6


@pytest.mark.parametrize("order", [["a", "b", "c"], ["c", "a", "b"]])
def test_the_order_of_names_is_the_order_from_left_to_right(tmp_path, order: list[str]) -> None:
    left = left_of_root(load_text(tmp_path, limbs([0, 0, 0], order)).graph)
    assert left["a"] == pytest.approx(-left["c"])
    assert left["a"] > 0.01
    assert left["b"] == 0


def test_limbs_that_are_apart_stay_where_they_are(tmp_path) -> None:
    graph = load_text(tmp_path, limbs([0, 1, 0], ["a", "b", "c"])).graph
    left = left_of_root(graph)
    assert left["b"] == 0
    assert left["a"] > 0 > left["c"]
    # what hangs from a limb is moved with it
    children = graph.body_features[graph.body_parent > 0, BODY_FEATURE_NAMES.index("from_root_y")]
    assert sorted(np.sign(children)) == [-1, 0, 1]


def test_limbs_without_names_stay_twins(tmp_path) -> None:
    unnamed, named = (load_text(tmp_path, text) for text in (twins("", ""), twins('name="a"', 'name="b"')))
    assert has_twins(unnamed.graph)
    assert not has_twins(named.graph)
    assert set(left_of_root(unnamed.graph).values()) == {0.0}


def twins(one: str, other: str) -> str:
    """A slider with two limbs in the same place, both of which have a motor."""
    limb = '<body {0}><joint name="{1}" axis="0 1 0"/><geom type="capsule" size=".05" fromto="0 0 0 0 0 -.4"/></body>'
    return (
        '<mujoco><worldbody><body name="torso" pos="0 0 1"><joint name="x" type="slide" axis="1 0 0"/>'
        f'<geom size=".1"/>{limb.format(one, "l")}{limb.format(other, "r")}</body></worldbody>'
        '<actuator><motor joint="l"/><motor joint="r"/></actuator></mujoco>'
    )
