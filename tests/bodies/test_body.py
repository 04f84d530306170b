"""Bodies: how they are named, what is added to them, and that their source compiles anywhere."""

import shutil
import subprocess
import sys
from pathlib import Path

import gymnasium
import mujoco
import numpy as np
import pytest
import robots

from morphnet.bodies import Task, load_body, read_mjcf
from morphnet.errors import BodyError, MorphNetError

GYMNASIUM = Path(gymnasium.__file__).parent / "envs" / "mujoco" / "assets"
TETRAHEDRON = "v 0 0 0\nv .2 0 0\nv 0 .3 0\nv 0 0 .4\nf 1 3 2\nf 1 2 4\nf 2 3 4\nf 3 1 4\n"


def robot(world="", trunk="", actuator='<motor joint="j"/>', head="", free="<freejoint/>", limb=""):
    return f"""<mujoco>{head}<worldbody>{world}<body name="trunk" pos="0 0 .5">{free}<geom size=".1"/>{trunk}
      <body name="limb" pos=".1 0 0"><joint name="j" axis="0 1 0"/><geom size=".1" pos=".1 0 0"/>{limb}</body></body>
      </worldbody><actuator>{actuator}</actuator></mujoco>"""


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def assert_same_physics(first, second):
    """Two models roll out alike, which everything that matters in them has a part in."""
    states = []
    for model in (first, second):
        data = mujoco.MjData(model)
        data.ctrl[:] = 0.3
        mujoco.mj_step(model, data, 300)
        states.append(np.concatenate([data.qpos, data.qvel, data.xpos.ravel()]))
    assert np.array_equal(*states)


# --- names --------------------------------------------------------------------------------------------------


def test_three_kinds_of_names(tmp_path):
    suite, path = load_body("hopper"), write(tmp_path / "mine" / "my_robot.xml", robot())
    assert suite.name == "hopper"
    assert suite.model.nu == 3
    gym = load_body("gymnasium:ant")
    assert gym.name == "gymnasium:ant"
    assert_same_physics(gym.model, mujoco.MjModel.from_xml_path(str(GYMNASIUM / "ant.xml")))
    own = load_body(path)
    assert own.name == "my_robot"
    assert load_body(str(path)).source.sha256 == own.source.sha256


def test_paths_may_be_relative_or_from_home(tmp_path, monkeypatch):
    write(tmp_path / "robots" / "mine.xml", robot())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_body("robots/mine.xml").model.nu == 1
    assert load_body("~/robots/mine.xml").model.nu == 1
    monkeypatch.chdir(tmp_path / "robots")
    assert load_body("mine.xml").model.nu == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hoper", r"^unknown body 'hoper'; did you mean hopper, .*gymnasium:NAME, or a path"),
        ("gymnasium:half_cheetahs", r"^unknown body 'gymnasium:half_cheetahs'; did you mean half_cheetah"),
        ("xyzzy", r"^unknown body 'xyzzy'; valid: ant, "),
        ("nowhere/robot.xml", r"^nowhere/robot\.xml: no such MJCF file"),
        ("robot.xml", r"^robot\.xml: no such MJCF file"),
        (".", r"^unknown body '\.'"),
        ("", r"^unknown body ''"),
    ],
)
def test_unknown_names(tmp_path, monkeypatch, name, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BodyError, match=message) as caught:
        load_body(name)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, MorphNetError)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<mujoco><worldbody>", "not an MJCF that MuJoCo compiles: XML parse error"),
        ("", "not an MJCF that MuJoCo compiles"),
        ("<mujoco><worldbody><body><geom size='-1'/></body></worldbody></mujoco>", "not an MJCF .*size"),
        (robot(actuator='<motor joint="nope"/>'), "not an MJCF .*nope"),
        (robot(head='<asset><mesh file="gone.obj"/></asset>'), r"not an MJCF .*gone\.obj"),
        (robot(head='<include file="gone.xml"/>'), r"not an MJCF .*gone\.xml"),
        (robot(actuator=""), "no actuator"),
    ],
)
def test_files_that_are_no_robot(tmp_path, text, message):
    path = write(tmp_path / "robot.xml", text)
    with pytest.raises(BodyError, match=message) as caught:
        load_body(path)
    assert "robot" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_damaged_zip_is_named(tmp_path):
    path = tmp_path / "body.zip"
    path.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(BodyError, match=r"body\.zip: not an MJCF"):
        read_mjcf(path)


