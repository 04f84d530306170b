"""ReachEnv: Gymnasium's interface to bodies that reach, goals in and out."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as gymnasium_check
from stable_baselines3.common.env_checker import check_env as sb3_check

from morphnet.bodies import load_body
from morphnet.envs import ReachEnv, RunEnv
from morphnet.errors import MorphNetError, TaskError


@pytest.mark.parametrize("name", ["flat_arm_2", "spatial_arm_7", "slider_gantry"])
def test_passes_the_checkers(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = ReachEnv(name)
        gymnasium_check(env, skip_render_check=True)
        sb3_check(env, skip_render_check=True)


def test_is_registered_with_gymnasium():
    env = gymnasium.make("morphnet/Reach-v0", body="crane_3")
    assert isinstance(env.unwrapped, ReachEnv)
    observation, info = env.reset(seed=1)
    again, same = gymnasium.make("morphnet/Reach-v0", body=load_body("crane_3")).reset(seed=1)
    assert np.array_equal(observation, again)
    assert np.array_equal(info["goal"], same["goal"])
    assert not np.array_equal(env.reset(seed=2)[1]["goal"], info["goal"])


def test_reward_terms_sum_to_the_reward():
    env = ReachEnv("flat_arm_2")
    env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(60):
        _, reward, terminated, _, info = env.step(env.action_space.sample())
        terms = {key: value for key, value in info.items() if key.startswith("reward_")}
        assert set(terms) == {f"reward_{name}" for name in ("distance", "goal", "healthy", "ctrl", "contact")}
        assert sum(terms.values()) == pytest.approx(reward, abs=1e-12)
        assert terms["reward_distance"] < 0
        assert not terminated


def test_a_goal_can_be_given_with_or_without_a_state():
    env = ReachEnv("flat_arm_2")
    goal = np.array([0.2, 0.3, 0.1])
    _, info = env.reset(seed=0, options={"goal": goal})
    assert np.array_equal(info["goal"], goal)
    state = {"qpos": np.array([0.3, -0.2]), "qvel": np.zeros(2)}
    observation, _ = env.reset(seed=0, options={**state, "goal": goal})
    assert np.array_equal(env.simulation.kinematics.qpos[0], state["qpos"])
    seen = dict(zip(env.observation_names, observation, strict=True))
    tip = np.array([0.35 * np.cos(0.3) + 0.3 * np.cos(0.1), 0.35 * np.sin(0.3) + 0.3 * np.sin(0.1), 0.1])
    assert [seen[f"task/task/to_goal_{axis}"] for axis in "xyz"] == pytest.approx(goal - tip, abs=1e-5)
    _, _, _, _, info = env.step(np.zeros(2))
    assert info["reward_distance"] == pytest.approx(-np.linalg.norm(goal - tip), abs=1e-3)
    assert np.array_equal(info["goal"], goal)


@pytest.mark.parametrize("goal", [(0.1, 0.2), "there", (0.1, np.nan, 0.2)])
def test_a_goal_that_is_no_point_is_refused(goal):
    with pytest.raises(MorphNetError, match=r"^reset: goal = .*: expected a point"):
        ReachEnv("flat_arm_2").reset(options={"goal": goal})


def test_the_last_step_still_has_the_episodes_goal():
    body = load_body("flat_arm_2")
    env = ReachEnv(body, task=body.task.replace(max_episode_steps=3))
    _, first = env.reset(seed=0)
    for step in range(3):
        observation, _, _, truncated, info = env.step(np.zeros(2))
        assert np.array_equal(info["goal"], first["goal"])
        assert truncated == (step == 2)
    names = [f"task/task/goal_{axis}" for axis in "xyz"]
    seen = [observation[env.observation_names.index(name)] for name in names]
    assert seen == pytest.approx(first["goal"], abs=1e-6)


def test_bodies_of_the_other_kind_are_sent_to_the_other_environment():
    with pytest.raises(TaskError, match=r"^hopper: its task is to run; use morphnet/Run-v0"):
        ReachEnv("hopper")
    with pytest.raises(TaskError, match=r"^crane_2: its task is to reach; use morphnet/Reach-v0"):
        RunEnv("crane_2")


def test_the_goal_is_in_the_picture(needs_gl):
    env = ReachEnv("flat_arm_2", render_mode="rgb_array")
    pictures = []
    for goal in ((0.4, 0.3, 0.1), (0.4, -0.3, 0.1)):
        env.reset(seed=0, options={"goal": np.array(goal)})
        pictures.append(env.render().astype(int))
    env.close()
    red = [(picture[..., 0] - picture[..., 2] > 60).sum() for picture in pictures]
    assert min(red) > 50
    assert np.abs(pictures[0] - pictures[1]).max() > 60
