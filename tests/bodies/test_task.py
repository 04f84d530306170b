"""Task: what a TOML may say, what it is told when it is wrong, and Gymnasium's own values."""

import inspect
import math
import re

import gymnasium
import pytest
from gymnasium.envs.mujoco.ant_v5 import AntEnv
from gymnasium.envs.mujoco.half_cheetah_v5 import HalfCheetahEnv
from gymnasium.envs.mujoco.hopper_v5 import HopperEnv
from gymnasium.envs.mujoco.humanoid_v5 import HumanoidEnv
from gymnasium.envs.mujoco.swimmer_v5 import SwimmerEnv
from gymnasium.envs.mujoco.walker2d_v5 import Walker2dEnv

from morphnet.bodies import Task, load_body, task_from_dict
from morphnet.errors import MorphNetError, TaskError

ENVIRONMENTS = {
    "hopper": (HopperEnv, "Hopper-v5"),
    "half_cheetah": (HalfCheetahEnv, "HalfCheetah-v5"),
    "walker2d_v5": (Walker2dEnv, "Walker2d-v5"),
    "swimmer": (SwimmerEnv, "Swimmer-v5"),
    "ant": (AntEnv, "Ant-v5"),
    "humanoid": (HumanoidEnv, "Humanoid-v5"),
}


def assert_range(limits, expected):
    assert limits == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_gymnasium_tasks_equal_the_defaults_of_its_constructors(name):
    constructor, env_id = ENVIRONMENTS[name]
    parameters = inspect.signature(constructor.__init__).parameters
    default = {key: parameter.default for key, parameter in parameters.items()}
    task = load_body(f"gymnasium:{name}").task
    assert task.frame_skip == default["frame_skip"]
    assert task.forward_weight == default["forward_reward_weight"]
    assert task.ctrl_cost == default["ctrl_cost_weight"]
    assert task.healthy_reward == default.get("healthy_reward", 0.0)
    assert task.qpos_noise == default["reset_noise_scale"]
    assert task.qvel_noise == default["reset_noise_scale"]
    assert task.max_episode_steps == gymnasium.spec(env_id).max_episode_steps
    assert_range(task.height, default.get("healthy_z_range"))
    assert_range(task.angle, default.get("healthy_angle_range"))
    assert task.contact_cost == default.get("contact_cost_weight", 0.0)
    assert task.contact_force_limit == default.get("contact_force_range", (0, math.inf))[1]
    assert task.contact_cost_limit == default.get("contact_cost_range", (0, math.inf))[1]
    assert task.state_limit == default.get("healthy_state_range", (0, math.inf))[1]
    assert default.get("terminate_when_unhealthy", True)
    assert task.direction == (1.0, 0.0)
    assert task.tilt is None


def test_a_gymnasium_file_without_an_environment_gets_a_derived_task():
    body = load_body("gymnasium:reacher")
    assert body.task == Task(frame_skip=body.task.frame_skip, velocity="body"), "its base carries no x"
    assert body.control_step == pytest.approx(0.02)


# --- reading ------------------------------------------------------------------------------------------------


def test_values_are_taken_over_and_the_rest_kept():
    base = Task(frame_skip=9, tilt=0.5)
    task = task_from_dict({"direction": [0, -1], "ctrl_cost": 2, "height": [0.1, math.inf]}, "x.toml", base)
    assert task == Task(frame_skip=9, tilt=0.5, direction=(0.0, -1.0), ctrl_cost=2.0, height=(0.1, math.inf))
    assert isinstance(task.ctrl_cost, float)


