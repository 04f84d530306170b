"""Returns, with the numbers worked out by hand."""

import math

import mujoco
import numpy as np
import pytest
import robots

from morphnet.bodies import load_body
from morphnet.evaluation import Evaluation, PolicyController, RandomController, evaluate
from morphnet.simulation import Simulation

EPISODES, LONGEST, BONUS, LIMIT = 40, 30, 0.25, 0.2


class Nothing:
    """A controller that lets go."""

    def __init__(self, body):
        self.nu = body.model.nu

    def actions(self, observation):
        return np.zeros((len(observation), self.nu))


@pytest.fixture
def drifter(tmp_path):
    """A weightless puck: it keeps its velocity, so an episode's length and return follow from its start."""
    path = tmp_path / "puck.xml"
    path.write_text(robots.DRIFTER)
    body = load_body(path)
    return body.with_task(
        body.task.replace(
            frame_skip=5,
            max_episode_steps=LONGEST,
            healthy_reward=BONUS,
            ctrl_cost=0.0,
            height=(-LIMIT, LIMIT),
            qpos_noise=0.0,
            qvel_noise=1.0,
        )
    )


def by_hand(qvel):
    """Steps and return of the episode that starts with these velocities; a control step takes 0.05 s."""
    forward, up = qvel[0], abs(qvel[2])
    leaves = math.ceil(LIMIT / (0.05 * up))
    steps = min(leaves, LONGEST)
    healthy = steps - 1 if leaves <= LONGEST else steps
    return steps, forward * steps + BONUS * healthy


@pytest.mark.parametrize("seed", [0, 1])
def test_every_simulations_first_whole_episode_counts(drifter, seed):
    result = evaluate(drifter, Nothing(drifter), EPISODES, seed)
    starts = Simulation(drifter, EPISODES, np.random.default_rng(seed)).kinematics.qvel.copy()
    lengths, returns = zip(*map(by_hand, starts), strict=True)
    assert result.lengths.tolist() == list(lengths)
    np.testing.assert_allclose(result.returns, returns, rtol=1e-6)
    # the fast ones fall again and again before the slow ones are done: their later episodes must not count
    assert min(lengths) <= 5
    assert max(lengths) == LONGEST


def test_one_episode_and_the_seed(drifter):
    single = evaluate(drifter, Nothing(drifter), 1, 3)
    assert single.returns.shape == single.lengths.shape == (1,)
    assert evaluate(drifter, Nothing(drifter), 1, 3).returns[0] == single.returns[0]
    assert evaluate(drifter, Nothing(drifter), 1, 4).returns[0] != single.returns[0]


def test_summary():
    summary = Evaluation(np.array([1.0, 5.0]), np.array([10, 20])).summary()
    assert summary == {"return_mean": 3.0, "return_std": 2.0, "length_mean": 15.0, "episodes": 2}
    assert type(summary["episodes"]) is int


def test_contact_costs_are_counted():
    """Evaluation is exact where training leaves a term out."""
    body = load_body("gymnasium:ant")
    body = body.with_task(body.task.replace(max_episode_steps=15, height=None))
    free = body.with_task(body.task.replace(contact_cost=0.0))
    costly, cheap = (evaluate(b, RandomController(b, 0), 4, 0) for b in (body, free))
    assert (costly.lengths == 15).all()
    assert (costly.returns < cheap.returns - 1e-3).all()


def test_random_actions_fill_the_range_and_follow_the_seed():
    body = load_body("gymnasium:ant")
    controller = RandomController(body, 0)
    drawn = np.array([controller.actions(np.zeros((50, 3))) for _ in range(20)])
    assert drawn.shape == (20, 50, 8)
    assert drawn.min() >= -1
    assert drawn.max() <= 1
    np.testing.assert_allclose(
        np.quantile(drawn, [0.01, 0.25, 0.5, 0.75, 0.99]), [-0.98, -0.5, 0, 0.5, 0.98], atol=0.03
    )
    assert np.array_equal(RandomController(body, 0).actions(np.zeros((50, 3))), drawn[0])
    assert not np.array_equal(RandomController(body, 1).actions(np.zeros((50, 3))), drawn[0])


def test_a_policy_acts_in_evaluation_as_in_anyones_loop(hypernetwork):
    """``evaluate`` beside a plain MuJoCo loop around ``Policy.act``."""
    body = load_body("gymnasium:hopper")
    policy = hypernetwork.generate(body)
    result = evaluate(body, PolicyController(policy), 3, 0)
    starts = Simulation(body, 3, np.random.default_rng(0)).kinematics
    for episode in range(3):
        data = mujoco.MjData(body.model)
        data.qpos[:], data.qvel[:] = starts.qpos[episode], starts.qvel[episode]
        total, steps, healthy = 0.0, 0, True
        while healthy and steps < 1000:
            x = data.qpos[0]
            data.ctrl[:] = policy.act(data)
            mujoco.mj_step(body.model, data, 4)
            # Hopper-v5's reward and limits, written down once more
            healthy = data.qpos[1] > 0.7 and abs(data.qpos[2]) < 0.2
            total += (data.qpos[0] - x) / 0.008 + healthy - 1e-3 * np.sum(data.ctrl**2)
            steps += 1
        assert result.lengths[episode] == steps
        assert result.returns[episode] == pytest.approx(total, abs=1e-3)
