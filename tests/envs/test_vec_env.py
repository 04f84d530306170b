"""BodyVecEnv: Stable-Baselines3's interface on batched physics."""

import numpy as np
import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize

import morphnet
from morphnet.bodies import load_body
from morphnet.envs import BodyVecEnv, RunEnv


def short(steps, name="gymnasium:hopper"):
    body = load_body(name)
    return body.with_task(body.task.replace(max_episode_steps=steps))


def test_ppo_learns_on_it():
    env = morphnet.make_vec("hopper", num_envs=4, nthread=1)
    model = PPO("MlpPolicy", env, n_steps=32, batch_size=32, n_epochs=1, seed=0, device="cpu")
    before = [parameter.detach().clone() for parameter in model.policy.parameters()]
    model.learn(256)
    assert model.num_timesteps == 256
    assert any((a != b).any() for a, b in zip(before, model.policy.parameters(), strict=True))
    assert len(model.ep_info_buffer) > 0
    assert all(info["l"] >= 1 for info in model.ep_info_buffer)


def test_ends_report_the_last_observation_and_why():
    """Each simulation beside an environment of its own: what it would have returned is what must be reported."""
    body = short(30)
    vec, envs = BodyVecEnv(body, 4, seed=0, nthread=1), [RunEnv(body) for _ in range(4)]
    observation = vec.reset()
    for sim, env in enumerate(envs):
        env.reset()
        copy_start(vec, env, sim)
    rng = np.random.default_rng(0)
    returns, lengths, ends = np.zeros(4), np.zeros(4, int), {True: 0, False: 0}
    for _ in range(100):
        actions = 0.5 * rng.uniform(-1, 1, (4, 3)) * [[1], [0.1], [1], [0.1]]
        observation, reward, done, infos = vec.step(actions)
        assert reward.dtype == np.float32
        for sim, env in enumerate(envs):
            last, own_reward, terminated, truncated, _ = env.step(actions[sim])
            assert reward[sim] == np.float32(own_reward)
            assert done[sim] == (terminated or truncated)
            returns[sim] += own_reward
            lengths[sim] += 1
            if not done[sim]:
                assert infos[sim] == {}
                assert np.array_equal(observation[sim], last)
                continue
            assert np.array_equal(infos[sim]["terminal_observation"], last)
            assert infos[sim]["TimeLimit.truncated"] == (truncated and not terminated)
            assert infos[sim]["episode"]["l"] == lengths[sim]
            assert infos[sim]["episode"]["r"] == pytest.approx(returns[sim])
            assert not np.array_equal(observation[sim], last), "the observation is the next episode's first"
            ends[truncated] += 1
            returns[sim], lengths[sim] = 0.0, 0
            copy_start(vec, env, sim)
    assert min(ends.values()) > 0, "both ways to end must have been seen"


def copy_start(vec, env, sim):
    k = vec.simulation.kinematics
    env.simulation.set_state(k.qpos[sim].copy(), k.qvel[sim].copy())


def test_seeds():
    make = [BodyVecEnv(load_body("hopper"), 3, seed=seed, nthread=1) for seed in (0, 0, 1)]
    first, same, other = (env.reset() for env in make)
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)
    make[0].seed(7)
    make[2].seed(7)
    assert np.array_equal(make[0].reset(), make[2].reset())
    assert not np.array_equal(make[0].reset(), make[1].reset())


def test_spaces_equal_run_envs():
    vec, env = morphnet.make_vec("gymnasium:humanoid", num_envs=2), RunEnv("gymnasium:humanoid")
    assert vec.observation_space == env.observation_space
    assert vec.action_space == env.action_space
    np.testing.assert_allclose(vec.action_space.high, 0.4, rtol=1e-6)


def test_returned_arrays_are_not_overwritten():
    vec = BodyVecEnv(load_body("hopper"), 2, nthread=1)
    kept = [vec.reset(), vec.step(np.ones((2, 3)))[0]]
    copies = [array.copy() for array in kept]
    vec.step(-np.ones((2, 3)))
    vec.reset()
    assert all(np.array_equal(a, b) for a, b in zip(kept, copies, strict=True))


def test_works_within_sb3s_wrappers():
    vec = VecNormalize(VecMonitor(BodyVecEnv(short(10), 3, nthread=1)))
    vec.reset()
    infos = [vec.step(np.zeros((3, 3)))[3] for _ in range(10)][-1]
    assert [info["episode"]["l"] for info in infos] == [10, 10, 10]
    assert vec.get_attr("num_envs", indices=[0, 2]) == [3, 3]
    assert vec.env_is_wrapped(Monitor) == [False, False, False]
    _, lengths = evaluate_policy(PPO("MlpPolicy", vec, device="cpu"), vec, 4, return_episode_rewards=True)
    assert lengths == [10, 10, 10, 10]
    vec.close()
