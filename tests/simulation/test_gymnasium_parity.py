"""Our Gymnasium bodies beside Gymnasium's own v5 environments: same physics, rewards, ends and start noise."""

import gymnasium
import numpy as np
import pytest

from morphnet.bodies import load_body
from morphnet.simulation import Simulation

PAIRS = {
    "Hopper-v5": "hopper",
    "HalfCheetah-v5": "half_cheetah",
    "Walker2d-v5": "walker2d_v5",
    "Swimmer-v5": "swimmer",
    "Ant-v5": "ant",
    "Humanoid-v5": "humanoid",
}
STEPS = 400
every_pair = pytest.mark.parametrize("env_id", PAIRS)


class SideBySide:
    """Two simulations of a body, each beside a Gymnasium environment of its own, driven alike at random.

    Whenever an episode ends, the environment takes over the start state to which the simulation was reset, or
    the other way round in turn, so that many starts are compared.
    """

    def __init__(self, env_id):
        self.body = load_body(f"gymnasium:{PAIRS[env_id]}")
        self.envs = [gymnasium.make(env_id, max_episode_steps=100_000).unwrapped for _ in range(2)]
        task = self.body.task.replace(max_episode_steps=100_000)
        self.simulation = Simulation(self.body.with_task(task), 2, np.random.default_rng(3), exact=True)
        rng = np.random.default_rng(5)
        low, high = self.body.model.actuator_ctrlrange.T
        ends = 0
        self.rewards, self.terms, self.terminated, self.states, self.starts = [], [], [], [], []
        for sim, env in enumerate(self.envs):
            env.reset(seed=sim)
            self.simulation.set_state(env.data.qpos.copy(), env.data.qvel.copy(), sim)
        for _ in range(STEPS):
            action = rng.uniform(-1.0, 1.0, (2, self.body.model.nu))
            ctrl = (low + high) / 2 + (high - low) / 2 * action
            theirs = [env.step(ctrl[sim]) for sim, env in enumerate(self.envs)]
            step = self.simulation.step(action)
            for sim, (env, (_, reward, terminated, _, info)) in enumerate(zip(self.envs, theirs, strict=True)):
                self.rewards.append((reward, step.reward.total[sim]))
                self.terms.append((info, {name: getattr(step.reward, name)[sim] for name in vars(step.reward)}))
                self.terminated.append((terminated, bool(step.terminated[sim])))
                if terminated:
                    ends += 1
                    env.reset(seed=100 + ends)
                    if ends % 2:
                        env.set_state(*(self._state(sim)))
                    else:
                        self.simulation.set_state(env.data.qpos.copy(), env.data.qvel.copy(), sim)
                else:
                    self.states.append(((env.data.qpos.copy(), env.data.qvel.copy()), self._state(sim)))
        self.ends = ends

    def _state(self, sim):
        k = self.simulation.kinematics
        return k.qpos[sim].copy(), k.qvel[sim].copy()


@pytest.fixture(scope="module")
def run():
    """Run a pair once for all tests of this file."""
    runs = {}

    def get(env_id):
        if env_id not in runs:
            runs[env_id] = SideBySide(env_id)
        return runs[env_id]

    return get


@every_pair
def test_states_are_equal_to_the_bit(run, env_id):
    pairs = run(env_id).states
    assert len(pairs) > STEPS
    for (qpos, qvel), (own_qpos, own_qvel) in pairs:
        assert np.array_equal(qpos, own_qpos)
        assert np.array_equal(qvel, own_qvel)


@every_pair
def test_terminations_are_equal(run, env_id):
    side = run(env_id)
    assert [theirs for theirs, _ in side.terminated] == [ours for _, ours in side.terminated]
    falls = env_id not in ("HalfCheetah-v5", "Swimmer-v5")
    assert side.ends >= 3 if falls else side.ends == 0


@every_pair
def test_rewards_are_equal(run, env_id):
    theirs, ours = np.array(run(env_id).rewards).T
    assert np.ptp(theirs) > 0.1
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


@every_pair
def test_forward_reward_is_equal(run, env_id):
    theirs, ours = np.array([(info["reward_forward"], own["forward"]) for info, own in run(env_id).terms]).T
    assert theirs.std() > 0.01
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


@every_pair
def test_other_reward_terms_are_equal(run, env_id):
    names = {"reward_ctrl": "ctrl", "reward_survive": "healthy", "reward_contact": "contact"}
    infos = run(env_id).terms
    present = {theirs: ours for theirs, ours in names.items() if theirs in infos[0][0]}
    assert "reward_ctrl" in present
    for theirs, ours in present.items():
        pairs = np.array([(info[theirs], own[ours]) for info, own in infos])
        np.testing.assert_allclose(pairs[:, 1], pairs[:, 0], rtol=0, atol=1e-9, err_msg=theirs)
    for ours in set(names.values()) - set(present.values()):
        assert not any(own[ours] for _, own in infos)


def test_contact_costs_are_there_to_compare(run):
    costs = [own["contact"] for _, own in run("Ant-v5").terms]
    assert min(costs) < -1e-3
    assert all(cost <= 0 for cost in costs)


@pytest.mark.parametrize(
    ("entry", "index", "value", "falls"),
    [("qpos", 0, 150.0, False), ("qvel", 0, 150.0, True), ("qvel", 5, -300.0, True), ("qpos", 5, 101.0, True)],
)
def test_hoppers_state_limit_leaves_out_where_it_is(entry, index, value, falls):
    """Past 100 m it may hop on; past 100 m/s or rad it has gone wrong. Both say so, and the same."""
    env, body = gymnasium.make("Hopper-v5").unwrapped, load_body("gymnasium:hopper")
    simulation = Simulation(body, 1, np.random.default_rng(0))
    env.reset(seed=0)
    state = {"qpos": body.model.qpos0.copy(), "qvel": np.zeros(6)}
    state[entry][index] = value
    env.set_state(state["qpos"], state["qvel"])
    simulation.set_state(state["qpos"], state["qvel"])
    theirs, ours = env.step(np.zeros(3))[2], simulation.step(np.zeros((1, 3))).terminated[0]
    assert theirs == ours == falls


@every_pair
def test_start_noise_has_gymnasiums_distribution(env_id):
    env, body = gymnasium.make(env_id).unwrapped, load_body(f"gymnasium:{PAIRS[env_id]}")
    theirs = [start(env, seed) for seed in range(1500)]
    simulation = Simulation(body, 50, np.random.default_rng(11))
    ours = []
    for _ in range(30):
        simulation.reset()
        k = simulation.kinematics
        ours += list(zip(k.qpos - body.model.qpos0, k.qvel.copy(), strict=True))
    for theirs_of_kind, ours_of_kind in zip(zip(*theirs, strict=True), zip(*ours, strict=True), strict=True):
        first, second = np.array(theirs_of_kind), np.array(ours_of_kind)
        scale = first.std()
        assert scale > 1e-3
        # the outermost tell a uniform from a normal distribution of the same deviation: 1.7 and 2.3 deviations
        shares = np.array([0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
        spread = np.quantile(first, shares) - np.quantile(second, shares)
        assert np.abs(spread).max() < 0.1 * scale
        np.testing.assert_allclose(second.std(axis=0), first.std(axis=0), rtol=0.1)
        assert np.abs(np.corrcoef(second.T) - np.eye(second.shape[1])).max() < 0.15


def start(env, seed):
    env.reset(seed=seed)
    return env.data.qpos - env.init_qpos, env.data.qvel - env.init_qvel
