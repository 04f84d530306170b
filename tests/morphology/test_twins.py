"""Limbs that coincide are read as if they lay side by side, in the order of their names."""

from __future__ import annotations

from pathlib import Path

import gymnasium
import mujoco
import numpy as np
import pytest
from robots import both_orders, load_text

from morphnet.bodies import load_body
from morphnet.morphology import MorphologyGraph, graph_from_model
from morphnet.morphology import graph as graph_module
from morphnet.morphology.actuator_features import ACTUATOR_FEATURE_NAMES
from morphnet.morphology.body_features import BODY_FEATURE_NAMES
from morphnet.morphology.joint_features import JOINT_FEATURE_NAMES
from morphnet.morphology.scaling import LENGTH
from morphnet.morphology.twins import has_twins

WALKER = (Path(gymnasium.__file__).parent / "envs" / "mujoco" / "assets" / "walker2d_v5.xml").read_text()


def robot(limbs: str) -> str:
    """A slider that carries limbs."""
    return (
        '<mujoco><worldbody><body name="torso" pos="0 0 1"><joint name="x" type="slide" axis="1 0 0"/>'
        f'<geom size=".1"/>{limbs}</body></worldbody><actuator><motor name="m" joint="x"/></actuator></mujoco>'
    )


def limb(name: str, place: float = 0.0, more: str = "") -> str:
    """A capsule on a hinge that hangs at a place of its parent, with whatever hangs from it."""
    named = f'name="{name}"' if name else ""
    geom = '<geom type="capsule" size=".05" fromto="0 0 0 0 0 -.4"/>'
    return f'<body {named} pos="{place} 0 0"><joint axis="0 1 0"/>{geom}{more}</body>'


def read(text: str) -> MorphologyGraph:
    return graph_from_model(mujoco.MjModel.from_xml_string(text))


def lefts(graph: MorphologyGraph) -> dict[str, float]:
    """How far to the left of the root each body is read to lie, in m."""
    column = graph.body_features[:, BODY_FEATURE_NAMES.index("from_root_y")]
    return dict(zip(graph.body_names, (LENGTH * np.sinh(column)).tolist(), strict=True))


def test_the_legs_of_walker2d_lie_as_those_of_our_walker_do() -> None:
    left, ours = lefts(load_body("gymnasium:walker2d_v5").graph), lefts(load_body("walker").graph)
    for part in ("thigh", "leg", "foot"):
        assert left[part] == pytest.approx(-left[f"{part}_left"])
        assert left[part] == pytest.approx(ours[f"left_{part}"], rel=0.1)
    assert left["torso"] == 0


def test_places_are_all_that_is_read_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    aside = read(WALKER)
    monkeypatch.setattr(graph_module, "APART", 0.0)
    plain = read(WALKER)
    assert has_twins(plain)
    assert not has_twins(aside)

    def changed(kind: str, names: tuple[str, ...]) -> dict[str, list[str]]:
        one, other = (getattr(graph, f"{kind}_features") for graph in (aside, plain))
        tokens = getattr(aside, f"{kind}_names")
        rows, columns = np.nonzero(np.abs(one - other) > 1e-7)
        return {names[c]: [tokens[row] for row in rows[columns == c]] for c in np.unique(columns)}

    legs = ["thigh", "leg", "foot", "thigh_left", "leg_left", "foot_left"]
    assert changed("body", BODY_FEATURE_NAMES) == {"from_parent_y": ["thigh", "thigh_left"], "from_root_y": legs}
    assert changed("joint", JOINT_FEATURE_NAMES) == {"from_root_y": [f"{leg}_joint" for leg in legs]}
    assert changed("actuator", ACTUATOR_FEATURE_NAMES) == {}


def test_joints_lie_where_their_bodies_do() -> None:
    graph = read(WALKER)
    of_joints = graph.joint_features[:, JOINT_FEATURE_NAMES.index("from_root_y")]
    of_bodies = graph.body_features[graph.joint_body, BODY_FEATURE_NAMES.index("from_root_y")]
    np.testing.assert_allclose(of_joints, of_bodies, atol=1e-6)


@pytest.mark.parametrize("order", ["abc", "cab"])
def test_the_order_of_names_is_the_order_from_left_to_right(order: str) -> None:
    left = lefts(read(robot("".join(limb(name) for name in order))))
    assert left["a"] == pytest.approx(-left["c"])
    assert left["a"] > 0.01
    assert left["b"] == 0


def test_limbs_of_limbs_stay_apart_from_their_neighbours() -> None:
    text = robot("".join(limb(leg, more=limb(f"{leg}1") + limb(f"{leg}2")) for leg in "ab"))
    first, second = (lefts(read(order)) for order in both_orders(text))
    unit = first["a"]
    assert first == pytest.approx(
        {"torso": 0, "a": unit, "a1": 1.5 * unit, "a2": 0.5 * unit, "b": -unit, "b1": -0.5 * unit, "b2": -1.5 * unit},
        abs=1e-6,
    )
    assert first == second


@pytest.mark.parametrize(
    "change",
    [
        ('name="thigh_geom" size="0.05', 'name="thigh_geom" size="0.04'),
        ('name="thigh_geom"', 'name="thigh_geom" density="1500"'),
        ('0.22500000000000009" name="thigh_geom"', '0.20" name="thigh_geom"'),
    ],
)
def test_legs_that_nearly_coincide_are_read_alike(change: tuple[str, str]) -> None:
    changed = WALKER.replace(*change, 1)
    assert changed != WALKER
    assert lefts(read(changed)) == pytest.approx(lefts(read(WALKER)), rel=0.02, abs=1e-6)


def test_legs_with_one_origin_that_point_elsewhere_stay_where_they_are() -> None:
    ant = load_body("gymnasium:ant")
    model, graph = ant.model, ant.graph
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    assert sum(np.allclose(model.body(body).pos, 0) for body in graph.body_ids) > 3
    there = data.xpos[graph.body_ids, 1] - data.xpos[graph.root_body, 1]
    np.testing.assert_allclose(list(lefts(graph).values()), there, atol=1e-6)


def test_limbs_in_another_place_stay_there() -> None:
    left = lefts(read(robot(limb("a") + limb("b", 1.0) + limb("c"))))
    assert left["a"] > left["b"] == 0 > left["c"]


@pytest.mark.parametrize("names", [("", ""), ("a", "")])
def test_limbs_without_names_stay_twins(tmp_path: Path, names: tuple[str, str]) -> None:
    motors = '<motor name="l" joint="l"/><motor name="r" joint="r"/>'
    bodies = "".join(
        limb(name).replace("<joint", f'<joint name="{side}"') for name, side in zip(names, "lr", strict=True)
    )
    graph = load_text(tmp_path, robot(bodies).replace('<motor name="m" joint="x"/>', motors)).graph
    assert has_twins(graph)
    assert set(lefts(graph).values()) == {0.0}
