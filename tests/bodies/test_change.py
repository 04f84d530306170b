"""Hidden changes of a body, and bodies as JSON."""

from __future__ import annotations

import json

import mujoco
import numpy as np
import pytest
import robots

from morphnet.bodies import Change, body_from_dict, body_to_dict, load_body, read_change
from morphnet.errors import BodyError, TaskError


def pushed(body, ctrl):
    """Forces of all joints in the start pose."""
    data = mujoco.MjData(body.model)
    data.ctrl[:] = ctrl
    mujoco.mj_forward(body.model, data)
    return data.qfrc_actuator.copy()


def test_a_change_is_in_the_physics_and_nowhere_else():
    body = load_body("hopper")
    changed = body.with_change(Change(mass=2.0, friction=0.25, actuators={"knee": 0.0, "hip": 0.5}))
    assert changed.source.sha256 == body.source.sha256
    assert changed.graph is body.graph
    heavy = load_body("hopper").model
    mujoco.mj_setTotalmass(heavy, 2 * body.model.body_mass.sum())
    mujoco.mj_setConst(heavy, mujoco.MjData(heavy))
    for field in ("body_mass", "body_inertia", "body_subtreemass", "body_invweight0", "dof_invweight0"):
        np.testing.assert_allclose(getattr(changed.model, field), getattr(heavy, field), err_msg=field)
    np.testing.assert_allclose(changed.model.geom_friction, 0.25 * body.model.geom_friction)
    forces, before = pushed(changed, 1.0), pushed(body, 1.0)
    order = [body.model.joint(name).dofadr[0] for name in ("hip", "knee", "ankle")]
    np.testing.assert_allclose(forces[order], before[order] * [0.5, 0.0, 1.0])
    assert before[order].all()


def test_servos_and_muscles_weaken_without_a_shift(tmp_path):
    path = tmp_path / "muscular.xml"
    path.write_text(robots.ACTIVATIONS)
    body = load_body(path)
    weak = body.with_change(Change(actuators={"servo": 0.5, "muscle": 0.5}))
    for activation in (0.0, 1.0):
        forces = []
        for one in (body, weak):
            data = mujoco.MjData(one.model)
            data.act[:], data.qpos[:] = activation, 0.05
            mujoco.mj_forward(one.model, data)
            forces.append(data.actuator_force[[3, 4]])
        np.testing.assert_allclose(forces[1], 0.5 * forces[0], atol=1e-12)
        assert np.abs(forces[0]).max() > 0.1


def test_a_body_is_changed_once():
    changed = load_body("hopper").with_change(Change(name="heavy", mass=2.0))
    with pytest.raises(BodyError, match="already changed"):
        changed.with_change(Change())


def test_read_from_toml(tmp_path):
    path = tmp_path / "dead_hip.toml"
    path.write_text("friction = 0.5\ndirection = [-1, 0]\n[actuators]\nhip = 0\n")
    expected = Change(name="dead_hip", friction=0.5, actuators={"hip": 0.0}, direction=(-1.0, 0.0))
    assert read_change(path) == expected
    assert load_body("hopper").with_change(expected).task.direction == (-1.0, 0.0)


@pytest.mark.parametrize(
    ("text", "helps"),
    [
        ("mas = 2", ["'mas'", "mass"]),
        ("mass = 0", ["mass", "above 0"]),
        ("friction = -1", ["friction", "-1"]),
        ('mass = "much"', ["mass", "much"]),
        ("actuators = 3", ["[actuators]"]),
        ("[actuators]\nhip = nan", ["hip"]),
        ("name = 3", ["name"]),
        ("direction = [1, 0, 0]", ["direction", "[x, y]"]),
        ("direction = 1", ["direction", "[x, y]"]),
        ("mass =", ["Invalid value"]),
    ],
)
def test_malformed_changes_are_one_line(tmp_path, text, helps):
    path = tmp_path / "change.toml"
    path.write_text(text)
    with pytest.raises(BodyError) as caught:
        read_change(path)
    (line,) = str(caught.value).splitlines()
    assert all(help in line for help in [str(path), *helps]), line


def test_a_direction_must_have_length_one():
    with pytest.raises(TaskError, match="length 1"):
        load_body("hopper").with_change(Change(direction=(2.0, 0.0)))


def test_unknown_actuators_and_files_are_named(tmp_path):
    with pytest.raises(BodyError, match="'hipp'; did you mean hip"):
        load_body("hopper").with_change(Change(actuators={"hipp": 0.0}))
    with pytest.raises(BodyError, match=r"none\.toml"):
        read_change(tmp_path / "none.toml")


def test_a_body_survives_json():
    body = load_body("hopper").with_change(Change(name="heavy", mass=2.0, direction=(0.0, 1.0)))
    copy = body_from_dict(json.loads(json.dumps(body_to_dict(body))), "here")
    assert (copy.name, copy.task, copy.change) == (body.name, body.task, body.change)
    assert copy.source.sha256 == body.source.sha256
    np.testing.assert_array_equal(copy.model.body_mass, body.model.body_mass)


def test_a_body_with_meshes_survives_json(tmp_path):
    corners = np.array([[x, y, z] for x in (0, 0.1) for y in (0, 0.1) for z in (0, 0.1)])
    (tmp_path / "cube.obj").write_text("\n".join(f"v {x} {y} {z}" for x, y, z in corners) + "\nf 1 2 3\nf 4 5 6\n")
    (tmp_path / "cube.xml").write_text(
        '<mujoco><asset><mesh file="cube.obj"/></asset><worldbody><body name="b"><joint name="j" axis="0 1 0"/>'
        '<geom type="mesh" mesh="cube"/></body></worldbody><actuator><motor joint="j"/></actuator></mujoco>'
    )
    body = load_body(tmp_path / "cube.xml")
    copy = body_from_dict(json.loads(json.dumps(body_to_dict(body))), "here")
    assert copy.source.sha256 == body.source.sha256
    np.testing.assert_array_equal(copy.model.mesh_vert, body.model.mesh_vert)


def test_damaged_bodies_are_refused():
    values = body_to_dict(load_body("hopper"))
    with pytest.raises(BodyError, match="sha256"):
        body_from_dict({**values, "mjcf": values["mjcf"].replace("1", "2")}, "here")
    with pytest.raises(BodyError, match="expected a body"):
        body_from_dict({"name": "x"}, "here")
    without = {key: value for key, value in values.items() if key != "mjcf"}
    for source in ({"mjcf": 3}, {"mjcf": None}, {"zip": "UEsDB"}, {"zip": 3}, {"zip": "ü"}):
        with pytest.raises(BodyError, match="here: the body's source is damaged"):
            body_from_dict({**without, **source}, "here")
    for wrong in ({"name": 3}, {"task": None}):
        with pytest.raises(BodyError, match="here: expected a body's name"):
            body_from_dict({**values, **wrong}, "here")
