import math

import mujoco
import numpy as np
import pytest

from morphnet.morphology import graph_from_model
from morphnet.morphology.actuator_features import ACTUATOR_FEATURE_NAMES, ACTUATOR_FEATURES
from morphnet.morphology.body_features import BODY_FEATURE_NAMES, BODY_FEATURES
from morphnet.morphology.geometry import body_extents, floor_height
from morphnet.morphology.joint_features import JOINT_FEATURE_NAMES, JOINT_FEATURES
from morphnet.morphology.scaling import stack
from morphnet.morphology.transmission import start_data

# A block of 1 kg with a limb of 3 kg, turned so that the limb's x points down in the world.
BLOCK = """<mujoco><option gravity="0 0 -9.81" density="{density}"/>
<worldbody><geom type="plane" size="9 9 1" pos="0 0 -.5"/>
  <body name="block" pos="{x} {y} 1"><freejoint name="{prefix}free"/>
    <geom name="{prefix}g" type="box" size=".1 .2 .3" mass="1" friction=".4"/>
    <geom type="sphere" size="5" mass="0" contype="0" conaffinity="0" rgba="1 0 0 {alpha}"/>
    <body name="{prefix}limb" pos="0 0 -.3" euler="0 90 0">
      <joint name="{prefix}hinge" axis="0 1 0" range="-30 60" limited="true" damping="2"
        stiffness="{stiffness}"/>
      <geom type="capsule" size=".05" fromto="0 0 0 .4 0 0" mass="3"/>
    </body></body></worldbody>
<actuator><motor name="{prefix}m" joint="{prefix}hinge" gear="20" ctrlrange="-1 1"/></actuator></mujoco>"""


def block(x=0.0, y=0.0, prefix="", alpha=1, density=0, stiffness=0):
    xml = BLOCK.format(x=x, y=y, prefix=prefix, alpha=alpha, density=density, stiffness=stiffness)
    return mujoco.MjModel.from_xml_string(xml)


def by_name(graph):
    return {
        "body": dict(zip(BODY_FEATURE_NAMES, graph.body_features.T, strict=True)),
        "joint": dict(zip(JOINT_FEATURE_NAMES, graph.joint_features.T, strict=True)),
        "actuator": dict(zip(ACTUATOR_FEATURE_NAMES, graph.actuator_features.T, strict=True)),
    }


def assert_same_features(first, second):
    for name in ("body_features", "joint_features", "actuator_features"):
        np.testing.assert_allclose(getattr(first, name), getattr(second, name), atol=1e-6)


def test_columns_have_one_name_each():
    graph = graph_from_model(block())
    for names, width, features in (
        (BODY_FEATURE_NAMES, BODY_FEATURES, graph.body_features),
        (JOINT_FEATURE_NAMES, JOINT_FEATURES, graph.joint_features),
        (ACTUATOR_FEATURE_NAMES, ACTUATOR_FEATURES, graph.actuator_features),
    ):
        assert len(set(names)) == len(names) == width == features.shape[1]


def test_a_column_without_a_name_is_refused():
    with pytest.raises(KeyError, match="spare"):
        stack({"known": np.zeros(2), "spare": np.zeros(2)}, ("known",))


def test_masses():
    body = by_name(graph_from_model(block()))["body"]
    np.testing.assert_allclose(body["mass"], [0.0, math.log10(math.sqrt(3))], atol=1e-6)
    np.testing.assert_allclose(body["mass_fraction"], [0.25, 0.75], atol=1e-6)


def test_bounding_boxes_are_exact_and_ignore_looks():
    model = block()
    extents = body_extents(model, start_data(model), np.array([1, 2]))
    np.testing.assert_allclose(extents.low, [[-0.1, -0.2, 0.7], [-0.05, -0.05, 0.25]], atol=1e-9)
    np.testing.assert_allclose(extents.high, [[0.1, 0.2, 1.3], [0.05, 0.05, 0.75]], atol=1e-9)
    np.testing.assert_allclose(extents.friction, [0.4, 1.0])
    np.testing.assert_allclose(extents.radius[1], 0.25)


@pytest.mark.parametrize(
    ("geom", "half"),
    [
        ('type="sphere" size=".3"', (0.3, 0.3, 0.3)),
        ('type="cylinder" size=".2 .5"', (0.5, 0.2, 0.2)),
        ('type="ellipsoid" size=".1 .2 .3"', (0.3, 0.1, 0.2)),
        ('type="box" size=".1 .2 .3"', (0.3, 0.1, 0.2)),
        ('type="capsule" size=".1 .4"', (0.5, 0.1, 0.1)),
    ],
)
def test_bounding_boxes_turn_with_the_body(geom, half):
    # The body's x, y and z lie along the world's y, z and x.
    model = mujoco.MjModel.from_xml_string(
        f'<mujoco><worldbody><body quat=".5 .5 .5 .5" pos="1 2 3"><joint/><geom {geom}/></body></worldbody></mujoco>'
    )
    extents = body_extents(model, start_data(model), np.array([1]))
    np.testing.assert_allclose((extents.high - extents.low)[0] / 2, half, atol=1e-9)
    np.testing.assert_allclose((extents.high + extents.low)[0] / 2, [1, 2, 3], atol=1e-9)