def test_compiling_prints_nothing(tmp_path):
    """MuJoCo warns of Gymnasium's older files on standard error and in MUJOCO_LOG.TXT."""
    code = "from morphnet import load_body; load_body('gymnasium:half_cheetah')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout == done.stderr == ""
    assert not list(tmp_path.iterdir())


# --- the floor ----------------------------------------------------------------------------------------------


def floors(model):
    return [g for g in range(model.ngeom) if model.geom_type[g] == mujoco.mjtGeom.mjGEOM_PLANE]


def test_a_free_body_without_a_floor_gets_one_below_it(tmp_path):
    body = load_body(write(tmp_path / "robot.xml", robot(trunk='<geom size=".1" pos="0 0 -2"/>')))
    (floor,) = floors(body.model)
    data = mujoco.MjData(body.model)
    mujoco.mj_forward(body.model, data)
    assert data.geom_xpos[floor, 2] == pytest.approx(0.5 - 2 - 0.1), "just below the lowest sphere"
    assert not any(contact.dist < 0 for contact in data.contact[: data.ncon])
    mujoco.mj_step(body.model, data, 2000)
    assert data.geom_xpos[:, 2].min() > 0.5 - 2 - 0.1 - 0.01, "it lies on the floor"


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("it has one", robot(world='<geom type="plane" size="1 1 1"/>')),
        ("it has one in a fixed body", robot(world='<body><geom type="plane" size="1 1 1"/></body>')),
        ("it cannot fall", robot(free="")),
        ("it slides on rails", robot(free='<joint type="slide" axis="1 0 0"/>')),
        ("nothing pulls it down", robot(head='<option gravity="0 0 0"/>')),
    ],
)
def test_no_floor_is_added_where(tmp_path, reason, text):
    path = write(tmp_path / "robot.xml", text)
    body = load_body(path)
    assert body.model.ngeom == mujoco.MjModel.from_xml_string(text).ngeom, reason
    assert body.source.data == path.read_bytes(), "the source is the user's file, to the byte"
    assert body.source.suffix == ".xml"


def test_gymnasiums_files_stay_as_they_are():
    for name in ("ant", "hopper", "pusher_v5"):
        body = load_body(f"gymnasium:{name}")
        assert body.source.data == (GYMNASIUM / f"{name}.xml").read_bytes()


# --- the source ---------------------------------------------------------------------------------------------


def elsewhere(body, folder):
    """Compile a body's source where nothing else is."""
    folder.mkdir()
    path = folder / f"body{body.source.suffix}"
    path.write_bytes(body.source.data)
    return read_mjcf(path, add_floor=False)


def test_a_source_with_a_floor_added_has_it_too(tmp_path):
    body = load_body(write(tmp_path / "robot.xml", robot()))
    model, source = elsewhere(body, tmp_path / "else")
    assert len(floors(model)) == 1
    assert source.sha256 == body.source.sha256
    assert_same_physics(body.model, model)


def test_a_changed_source_is_the_same_robot_to_the_bit(tmp_path):
    body = load_body(write(tmp_path / "robot.xml", robots.WALKER_WITHOUT_FLOOR))
    assert_same_physics(body.model, elsewhere(body, tmp_path / "else")[0])


def test_included_files_are_in_the_source(tmp_path):
    write(tmp_path / "in" / "limb.xml", '<mujocoinclude><geom size=".05" pos="0 0 .2"/></mujocoinclude>')
    write(tmp_path / "in" / "motors.xml", '<mujoco><actuator><motor joint="j"/></actuator></mujoco>')
    text = robot(limb='<include file="limb.xml"/>', actuator="", head='<include file="motors.xml"/>')
    body = load_body(write(tmp_path / "in" / "robot.xml", text))
    assert (body.model.nu, body.model.ngeom) == (1, 4), "three of the robot's and a floor"
    shutil.rmtree(tmp_path / "in")
    model, _ = elsewhere(body, tmp_path / "else")
    assert_same_physics(body.model, model)


def test_attached_models_are_in_the_source(tmp_path):
    write(
        tmp_path / "in" / "part.xml", '<mujoco><worldbody><body name="b"><geom size=".05"/></body></worldbody></mujoco>'
    )
    head = '<asset><model name="part" file="part.xml"/></asset>'
    text = robot(
        head=head, world='<geom type="plane" size="1 1 1"/>', limb='<attach model="part" body="b" prefix="p_"/>'
    )
    body = load_body(write(tmp_path / "in" / "robot.xml", text))
    shutil.rmtree(tmp_path / "in")
    model, _ = elsewhere(body, tmp_path / "else")
    assert_same_physics(body.model, model)


MESH_HEAD = '<compiler meshdir="{folder}"/><asset><mesh name="tet" file="{file}"/></asset>'


