"""Datasets that others recorded, in Gymnasium's observations: states are rebuilt exactly, or refused."""

from __future__ import annotations

import gymnasium
import minari
import numpy as np
import pytest
from minari.data_collector import EpisodeBuffer
from minari.dataset.minari_storage import MinariStorage

from morphnet.bodies import load_body
from morphnet.demonstrations import read_demonstrations
from morphnet.demonstrations.foreign import rebuild
from morphnet.errors import DemonstrationError

RUNNERS = [
    ("Hopper-v5", "gymnasium:hopper"),
    ("Walker2d-v5", "gymnasium:walker2d_v5"),
    ("HalfCheetah-v5", "gymnasium:half_cheetah"),
    ("Swimmer-v5", "gymnasium:swimmer"),
    ("Ant-v5", "gymnasium:ant"),
    ("Humanoid-v5", "gymnasium:humanoid"),
]


def collect(folder, environment, keep=("x_position", "y_position"), states=False, scale=1.0, order=None):
    """Record an episode as Minari's collector does; return the true (qpos, qvel) and the dataset's folder."""
    rng = np.random.default_rng(0)
    observation, info = environment.reset(seed=0)
    data = environment.unwrapped.data
    observations, infos, actions, rewards, truth = [observation], [info], [], [], []
    truth.append((data.qpos.copy(), data.qvel.copy()))
    ended = False
    while not ended and len(actions) < 40:
        action = scale * rng.uniform(-0.3, 0.3, environment.action_space.shape)
        observation, reward, ended, _, info = environment.step(action)
        observations.append(observation)
        infos.append(info)
        actions.append(action if order is None else action[order])
        rewards.append(reward)
        truth.append((data.qpos.copy(), data.qvel.copy()))
    kept = {key: np.array([step[key] for step in infos]) for key in keep if key in infos[0]}
    if states:
        kept |= {"qpos": np.array([q for q, _ in truth]), "qvel": np.array([v for _, v in truth])}
    storage = MinariStorage.new(
        folder, environment.observation_space, environment.action_space, env_spec=environment.spec
    )
    storage.update_metadata({"dataset_id": "somebody/something-v0", "minari_version": minari.__version__})
    ends = np.zeros(len(actions), bool)
    buffer = EpisodeBuffer(
        observations=np.array(observations), actions=np.array(actions), rewards=rewards,
        terminations=ends, truncations=ends, infos=kept,
    )  # fmt: skip
    storage.update_episodes([buffer])
    return [np.array(part) for part in zip(*truth, strict=True)]


@pytest.mark.parametrize(("name", "body"), RUNNERS)
def test_gymnasiums_runners_are_rebuilt(tmp_path, name, body):
    qpos, qvel = collect(tmp_path / "set", gymnasium.make(name))
    (found,) = read_demonstrations(tmp_path / "set", load_body(body))
    assert len(found) == len(qpos) - 1 > 5
    np.testing.assert_allclose(found.qpos, qpos, atol=1e-12)
    np.testing.assert_allclose(found.qvel, qvel, atol=1e-6)


def test_positions_that_nobody_recorded_are_zero(tmp_path):
    qpos, _ = collect(tmp_path / "set", gymnasium.make("Hopper-v5"), keep=())
    (found,) = read_demonstrations(tmp_path / "set", load_body("gymnasium:hopper"))
    assert not found.qpos[:, 0].any()
    np.testing.assert_allclose(found.qpos[:, 1:], qpos[:, 1:], atol=1e-12)


def test_clipped_velocities_are_simulated(tmp_path):
    _, qvel = collect(tmp_path / "set", gymnasium.make("Walker2d-v5"), scale=3.0)
    assert (np.abs(qvel) > 10).any()
    (found,) = read_demonstrations(tmp_path / "set", load_body("gymnasium:walker2d_v5"))
    np.testing.assert_allclose(found.qvel, qvel, atol=1e-3)


def test_states_in_infos_make_any_environment_readable(tmp_path):
    environment = gymnasium.make("morphnet/Run-v0", body="hopper")
    environment.unwrapped.data = environment.unwrapped.simulation.get_data(0)  # stays where it is: see below
    qpos, _ = collect(tmp_path / "set", environment, states=True)
    assert not np.ptp(qpos, axis=0).any()
    with pytest.raises(DemonstrationError, match="do not lead from state to state on hopper"):
        read_demonstrations(tmp_path / "set", load_body("hopper"))


def test_states_in_infos_come_first(tmp_path):
    environment = gymnasium.make("Hopper-v5", exclude_current_positions_from_observation=True)
    qpos, qvel = collect(tmp_path / "set", environment, keep=(), states=True)
    (found,) = read_demonstrations(tmp_path / "set", load_body("gymnasium:hopper"))
    np.testing.assert_array_equal(found.qpos, qpos)
    np.testing.assert_array_equal(found.qvel, qvel)


def test_positions_that_were_kept_are_used(tmp_path):
    environment = gymnasium.make("Hopper-v5", exclude_current_positions_from_observation=False)
    qpos, _ = collect(tmp_path / "set", environment, keep=())
    (found,) = read_demonstrations(tmp_path / "set", load_body("gymnasium:hopper"))
    np.testing.assert_array_equal(found.qpos, qpos)


@pytest.mark.parametrize(
    ("name", "settings", "body", "options", "reason"),
    [
        ("Hopper-v5", {}, "hopper", {}, "do not lead from state to state on hopper"),
        ("Hopper-v5", {}, "gymnasium:half_cheetah", {}, "observations of Hopper have shape"),
        ("HalfCheetah-v5", {}, "gymnasium:half_cheetah", {"order": [1, 0, 2, 4, 3, 5]}, "actuator order"),
        ("HalfCheetah-v5", {"frame_skip": 3}, "gymnasium:half_cheetah", {}, "control step"),
        ("Reacher-v5", {}, "gymnasium:reacher", {}, "not for Reacher"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, name, settings, body, options, reason):
    collect(tmp_path / "set", gymnasium.make(name, **settings), **options)
    with pytest.raises(DemonstrationError, match=reason) as caught:
        read_demonstrations(tmp_path / "set", load_body(body))
    assert len(str(caught.value).splitlines()) == 1


def test_actions_of_another_robot_are_refused(tmp_path):
    environment = gymnasium.make("Hopper-v5")
    collect(tmp_path / "set", environment, order=[0, 1])
    with pytest.raises(DemonstrationError, match="3 actuators"):
        read_demonstrations(tmp_path / "set", load_body("gymnasium:hopper"))


@pytest.mark.parametrize("name", ["observations", "actions", "infos"])
@pytest.mark.parametrize("kind", ["Dict", "text"])
def test_spaces_of_other_than_numbers_are_refused(name, kind):
    wrong = {"joints": np.zeros((4, 3))} if kind == "Dict" else np.array(["a", "b", "c", "d"])
    episode = {
        "observations": np.zeros((4, 11)), "actions": np.zeros((3, 3)), "rewards": np.zeros(3),
        "terminations": np.zeros(3, bool), "infos": None,
    }  # fmt: skip
    episode[name] = {"x_position": wrong} if name == "infos" else wrong
    with pytest.raises(DemonstrationError, match=f"here: {name}.*: expected one array of numbers"):
        rebuild(episode, {"env_spec": '{"id": "Hopper-v5"}'}, load_body("gymnasium:hopper"), "here")