def test_a_mesh_has_the_box_of_its_vertices():
    model = mujoco.MjModel.from_xml_string("""<mujoco>
        <asset><mesh name="m" vertex="0 0 0  1 0 0  0 2 0  0 0 3"/></asset>
        <worldbody><body><joint/><geom type="mesh" mesh="m"/></body></worldbody></mujoco>""")
    extents = body_extents(model, start_data(model), np.array([1]))
    # The box stands along the mesh's principal axes: it holds the vertices, and not much more.
    assert (extents.low[0] <= 1e-6).all()
    assert (extents.high[0] >= np.array([1, 2, 3]) - 1e-6).all()
    assert (extents.high[0] - extents.low[0] < 5).all()


def test_a_body_that_touches_nothing_has_the_box_of_its_inertia():
    model = mujoco.MjModel.from_xml_string("""<mujoco><worldbody><body><joint/>
        <geom type="box" size=".1 .2 .3" contype="0" conaffinity="0"/></body></worldbody></mujoco>""")
    extents = body_extents(model, start_data(model), np.array([1]))
    np.testing.assert_allclose(extents.high, [[0.1, 0.2, 0.3]], atol=1e-9)
    assert not extents.collides[0]


def test_a_geom_in_a_contact_pair_collides_without_masks():
    ghost = 'contype="0" conaffinity="0"'
    model = mujoco.MjModel.from_xml_string(f"""<mujoco><worldbody>
        <geom name="f" type="plane" size="1 1 1" {ghost}/>
        <body><joint/><geom name="g" size=".1" {ghost}/></body></worldbody>
        <contact><pair geom1="f" geom2="g"/></contact></mujoco>""")
    assert body_extents(model, start_data(model), np.array([1])).collides[0]


def test_heights_count_from_the_floor():
    model = block()
    assert floor_height(model, start_data(model)) == -0.5
    body = by_name(graph_from_model(model))["body"]
    half_metres = np.sinh(body["height"])
    np.testing.assert_allclose(half_metres, [1.5 / 0.5, 1.2 / 0.5], rtol=1e-5)
    np.testing.assert_allclose(np.sinh(body["lowest_above_floor"]), [1.2 / 0.5, 0.75 / 0.5], rtol=1e-5)
    np.testing.assert_allclose(np.sinh(body["lowest_from_root"]), [-0.3 / 0.5, -0.75 / 0.5], rtol=1e-5)


def test_joints():
    joint = by_name(graph_from_model(block()))["joint"]
    assert joint["free"].tolist() == [1, 0]
    assert joint["hinge"].tolist() == [0, 1]
    assert joint["is_root"].tolist() == [1, 0]
    assert joint["actuated"].tolist() == [0, 1]
    np.testing.assert_allclose(joint["axis_y"], [0, 1])
    np.testing.assert_allclose(np.sinh(joint["from_root_z"][1]), -0.3 / 0.5, rtol=1e-5)
    np.testing.assert_allclose(np.sinh(joint["travel_low"][1]), -math.pi / 6, rtol=1e-5)
    np.testing.assert_allclose(np.sinh(joint["travel_high"][1]), math.pi / 3, rtol=1e-5)
    np.testing.assert_allclose(joint["start_in_range"][1], -1 / 3, rtol=1e-5)


def test_a_shift_of_a_joints_zero_is_no_change_of_the_robot():
    xml = """<mujoco><compiler angle="radian"/><worldbody><body>
        <joint name="j" axis="0 1 0" ref="{0}" springref="{0}" range="{1} {2}" stiffness="1"/>
        <geom type="capsule" size=".1" fromto="0 0 0 1 0 0"/></body></worldbody>
        <actuator><motor joint="j"/></actuator></mujoco>"""
    first, second = (
        graph_from_model(mujoco.MjModel.from_xml_string(xml.format(ref, ref - 1, ref + 2))) for ref in (0.0, 0.7)
    )
    np.testing.assert_allclose(first.body_features, second.body_features, atol=1e-6)
    np.testing.assert_allclose(first.joint_features, second.joint_features, atol=1e-6)


def test_standing_elsewhere_changes_nothing():
    assert_same_features(graph_from_model(block()), graph_from_model(block(x=37.0, y=-12.0)))


def test_names_and_looks_change_nothing():
    assert_same_features(graph_from_model(block()), graph_from_model(block(prefix="other_", alpha=0)))


def test_physics_changes_its_own_feature():
    plain, wet = by_name(graph_from_model(block())), by_name(graph_from_model(block(density=1000)))
    assert (wet["body"]["fluid_density"] > plain["body"]["fluid_density"]).all()
    springy = by_name(graph_from_model(block(stiffness=5)))
    assert springy["joint"]["stiffness"][1] > plain["joint"]["stiffness"][1]


def test_the_model_is_left_as_it_was():
    model = block()
    before = model.qpos0.copy(), model.body_mass.copy(), model.actuator_ctrlrange.copy()
    graph_from_model(model)
    for array, now in zip(before, (model.qpos0, model.body_mass, model.actuator_ctrlrange), strict=True):
        np.testing.assert_array_equal(array, now)
