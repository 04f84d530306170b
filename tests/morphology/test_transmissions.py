"""Actuators of every kind: which joints they move, and how strongly."""

import mujoco
import numpy as np
import pytest

from morphnet.morphology import graph_from_model
from morphnet.morphology.actuator_features import ACTUATOR_FEATURE_NAMES
from morphnet.morphology.strength import force_limits
from morphnet.morphology.transmission import start_data

# A floating body with a thigh and a shank that hinge on it, and a tail on a ball joint.
LIMBS = """
<body name="torso" pos="0 0 2"><freejoint name="free"/><geom size=".2"/><site name="top" pos=".1 0 .2"/>
  <body name="thigh" pos="0 0 -.2"><joint name="hip" axis="0 1 0"/><geom type="capsule" size=".05"
      fromto="0 0 0 .1 0 -.5"/><site name="mid" pos=".2 0 -.2"/>
    <body name="shank" pos=".1 0 -.5"><joint name="knee" axis="0 1 0" range="-60 60"/><geom type="capsule"
      size=".05" fromto="0 0 0 -.1 0 -.5"/><site name="foot" pos="0 .1 -.5"/></body></body>
  <body name="tail" pos="-.3 0 0"><joint name="ball" type="ball"/><geom type="capsule" size=".05"
      fromto="0 0 0 -.3 0 0"/></body>
</body>"""
TENDONS = """<tendon>
  <fixed name="coupled"><joint joint="hip" coef="1"/><joint joint="knee" coef="-.5"/></fixed>
  <spatial name="cable"><site site="mid"/><site site="foot"/></spatial>
</tendon>"""


def limbs(actuator):
    return mujoco.MjModel.from_xml_string(
        f"<mujoco><worldbody>{LIMBS}</worldbody>{TENDONS}<actuator>{actuator}</actuator></mujoco>"
    )


def feature(graph, name):
    return graph.actuator_features[:, ACTUATOR_FEATURE_NAMES.index(name)]


def torques(model):
    """Low and high torque of the first control on each joint's first degree of freedom, by joint name."""
    low, high = force_limits(model, start_data(model))
    dofs = {model.joint(j).name: model.jnt_dofadr[j] for j in range(model.njnt)}
    return {name: (low[0, dof], high[0, dof]) for name, dof in dofs.items()}


@pytest.mark.parametrize(
    ("actuator", "joints"),
    [
        ('<motor joint="hip"/>', {"hip"}),
        ('<motor jointinparent="ball" gear="0 0 1"/>', {"ball"}),
        ('<motor tendon="coupled"/>', {"hip", "knee"}),
        ('<motor tendon="cable"/>', {"knee"}),
        ('<motor site="foot" gear="1 0 0 0 0 0"/>', {"free", "hip", "knee"}),
        ('<motor site="foot" refsite="top" gear="1 0 0 0 0 0"/>', {"hip", "knee"}),
        ('<muscle tendon="cable" lengthrange=".1 1"/>', {"knee"}),
        ('<position joint="knee"/>', {"knee"}),
        ('<velocity joint="knee"/>', {"knee"}),
        ('<intvelocity joint="knee" actrange="-1 1"/>', {"knee"}),
        ('<damper joint="knee" ctrlrange="0 1"/>', {"knee"}),
        ('<cylinder joint="knee"/>', {"knee"}),
    ],
)
def test_joints_of_a_transmission(actuator, joints):
    graph = graph_from_model(limbs(actuator))
    assert {graph.joint_names[joint] for _, joint in graph.actuator_joints} == joints
    assert graph.actuator_bodies.shape == (0, 2)
    assert feature(graph, "num_joints") == pytest.approx(len(joints) / 4)
    assert np.isfinite(graph.actuator_features).all()


def test_slider_crank_moves_the_cranks_joint_even_from_its_dead_centre():
    model = mujoco.MjModel.from_xml_string("""<mujoco><worldbody>
        <site name="slider" pos="0 0 0" zaxis="1 0 0"/>
        <body name="wheel" pos="2 0 0"><joint name="axle" axis="0 1 0"/><geom size=".2"/>
          <site name="pin" pos=".5 0 0"/></body></worldbody>
        <actuator><motor cranksite="pin" slidersite="slider" cranklength="1.5"/></actuator></mujoco>""")
    graph = graph_from_model(model)
    assert graph.actuator_joints.tolist() == [[0, 0]]
    assert feature(graph, "slider_crank") == 1.0


def test_a_drones_thrusters_push_its_free_joint_which_stays_its_base():
    arms = "".join(f'<site name="r{i}" pos="{x} {y} 0"/>' for i, (x, y) in enumerate([(1, 0), (0, 1), (-1, 0)]))
    thrust = "".join(f'<motor site="r{i}" gear="0 0 1 0 0 .1" ctrlrange="0 9"/>' for i in range(3))
    model = mujoco.MjModel.from_xml_string(
        f"<mujoco><worldbody><body><freejoint/><geom size='.1'/>{arms}</body></worldbody>"
        f"<actuator>{thrust}</actuator></mujoco>"
    )
    graph = graph_from_model(model)
    assert graph.actuator_joints.tolist() == [[0, 0], [1, 0], [2, 0]]
    assert graph.root_joint_ids.tolist() == [0]


def test_adhesion_acts_on_a_body():
    graph = graph_from_model(limbs('<motor joint="hip"/><adhesion body="shank" ctrlrange="0 1"/>'))
    assert graph.actuator_bodies.tolist() == [[1, graph.body_names.index("shank")]]
    assert graph.actuator_joints[:, 0].tolist() == [0]