def test_to_dict_and_back():
    task = Task(frame_skip=3, angle=(-1.0, 1.0), direction=(0.6, 0.8), velocity="body", state_limit=5.0)
    values = task.to_dict()
    assert values == {
        "frame_skip": 3,
        "angle": [-1.0, 1.0],
        "direction": [0.6, 0.8],
        "velocity": "body",
        "state_limit": 5.0,
    }
    assert task_from_dict(values, "again") == task
    assert Task().to_dict() == {}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"frame_skipp": 4}, r"x\.toml \[leg\]: unknown key 'frame_skipp'; did you mean frame_skip"),
        ({"frame_skip": 2.5}, r"x\.toml \[leg\]: frame_skip = 2\.5: expected int"),
        ({"frame_skip": True}, r"x\.toml \[leg\]: frame_skip = True: expected int"),
        ({"frame_skip": 0}, r"x\.toml \[leg\]: frame_skip .*at least 1"),
        ({"max_episode_steps": 0}, r"x\.toml \[leg\]: .*max_episode_steps .*at least 1"),
        ({"ctrl_cost": "much"}, r"x\.toml \[leg\]: ctrl_cost = 'much': expected float"),
        ({"ctrl_cost": False}, r"x\.toml \[leg\]: ctrl_cost = False: expected float"),
        ({"tilt": math.nan}, r"x\.toml \[leg\]: tilt = nan: expected float"),
        ({"height": 0.7}, r"x\.toml \[leg\]: height = 0\.7: expected tuple"),
        ({"height": [0.7]}, r"x\.toml \[leg\]: height = \[0\.7\]: expected tuple"),
        ({"height": [0.7, "high"]}, r"x\.toml \[leg\]: height = .*: expected tuple"),
        ({"height": [2.0, 1.0]}, r"x\.toml \[leg\]: height = \[2\.0, 1\.0\]: the lower limit must be below"),
        ({"angle": [1, 1]}, r"x\.toml \[leg\]: angle = .*: the lower limit must be below"),
        ({"discount": 0.0}, r"x\.toml \[leg\]: discount = 0\.0: must lie in \(0, 1\]"),
        ({"discount": 1.5}, r"x\.toml \[leg\]: discount = 1\.5: must lie in \(0, 1\]"),
        ({"direction": [1, 1]}, r"x\.toml \[leg\]: direction = \[1\.0, 1\.0\]: must have length 1"),
        ({"direction": [math.inf, 0]}, r"x\.toml \[leg\]: direction = .*: must have length 1"),
        ({"velocity": "bodi"}, r"x\.toml \[leg\]: velocity = 'bodi': did you mean body"),
        ({"velocity": 1}, r"x\.toml \[leg\]: velocity = 1: expected str"),
        ({"qvel_noise_kind": "poisson"}, r"x\.toml \[leg\]: qvel_noise_kind = 'poisson': .*uniform"),
        ({"inner": {"frame_skip": 4}}, r"x\.toml \[leg\]: unknown key 'inner'"),
        ({"kind": "reech"}, r"x\.toml \[leg\]: kind = 'reech': did you mean reach"),
        ({"kind": "reach"}, r"x\.toml \[leg\]: kind = \"reach\": needs end_effector"),
        ({"end_effector": "tip"}, r"x\.toml \[leg\]: end_effector = 'tip': goes with kind = \"reach\""),
        ({"goal": [1, 2, 3]}, r"x\.toml \[leg\]: goal = .*: goes with kind"),
        ({"kind": "reach", "end_effector": "tip", "goal": [1, 2]}, r"x\.toml \[leg\]: goal = \[1, 2\]: expected tuple"),
        (
            {"kind": "reach", "end_effector": "tip", "goal": [1, 2, math.inf]},
            r"x\.toml \[leg\]: goal = .*: expected a point",
        ),
        ({"goal_tolerance": 0.0}, r"x\.toml \[leg\]: goal_tolerance = 0\.0: must be above 0"),
        ({"distance_cost": math.inf}, r"x\.toml \[leg\]: distance_cost = inf: must be finite"),
    ],
)
def test_faults_are_named_with_file_and_key(values, message):
    with pytest.raises(TaskError, match=f"^{message}") as caught:
        task_from_dict(values, "x.toml [leg]")
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, MorphNetError)


@pytest.mark.parametrize(
    "values",
    [
        {"qpos_noise": -1.0},
        {"qvel_noise": -0.1},
        {"qvel_noise": math.inf},
        {"ctrl_cost": math.inf},
        {"healthy_reward": -math.inf},
        {"state_limit": -1.0},
        {"tilt": -0.5},
    ],
)
def test_numbers_that_no_simulation_can_use_are_faults(values):
    """Negative noise or limits and infinite weights would end in a traceback, NaN rewards or episodes of one step."""
    key = next(iter(values))
    with pytest.raises(TaskError, match=rf"^x\.toml: {key}"):
        task_from_dict(values, "x.toml")


# --- where it is read from ----------------------------------------------------------------------------------

ROBOT = """<mujoco><worldbody><geom type="plane" size="0 0 1"/><body pos="0 0 .5"><freejoint/><geom size=".1"/>
  <body pos=".1 0 0"><joint name="j" axis="0 1 0"/><geom size=".1" pos=".1 0 0"/></body></body></worldbody>
  <actuator><motor joint="j"/></actuator></mujoco>"""


@pytest.fixture
def folder(tmp_path):
    for name in ("walker", "walker_short", "walker_short_heavy", "walkershort", "hopper"):
        (tmp_path / f"{name}.xml").write_text(ROBOT)
    return tmp_path


def test_a_file_beside_the_body(folder):
    (folder / "walker.toml").write_text("frame_skip = 7\nheight = [0.1, inf]\n")
    assert load_body(folder / "walker.xml").task == Task(frame_skip=7, height=(0.1, math.inf))
    assert load_body(folder / "hopper.xml").task.frame_skip == 10, "derived: 20 ms of 2 ms steps"


def test_the_argument_wins(folder):
    (folder / "walker.toml").write_text("frame_skip = 7\n")
    assert load_body(folder / "walker.xml", Task(frame_skip=2)).task.frame_skip == 2