def with_mesh(folder="meshes", file="tet.obj", **more):
    head = MESH_HEAD.format(folder=folder, file=file)
    return robot(head=head, limb='<geom type="mesh" mesh="tet" pos="0 .1 .2"/>', **more)


@pytest.mark.parametrize(
    ("folder", "file", "where"),
    [
        ("meshes", "tet.obj", "in/meshes/tet.obj"),
        ("", "tet.obj", "in/tet.obj"),
        ("", "deep/tet.obj", "in/deep/tet.obj"),
        ("../shared", "tet.obj", "shared/tet.obj"),
    ],
)
@pytest.mark.parametrize("floor", ['<geom type="plane" size="1 1 1"/>', ""], ids=["floor", "no floor"])
def test_meshes_travel_with_the_source(tmp_path, folder, file, where, floor):
    write(tmp_path / where, TETRAHEDRON)
    body = load_body(write(tmp_path / "in" / "robot.xml", with_mesh(folder, file, world=floor)))
    assert body.source.suffix == ".zip"
    shutil.rmtree(tmp_path / "in")
    (tmp_path / where).unlink(missing_ok=True)
    model, source = elsewhere(body, tmp_path / "else")
    assert model.nmesh == 1
    assert source.sha256 == body.source.sha256
    assert_same_physics(body.model, model)


def test_two_meshes_of_one_file_name_stay_apart(tmp_path):
    write(tmp_path / "in" / "left" / "tet.obj", TETRAHEDRON)
    write(tmp_path / "in" / "right" / "tet.obj", TETRAHEDRON.replace("v .2 0 0", "v .9 0 0"))
    head = '<asset><mesh name="l" file="left/tet.obj"/><mesh name="r" file="right/tet.obj"/></asset>'
    text = robot(head=head, limb='<geom type="mesh" mesh="l"/><geom type="mesh" mesh="r" pos="0 .3 0"/>')
    body = load_body(write(tmp_path / "in" / "robot.xml", text))
    shutil.rmtree(tmp_path / "in")
    assert_same_physics(body.model, elsewhere(body, tmp_path / "else")[0])


def test_the_hash_tells_meshes_apart(tmp_path):
    path = write(tmp_path / "robot.xml", with_mesh(""))
    hashes = []
    for corner in ("v .2 0 0", "v .2 0 0", "v .25 0 0"):
        write(tmp_path / "tet.obj", TETRAHEDRON.replace("v .2 0 0", corner))
        hashes.append(load_body(path).source.sha256)
    assert hashes[0] == hashes[1], "equal robots have equal hashes"
    assert hashes[0] != hashes[2]


# --- the body -----------------------------------------------------------------------------------------------


def test_a_body_knows_its_control_step_and_takes_other_tasks():
    body = load_body("gymnasium:ant")
    assert (body.frame_skip, body.control_step) == (5, pytest.approx(0.05))
    slower = body.with_task(Task(frame_skip=8))
    assert (slower.frame_skip, body.frame_skip) == (8, 5)
    assert slower.model is body.model
    assert load_body("hopper", Task(frame_skip=3)).frame_skip == 3


def test_a_body_takes_shorter_episodes_and_no_longer_ones():
    body = load_body("gymnasium:half_cheetah")
    assert (body.control_step, body.task.max_episode_steps) == (pytest.approx(0.05), 1000)
    assert body.with_episodes_of(12.5).task.max_episode_steps == 250
    assert body.with_episodes_of(1e9).task.max_episode_steps == 1000
    assert body.with_episodes_of(0.001).task.max_episode_steps == 1
    assert body.with_episodes_of(12.5).task.replace(max_episode_steps=1000) == body.task


def test_robosuites_robots_are_found_without_importing_it(tmp_path, monkeypatch):
    folder = tmp_path / "robosuite_models" / "assets" / "robots" / "puck"
    folder.mkdir(parents=True)
    (tmp_path / "robosuite_models" / "__init__.py").write_text("raise RuntimeError")
    (folder / "robot.xml").write_text(robots.DRIFTER)
    with pytest.raises(BodyError, match=r"^robosuite:puck: .*pip install \"morphnet\[robots\]\""):
        load_body("robosuite:puck")
    monkeypatch.syspath_prepend(tmp_path)
    body = load_body("robosuite:puck")
    assert (body.name, body.model.nu) == ("robosuite:puck", 1)
    with pytest.raises(BodyError, match=r"^unknown body 'robosuite:pukc'; did you mean puck"):
        load_body("robosuite:pukc")
