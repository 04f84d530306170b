"""The order of siblings and actuators in the file changes the order of tokens and nothing else."""

from pathlib import Path

import gymnasium
import mujoco
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from robots import both_orders

from morphnet.morphology import graph_from_model

ASSETS = Path(gymnasium.__file__).parent / "envs" / "mujoco" / "assets"


def graph_and_reversed(xml):
    first, second = both_orders(xml)
    return tuple(graph_from_model(mujoco.MjModel.from_xml_string(text)) for text in (first, second))


def token_edges(graph):
    tokens = [("body", n) for n in graph.body_names] + [("joint", n) for n in graph.joint_names]
    tokens += [("actuator", n) for n in graph.actuator_names]
    return sorted((tokens[a], tokens[b], k) for a, b, k in graph.edges.tolist())


def assert_same_but_for_order(first, second):
    for kind in ("body", "joint", "actuator"):
        names, others = getattr(first, f"{kind}_names"), getattr(second, f"{kind}_names")
        assert set(names) == set(others)
        order = [others.index(name) for name in names]
        np.testing.assert_allclose(
            getattr(first, f"{kind}_features"), getattr(second, f"{kind}_features")[order], atol=2e-6
        )
    assert token_edges(first) == token_edges(second)
    assert root_name(first) == root_name(second)


def root_name(graph):
    return graph.body_names[graph.body_ids.tolist().index(graph.root_body)]


@pytest.mark.parametrize("name", ["ant", "half_cheetah", "humanoid", "pusher_v5", "reacher", "walker2d_v5"])
def test_gymnasium_bodies(name):
    first, second = graph_and_reversed((ASSETS / f"{name}.xml").read_text())
    assert first.num_actuators == 1 or first.actuator_names != second.actuator_names
    assert_same_but_for_order(first, second)


def test_tendons_sites_and_adhesion():
    leg = """<body name="leg{0}" pos="{0} 0 0"><joint name="hip{0}" axis="0 1 0" range="-40 {1}0"/>
        <geom type="capsule" size=".1" fromto="0 0 0 .{1} 0 -1"/><site name="s{0}" pos="0 .{1} -1"/></body>"""
    first, second = graph_and_reversed(f"""<mujoco><worldbody>
        <body name="torso"><freejoint/><geom size=".3"/>
          {leg.format(1, 5)}{leg.format(2, 3)}{leg.format(3, 4)}</body>
        <body name="twin"><joint name="t"/><geom size=".2"/></body></worldbody>
        <tendon><fixed name="f"><joint joint="hip1" coef="1"/><joint joint="hip2" coef="-2"/></fixed></tendon>
        <actuator><motor tendon="f"/><position joint="t" kp="3"/><adhesion body="leg2" ctrlrange="0 1"/>
          <motor site="s3" gear="0 0 1 0 0 0"/><muscle joint="hip3" lengthrange="-1 1" force="9"/>
        </actuator></mujoco>""")
    assert_same_but_for_order(first, second)


def test_twin_robots_share_a_root_whatever_the_order():
    robot = """<body name="{0}" pos="{1} 0 1"><joint name="j{0}"/><geom size=".1"/></body>"""
    first, second = graph_and_reversed(f"""<mujoco><worldbody>{robot.format("a", 2)}{robot.format("b", -2)}
        </worldbody><actuator><motor joint="ja"/><motor joint="jb"/></actuator></mujoco>""")
    assert root_name(first) == root_name(second) == "b"
    assert_same_but_for_order(first, second)


@st.composite
def limbed_bodies(draw):
    """MJCF of a torso with a random tree of limbs; all quantities random."""
    count = draw(st.integers(1, 7))
    parents = [draw(st.integers(-1, limb - 1)) for limb in range(count)]
    number = st.floats(-1, 1).map(lambda value: round(value, 3))
    limbs = [[] for _ in range(count)]
    text = [""] * count
    for limb in range(count):
        x, y, z, side = (draw(number) for _ in range(4))
        kind = draw(st.sampled_from(["hinge", "slide", "ball"]))
        limits = 'range="-30 50"' if draw(st.booleans()) and kind != "ball" else ""
        shape = draw(st.sampled_from(['type="capsule" size=".05 .2"', 'type="box" size=".1 .2 .3"', 'size=".1"']))
        text[limb] = (
            f'<body pos="{x} {y} {z}" euler="{40 * side} 0 {90 * x}"><joint name="j{limb}" type="{kind}" '
            f'axis="{x} {y} 1.5" {limits} damping="{abs(y)}" armature="{abs(z)}"/>'
            f'<geom {shape} pos="{side} 0 .1" density="{100 + 900 * abs(x)}"/>'
        )
        if parents[limb] >= 0:
            limbs[parents[limb]].append(limb)

    def nested(limb):
        return text[limb] + "".join(nested(child) for child in limbs[limb]) + "</body>"

    base = draw(st.sampled_from(["", "<freejoint/>", '<joint type="slide"/><joint axis="0 1 0"/>']))
    trunk = "".join(nested(limb) for limb in range(count) if parents[limb] < 0)
    motors = "".join(f'<motor joint="j{limb}" gear="{limb + 1} 2 3"/>' for limb in range(count))
    return (
        f'<mujoco><worldbody><body pos="0 0 1">{base}<geom size=".2"/>{trunk}</body></worldbody>'
        f"<actuator>{motors}</actuator></mujoco>"
    )


@settings(max_examples=40, deadline=None)
@given(limbed_bodies())
def test_random_limbs(xml):
    first, second = graph_and_reversed(xml)
    for features in (first.body_features, first.joint_features, first.actuator_features):
        assert np.isfinite(features).all()
        assert np.abs(features).max() < 8.0
    assert first.num_tokens == first.num_bodies + first.num_joints + first.num_actuators
    assert len(first.edges) == first.num_bodies - 1 + first.num_joints + first.num_actuators
    assert_same_but_for_order(first, second)
