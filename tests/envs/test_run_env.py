"""RunEnv: Gymnasium's interface, and what its rewards and spaces are."""

import dataclasses
import warnings

import gymnasium
import numpy as np
import pytest
import robots
from gymnasium.utils.env_checker import check_env as gymnasium_check
from stable_baselines3.common.env_checker import check_env as sb3_check

from morphnet.bodies import load_body
from morphnet.envs import RunEnv
from morphnet.errors import BodyError, MorphNetError


@pytest.mark.parametrize("name", ["hopper", "gymnasium:ant", "gymnasium:humanoid", "gymnasium:pusher"])
def test_passes_the_checkers(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # advice about the range of actions, which are in MuJoCo's units by design
        warnings.filterwarnings("ignore", message=".*normalize the action space.*")
        warnings.filterwarnings("ignore", message=".*symmetric and normalized.*")
        env = RunEnv(name)
        gymnasium_check(env, skip_render_check=True)
        sb3_check(env, skip_render_check=True)


def test_is_registered_with_gymnasium():
    env = gymnasium.make("morphnet/Run-v0", body="hopper")
    assert isinstance(env.unwrapped, RunEnv)
    observation, info = env.reset(seed=1)
    again, _ = gymnasium.make("morphnet/Run-v0", body=load_body("hopper")).reset(seed=1)
    assert np.array_equal(observation, again)
    assert info == {}


@pytest.mark.parametrize("name", ["gymnasium:ant", "gymnasium:humanoid", "gymnasium:hopper"])
def test_reward_terms_sum_to_the_reward(name):
    env = RunEnv(name)
    env.reset(seed=0)
    env.action_space.seed(0)
    seen = {}
    for _ in range(60):
        _, reward, terminated, _, info = env.step(env.action_space.sample())
        terms = {key: value for key, value in info.items() if key.startswith("reward_")}
        assert set(terms) == {"reward_forward", "reward_healthy", "reward_ctrl", "reward_contact"}
        assert sum(terms.values()) == pytest.approx(reward, abs=1e-12)
        assert isinstance(reward, float)
        seen = {key: seen.get(key, 0.0) + abs(value) for key, value in terms.items()}
        if terminated:
            env.reset()
    contacts = name != "gymnasium:hopper"  # the other two count contact forces
    assert {key for key, value in seen.items() if value > 0} == set(terms) - (set() if contacts else {"reward_contact"})


def test_spaces_are_the_robots(tmp_path):
    path = tmp_path / "robot.xml"
    path.write_text(robots.ACTIVATIONS)
    env = RunEnv(path)
    np.testing.assert_allclose(env.action_space.low, [-1, -1, -2, 0, -0.1], rtol=1e-6)
    np.testing.assert_allclose(env.action_space.high, [3, 1, 2, 1, 0.1], rtol=1e-6)
    assert env.observation_space.shape == (len(env.observation_names),)
    observation, _ = env.reset(seed=0)
    for _ in range(200):
        assert env.observation_space.contains(observation)
        observation = env.step(env.action_space.sample())[0]


def test_actions_are_ctrl_in_mujocos_units():
    env = RunEnv("gymnasium:humanoid")
    env.reset(seed=0)
    ctrl = np.linspace(-0.4, 0.4, 17)
    env.step(ctrl)
    np.testing.assert_allclose(env.simulation.kinematics.ctrl[0], ctrl, atol=1e-12)
    env.step(10 * ctrl)
    np.testing.assert_allclose(env.simulation.kinematics.ctrl[0], np.clip(10 * ctrl, -0.4, 0.4), atol=1e-12)


def test_the_end_shows_the_last_observation_and_a_reset_the_first():
    body = load_body("gymnasium:swimmer")
    env = RunEnv(body, task=body.task.replace(max_episode_steps=5))
    twin = RunEnv(body)
    assert np.array_equal(env.reset(seed=4)[0], twin.reset(seed=4)[0])
    for step in range(1, 6):
        ours, theirs = env.step(np.ones(2)), twin.step(np.ones(2))
        assert np.array_equal(ours[0], theirs[0])
        assert ours[2:4] == (False, step == 5)
    assert not np.array_equal(env.reset()[0], ours[0])
    assert body.task.max_episode_steps == 1000, "the body's own task is left alone"


def test_a_reset_in_the_middle_of_an_episode_forgets_it():
    env = RunEnv("hopper")
    first, _ = env.reset(seed=2)
    run = [env.step(np.full(3, 0.3))[0] for _ in range(5)]
    again, _ = env.reset(seed=2)
    assert np.array_equal(first, again)
    assert all(np.array_equal(env.step(np.full(3, 0.3))[0], observation) for observation in run)


@pytest.mark.parametrize(("given", "missing"), [("qpos", "qvel"), ("qvel", "qpos"), ("ctrl", "qpos and qvel")])
def test_half_a_start_state_is_refused(given, missing):
    env = RunEnv("hopper")
    with pytest.raises(MorphNetError, match=f"give {given} without {missing}"):
        env.reset(options={given: np.zeros(3)})


def test_returned_observations_are_not_overwritten():
    env = RunEnv("hopper")
    first, _ = env.reset(seed=2)
    copy = first.copy()
    second = env.step(np.ones(3))[0]
    kept = second.copy()
    env.step(-np.ones(3))
    assert np.array_equal(first, copy)
    assert np.array_equal(second, kept)


def test_frames_a_second_follow_the_control_step():
    assert RunEnv("gymnasium:hopper").metadata["render_fps"] == 125  # 4 steps of 2 ms
    assert RunEnv("gymnasium:ant").metadata["render_fps"] == 20  # 5 steps of 10 ms


def test_an_unknown_body_says_what_there_is():
    with pytest.raises(BodyError, match="hopper"):
        RunEnv("hoper")


def test_pictures_follow_the_robot(needs_gl):
    env = RunEnv("hopper", render_mode="rgb_array")
    env.reset(seed=0)
    first = env.render()
    for _ in range(10):
        env.step(np.ones(3))
    second = env.render()
    env.close()
    for picture in (first, second):
        assert picture.shape == (480, 480, 3)
        assert picture.dtype == np.uint8
        assert picture.std() > 5
    assert np.abs(first.astype(int) - second).max() > 20
    assert RunEnv("hopper").render() is None


def test_the_picture_after_the_last_step_shows_the_end_and_not_the_next_start(needs_gl):
    """The same steps, in an environment whose episode goes on, end in the same picture."""
    body = load_body("hopper")
    falls = dataclasses.replace(body.task, qpos_noise=0.0, qvel_noise=0.0)
    endless = dataclasses.replace(falls, height=None, angle=None, state_limit=np.inf)
    ending, going_on, start = (RunEnv(body, task, render_mode="rgb_array") for task in (falls, endless, falls))
    for env in (ending, going_on, start):
        env.reset(seed=0)
    terminated = False
    while not terminated:
        _, _, terminated, _, _ = ending.step(np.array([-1.0, 1.0, 1.0]))
        going_on.step(np.array([-1.0, 1.0, 1.0]))
    last, expected, other = (env.render().astype(int) for env in (ending, going_on, start))
    assert np.abs(last - expected).mean() < 0.1
    assert np.abs(last - other).mean() > 1.0
    for env in (ending, going_on, start):
        env.close()
