import mujoco
import pytest

from morphnet.errors import BodyError
from morphnet.morphology import EdgeKind, base_from_graph, graph_from_model

GEOM = '<geom size=".1"/>'


def compile_model(worldbody, actuator="", extra=""):
    return mujoco.MjModel.from_xml_string(
        f"<mujoco><worldbody>{worldbody}</worldbody><actuator>{actuator}</actuator>{extra}</mujoco>"
    )


def named_edges(graph, kind):
    tokens = graph.body_names + graph.joint_names + graph.actuator_names
    return {(tokens[a], tokens[b]) for a, b, k in graph.edges if k == kind}


def test_a_model_without_actuators_has_nothing_to_control():
    model = compile_model(f'<body><joint type="hinge"/>{GEOM}</body>')
    with pytest.raises(BodyError, match="no actuator"):
        graph_from_model(model)


def test_actuators_that_move_nothing_are_nothing_to_control():
    model = compile_model(
        f'<body>{GEOM}<site name="s"/></body>', '<motor site="s" gear="0 0 1 0 0 0"/><motor site="s"/>'
    )
    with pytest.raises(BodyError, match="none of the model's 2 controls"):
        graph_from_model(model)


def test_an_unconnected_actuator_is_held_by_the_root_body():
    model = compile_model(
        f'<body name="torso"><joint name="j"/>{GEOM}</body>',
        '<motor name="works" joint="j"/><motor name="loose" joint="j" gear="0"/>',
    )
    graph = graph_from_model(model)
    assert graph.actuator_joints.tolist() == [[0, 0]]
    assert named_edges(graph, EdgeKind.BODY_ACTUATOR) == {("torso", "loose")}


def test_several_joints_on_one_body():
    model = compile_model(
        f"""<body name="base">{GEOM}<freejoint name="free"/>
              <body name="hip"><joint name="x" axis="1 0 0"/><joint name="y" axis="0 1 0"/>
                <joint name="z" axis="0 0 1"/>{GEOM}</body></body>""",
        '<motor joint="x"/><motor joint="z"/>',
    )
    graph = graph_from_model(model)
    assert named_edges(graph, EdgeKind.BODY_JOINT) == {
        ("base", "free"),
        ("hip", "x"),
        ("hip", "y"),
        ("hip", "z"),
    }
    assert graph.actuator_joints.tolist() == [[0, 1], [1, 3]]


def test_unnamed_elements_are_called_by_their_ids_and_actuators_by_their_joints():
    model = compile_model(f'<body><joint/>{GEOM}<body>{GEOM}<joint name="k"/></body></body>', 2 * '<motor joint="k"/>')
    graph = graph_from_model(model)
    assert graph.body_names == ("body1", "body2")
    assert graph.joint_names == ("joint0", "k")
    assert graph.actuator_names == ("k", "k_")


def test_a_fixed_arm_includes_its_pedestal_but_not_what_else_stands_on_it():
    model = compile_model(
        f"""<body name="table">{GEOM}
              <body name="lamp"><joint name="sway"/>{GEOM}</body>
              <body name="mount">{GEOM}
                <body name="upper"><joint name="shoulder"/>{GEOM}
                  <body name="fore"><joint name="elbow"/>{GEOM}<body name="hand">{GEOM}</body></body>
                </body></body></body>""",
        '<motor joint="shoulder"/><motor joint="elbow"/>',
    )
    graph = graph_from_model(model)
    assert graph.body_names == ("table", "mount", "upper", "fore", "hand")
    assert graph.body_parent.tolist() == [-1, 0, 1, 2, 3]
    assert graph.joint_names == ("shoulder", "elbow")
    assert graph.root_body == model.body("table").id
    assert graph.root_joint_ids.size == 0


def test_a_ball_in_a_tree_of_its_own_is_no_part_of_the_robot():
    model = compile_model(
        f"""<body name="ball"><freejoint/>{GEOM}</body>
            <body name="robot"><freejoint/>{GEOM}<body name="leg"><joint name="k"/>{GEOM}</body></body>""",
        '<motor joint="k"/>',
    )
    graph = graph_from_model(model)
    assert graph.body_names == ("robot", "leg")
    assert graph.root_joint_ids.tolist() == [1]
    assert base_from_graph(model, graph).z_qpos == 7 + 2
    assert base_from_graph(model, graph).z_dof == 6 + 2


def test_two_actuated_trees_are_one_robot_rooted_in_the_larger():
    model = compile_model(
        f"""<body name="small"><joint name="a"/>{GEOM}</body>
            <body name="large"><joint name="b"/>{GEOM}
              <body name="limb">{GEOM}<joint name="c"/></body></body>""",
        '<motor joint="a"/><motor joint="c"/>',
    )
    graph = graph_from_model(model)
    assert graph.body_names == ("small", "large", "limb")
    assert graph.body_parent.tolist() == [-1, -1, 1]
    assert graph.root_body == model.body("large").id
    assert graph.root_joint_ids.tolist() == [model.joint("b").id]


def test_a_mocap_body_is_no_part_of_the_robot():
    model = compile_model(
        f"""<body name="target" mocap="true">{GEOM}</body>
            <body name="robot"><joint name="a"/>{GEOM}</body>""",
        '<motor joint="a"/>',
    )
    assert graph_from_model(model).body_names == ("robot",)


def test_a_ball_base_yaws_in_place():
    model = compile_model(
        f"""<body name="a"><joint name="ball" type="ball"/>{GEOM}
              <body pos="0 0 1"><joint name="b"/>{GEOM}</body></body>""",
        '<motor joint="b"/>',
    )
    graph = graph_from_model(model)
    base = base_from_graph(model, graph)
    assert graph.root_joint_ids.tolist() == [model.joint("ball").id]
    assert base.can_yaw
    assert base.x_qpos is base.z_qpos is base.pitch_qpos is None


def test_base_axes_count_in_the_world_not_in_the_body():
    model = compile_model(
        f"""<body euler="90 0 0"><joint type="slide" axis="0 1 0"/><joint axis="0 0 1"/>{GEOM}
              <body><joint name="b"/>{GEOM}</body></body>""",
        '<motor joint="b"/>',
    )
    base = base_from_graph(model, graph_from_model(model))
    assert (base.y_qpos, base.z_qpos, base.pitch_qpos) == (None, 0, 1)
    assert not base.can_yaw


def test_arms_on_one_pedestal_have_no_base_joint():
    arm = '<body name="{0}"><joint name="{0}0"/>' + GEOM + "<body><joint name='{0}1'/>" + GEOM + "</body></body>"
    model = compile_model(
        f'<body name="table">{GEOM}{arm.format("left")}{arm.format("right")}</body>',
        '<motor joint="left1"/><motor joint="right1"/>',
    )
    graph = graph_from_model(model)
    assert graph.num_bodies == 5
    assert graph.root_joint_ids.size == 0