def test_adhesion_alone_makes_its_tree_the_robot():
    graph = graph_from_model(limbs('<adhesion body="shank" ctrlrange="0 1"/>'))
    assert graph.body_names == ("torso", "thigh", "shank", "tail")
    assert graph.actuator_joints.shape == (0, 2)


def test_each_control_of_a_many_input_actuator_is_a_token():
    model = limbs('<orientation name="o" joint="ball" kp="5"/><pid name="p" joint="hip" kp="3"/>')
    graph = graph_from_model(model)
    assert graph.num_actuators == model.nu == 5
    assert graph.actuator_names == ("o[0]", "o[1]", "o[2]", "p[0]", "p[1]")
    ball, hip = graph.joint_names.index("ball"), graph.joint_names.index("hip")
    assert graph.actuator_joints.tolist() == [[0, ball], [1, ball], [2, ball], [3, hip], [4, hip]]


def test_motor_torque_is_gear_times_control():
    assert torques(limbs('<motor joint="hip" gear="3" ctrlrange="-2 5"/>'))["hip"] == pytest.approx((-6, 15))


def test_an_unlimited_control_counts_from_minus_one_to_one():
    assert torques(limbs('<motor joint="hip" gear="-3"/>'))["hip"] == pytest.approx((3, -3))


def test_a_tendon_shares_its_force_out():
    found = torques(limbs('<motor tendon="coupled" gear="2" ctrlrange="-1 1"/>'))
    assert found["hip"] == pytest.approx((-2, 2))
    assert found["knee"] == pytest.approx((1, -1))
    assert found["ball"] == (0, 0)


def test_a_servo_pulls_until_its_force_limit():
    servo = '<position joint="hip" kp="10" ctrlrange="-1 2" {}/>'
    assert torques(limbs(servo.format("")))["hip"] == pytest.approx((-10, 20))
    assert torques(limbs(servo.format('forcerange="-4 15"')))["hip"] == pytest.approx((-4, 15))


def test_a_joints_own_limit_on_actuator_torque_holds():
    model = limbs('<motor joint="hip" gear="100" ctrlrange="-1 1"/>')
    model.jnt_actfrclimited[model.joint("hip").id] = True
    model.jnt_actfrcrange[model.joint("hip").id] = [-7, 9]
    assert torques(model)["hip"] == pytest.approx((-7, 9))


def test_a_tendons_limit_holds_for_each_actuator_alone():
    """Together an actuator of 5 N and one of 1 N would share the tendon's 3 N; each by itself has all of it."""
    model = mujoco.MjModel.from_xml_string("""<mujoco><worldbody><body><joint name="slide" type="slide"/>
      <geom size=".1"/></body></worldbody><tendon><fixed name="rope" actuatorfrcrange="-2 3">
      <joint joint="slide" coef="1"/></fixed></tendon><actuator><general tendon="rope" gainprm="5" ctrlrange="-1 1"/>
      <motor tendon="rope" gear="1" ctrlrange="-1 1"/><motor joint="slide" gear="7" ctrlrange="-1 1"/>
      </actuator></mujoco>""")
    low, high = force_limits(model, start_data(model))
    alone = []
    for control in range(3):
        data = mujoco.MjData(model)
        data.ctrl[control] = 1.0
        mujoco.mj_forward(model, data)
        alone.append(data.qfrc_actuator[0])
    assert high[:, 0] == pytest.approx(alone)
    assert high[:, 0] == pytest.approx([3, 1, 7])
    assert low[:, 0] == pytest.approx([-2, -1, -7])


def test_filters_and_delays_take_nothing_from_the_torque():
    slow = '<general joint="hip" gear="3" ctrlrange="-1 1" dyntype="filter" dynprm=".2"/>'
    late = '<motor joint="hip" gear="3" ctrlrange="-1 1" delay=".1" nsample="60"/>'
    assert torques(limbs(slow))["hip"] == pytest.approx((-3, 3))
    model = limbs(late)
    assert torques(model)["hip"] == pytest.approx((-3, 3))
    assert model.actuator_delay[0] == 0.1


def test_an_integrator_ends_at_the_limits_of_its_activation():
    servo = '<intvelocity joint="hip" kp="10" ctrlrange="-3 3" actrange="-.5 .7"/>'
    assert torques(limbs(servo))["hip"] == pytest.approx((-5, 7))


def test_a_muscle_only_pulls():
    model = limbs('<muscle tendon="cable" lengthrange=".1 1" force="50"/>')
    mujoco.mj_setConst(model, mujoco.MjData(model))
    (slack, pull) = torques(model)["knee"]
    moment = feature(graph_from_model(model), "moment")[0]
    # A muscle's force is negative, it shortens the tendon; at rest only its passive elasticity is left.
    assert abs(slack) < 1.0 < abs(pull)
    assert np.sign(pull) == -np.sign(moment)


def test_a_stronger_gear_is_stronger_relative_to_weight_and_inertia():
    weak, strong = (graph_from_model(limbs(f'<motor joint="hip" gear="{gear}"/>')) for gear in (10, 1000))
    # Half a decimal logarithm: a hundred times the torque is one more.
    assert feature(strong, "strength") - feature(weak, "strength") == pytest.approx(1.0, abs=1e-5)
    assert feature(strong, "acceleration") - feature(weak, "acceleration") == pytest.approx(1.0, abs=1e-5)