def test_longer_sections_win_whatever_their_order(folder):
    (folder / "suite.toml").write_text(
        "[walker_short]\nctrl_cost = 2.0\nhealthy_reward = 2.0\n"
        "[walker]\nframe_skip = 1\nctrl_cost = 1.0\nhealthy_reward = 1.0\n"
        "[walker_short_heavy]\nhealthy_reward = 3.0\n"
    )
    read = {name: load_body(folder / f"{name}.xml").task for name in ("walker", "walker_short", "walker_short_heavy")}
    assert read["walker"] == Task(frame_skip=1, ctrl_cost=1.0, healthy_reward=1.0)
    assert read["walker_short"] == Task(frame_skip=1, ctrl_cost=2.0, healthy_reward=2.0)
    assert read["walker_short_heavy"] == Task(frame_skip=1, ctrl_cost=2.0, healthy_reward=3.0)
    # only whole words count, and a body without a section gets a derived task
    for name in ("walkershort", "hopper"):
        assert load_body(folder / f"{name}.xml").task.frame_skip == 10


def test_the_bodys_own_file_goes_before_the_folders(folder):
    (folder / "suite.toml").write_text("[walker]\nframe_skip = 3\n")
    (folder / "walker.toml").write_text("frame_skip = 7\n")
    assert load_body(folder / "walker.xml").task.frame_skip == 7


def test_sections_in_a_bodys_own_file_are_a_fault(folder):
    (folder / "walker.toml").write_text("[walker]\nframe_skip = 7\n")
    with pytest.raises(TaskError, match=r"walker\.toml"):
        load_body(folder / "walker.xml")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("walker.toml", "frame_skip = \n", r"walker\.toml: .*line 1"),
        ("walker.toml", "frame = 1\n", r"walker\.toml: unknown key 'frame'; did you mean frame_skip"),
        ("walker.toml", 'frame_skip = "4"\n', r"walker\.toml: frame_skip = '4': expected int"),
        ("suite.toml", "frame_skip = 4\n[walker]\n", r"suite\.toml: 'frame_skip' is outside of any section"),
        ("suite.toml", "[walker\n", r"suite\.toml: .*line 1"),
        ("suite.toml", "[walker]\nheight = [2, 1]\n", r"suite\.toml \[walker\]: height"),
        ("walker.toml", b"\xff\xfe", r"walker\.toml: "),
    ],
)
def test_faulty_files_are_named(folder, name, text, message):
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(TaskError, match=message) as caught:
        load_body(folder / "walker.xml")
    assert str(caught.value).startswith(str(folder / name))
    assert "\n" not in str(caught.value)


def test_derived_tasks_follow_the_model(folder):
    task = load_body(folder / "hopper.xml").task
    assert task.height == pytest.approx((0.25, 1.5)), "half and three times the start height of 0.5 m"
    assert task.healthy_reward > 0
    (folder / "weightless.xml").write_text(ROBOT.replace("<worldbody>", '<option gravity="0 0 0"/><worldbody>'))
    assert load_body(folder / "weightless.xml").task.height is None
    (folder / "fine.xml").write_text(ROBOT.replace("<worldbody>", '<option timestep="0.0005"/><worldbody>'))
    assert load_body(folder / "fine.xml").control_step == pytest.approx(0.02)


def test_field_names_are_documented():
    documented = re.findall(r"^        (\w+):", Task.__doc__, re.MULTILINE)
    assert documented == list(Task.__dataclass_fields__)


def test_a_direction_of_whole_numbers_becomes_floats():
    direction = Task(direction=(0, -1)).direction
    assert direction == (0.0, -1.0)
    assert all(isinstance(part, float) for part in direction)


# --- reaching -----------------------------------------------------------------------------------------------


def test_a_goal_comes_back_from_json():
    task = Task(kind="reach", end_effector="tip", goal=(1, 2, 3), goal_tolerance=0.02)
    assert task.goal == (1.0, 2.0, 3.0)
    assert all(isinstance(part, float) for part in task.goal)
    values = task.to_dict()
    assert values == {"kind": "reach", "end_effector": "tip", "goal": [1.0, 2.0, 3.0], "goal_tolerance": 0.02}
    assert task_from_dict(values, "again") == task


def test_commands():
    assert Task(direction=(0.0, 1.0)).command == (0.0, 1.0)
    assert Task(kind="reach", end_effector="tip").command is None
    assert Task(kind="reach", end_effector="tip", goal=(1.0, 2.0, 3.0)).command == (1.0, 2.0, 3.0)


def test_an_end_effector_is_a_site_or_a_body_of_the_robot(folder):
    text = ROBOT.replace('pos=".1 0 0"/></body>', 'pos=".1 0 0"/><site name="tip" pos="0 0.2 0.1"/></body>')
    text = text.replace('<body pos=".1 0 0">', '<body name="arm" pos=".1 0 0">')
    (folder / "hopper.xml").write_text(text)
    body = load_body(folder / "hopper.xml")
    for name, place in (("tip", [0, 0.2, 0.1]), ("arm", [0, 0, 0])):
        carrier, offset = body.with_task(Task(kind="reach", end_effector=name)).end_effector
        assert body.model.body(carrier).name == "arm"
        assert offset.tolist() == place
    (folder / "hopper.toml").write_text('kind = "reach"\nend_effector = "tap"\n')
    with pytest.raises(
        TaskError, match=r"^hopper: end_effector = 'tap': no site or body of that name; did you mean tip"
    ):
        load_body(folder / "hopper.xml")
