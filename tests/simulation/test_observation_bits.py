"""The same state gives the same observation to the bit, whoever looks: a batch, an environment, a policy."""

import dataclasses
import itertools

import gymnasium
import mujoco
import numpy as np
import pytest
import robots

from morphnet.bodies import load_body
from morphnet.envs import BodyVecEnv, ReachEnv, RunEnv
from morphnet.errors import TaskError
from morphnet.policy import ActorWeights, Policy
from morphnet.simulation import Kinematics, Observer, Simulation, update_kinematics

TEXTS = {"balls": robots.BALLS, "activations": robots.ACTIVATIONS}
NAMES = ["gymnasium:hopper", "gymnasium:swimmer", "gymnasium:ant", "gymnasium:humanoid", "gymnasium:pusher", *TEXTS]
REACHING = ["crane_3", "spatial_arm_7", "slider_rail"]
every_body = pytest.mark.parametrize("name", [*NAMES, *REACHING])


@pytest.fixture
def load(tmp_path):
    def load_one(name):
        if name not in TEXTS:
            return load_body(name)
        path = tmp_path / f"{name}.xml"
        path.write_text(TEXTS[name])
        return load_body(path)

    return load_one


def aimed(body):
    """The body; one that reaches has a goal."""
    return body.with_task(body.task.replace(goal=(0.3, -0.2, 0.4))) if body.task.kind == "reach" else body


def policy_of(body):
    """A policy with random weights, made without a hypernetwork."""
    rng = np.random.default_rng(0)
    shapes = [(8, Observer(body).size), (8, 8), (body.model.nu, 8)]
    weights = tuple(rng.normal(size=shape).astype(np.float32) for shape in shapes)
    biases = tuple(rng.normal(size=shape[0]).astype(np.float32) for shape in shapes)
    return Policy(body, ActorWeights(weights, biases, np.zeros(body.model.nu, np.float32)), {})


@every_body
def test_environments_batch_and_policy_see_the_same(load, name):
    """Three loops over the same physics, driven by equal ctrl; the policy's is a plain MuJoCo loop."""
    body = load(name)
    own = {"goal": (0.3, -0.2, 0.4)} if name in REACHING else {"direction": (0.6, -0.8)}
    body = body.with_task(body.task.replace(**own, height=None, angle=None, tilt=None))
    env = (ReachEnv if name in REACHING else RunEnv)(body)
    vec, policy = BodyVecEnv(body, 3, nthread=1), policy_of(body)
    env.reset(seed=0)
    start = env.simulation.get_data(0)
    vec.simulation.set_state(start.qpos, start.qvel, sim=2)
    data = mujoco.MjData(body.model)
    data.qpos[:], data.qvel[:] = start.qpos, start.qvel
    assert np.array_equal(policy.observe(data), policy.observe(start))
    rng = np.random.default_rng(1)
    seen = []
    for _ in range(20):
        ctrl = rng.uniform(env.action_space.low, env.action_space.high).astype(np.float32)
        alone = env.step(ctrl)[0]
        others = rng.uniform(env.action_space.low, env.action_space.high, (2, body.model.nu))
        batched = vec.step(np.concatenate([others, ctrl[None]]))[0]
        data.ctrl[:] = env.simulation.kinematics.ctrl[0]
        mujoco.mj_step(body.model, data, body.frame_skip)
        seen.append(alone)
        assert np.array_equal(batched[2], alone)
        assert np.array_equal(policy.observe(data), alone)
        assert np.array_equal(policy.observe(vec.simulation.get_data(2)), alone)
        assert not np.array_equal(batched[0], alone)
    assert all(not np.array_equal(a, b) for a, b in itertools.pairwise(seen))


@every_body
def test_a_batch_of_any_size_gives_each_its_own_bits(load, name):
    body = load(name)
    observer = Observer(body)
    states = [robots.random_state(body.model, seed) for seed in range(67)]
    for state in states:
        update_kinematics(body.model, state)
    alone = [Kinematics.of_data(state) for state in states]
    fields = [field.name for field in dataclasses.fields(Kinematics)]
    together = Kinematics(*(np.concatenate([getattr(one, field) for one in alone]) for field in fields))
    command = np.array([0.8, 0.6, -0.3])[: 3 if name in REACHING else 2]
    batched = observer.observe(together, command)
    assert batched.shape == (67, observer.size)
    assert batched.dtype == np.float32
    for row, one in zip(batched, alone, strict=True):
        assert np.array_equal(row, observer.observe(one, command)[0])


@pytest.mark.parametrize(
    ("env_id", "name"), [("Ant-v5", "ant"), ("HalfCheetah-v5", "half_cheetah"), ("Pusher-v5", "pusher_v5")]
)
def test_gymnasiums_own_data_may_be_stale(env_id, name):
    env = gymnasium.make(env_id)
    body = load_body(f"gymnasium:{name}")
    body = body.with_task(body.task.replace(height=None, frame_skip=env.unwrapped.frame_skip))
    policy = policy_of(body)
    env.reset(seed=3)
    data = env.unwrapped.data
    simulation = Simulation(body, 1, np.random.default_rng(0))
    simulation.set_state(data.qpos.copy(), data.qvel.copy())
    low, high = body.model.actuator_ctrlrange.T
    rng = np.random.default_rng(4)
    moved = 0.0
    for _ in range(10):
        action = rng.uniform(-1, 1, body.model.nu)
        env.step((low + high) / 2 + (high - low) / 2 * action)
        simulation.step(action[None])
        forwarded = mujoco.MjData(body.model)
        forwarded.qpos[:], forwarded.qvel[:], forwarded.ctrl[:] = data.qpos, data.qvel, data.ctrl
        mujoco.mj_forward(body.model, forwarded)
        moved = max(moved, np.abs(forwarded.xpos - data.xpos).max())
        assert np.array_equal(policy.observe(data), policy.observe(forwarded))
        assert np.array_equal(policy.observe(data), simulation.observation[0])
    assert moved > 1e-4, "nothing was stale, so nothing was shown"


@every_body
def test_acting_only_reads(load, name):
    body = aimed(load(name))
    policy = policy_of(body)
    data = robots.random_state(body.model, 5)
    mujoco.mj_step(body.model, data, 3)
    state, arrays = robots.full_state(body.model, data), robots.every_array(data)
    assert {"xpos", "ctrl", "qacc_warmstart", "cvel", "qfrc_constraint", "actuator_force"} <= set(arrays)
    first = policy.act(data)
    assert np.array_equal(robots.full_state(body.model, data), state)
    for field, before in arrays.items():
        assert np.array_equal(getattr(data, field), before, equal_nan=True), field
    assert np.array_equal(policy.act(data), first)


@every_body
def test_actions_are_clipped_ctrl_and_do_not_alias(load, name):
    body = aimed(load(name))
    policy = policy_of(body)
    low, high = robots.control_range(body.model)
    actions = [policy.act(robots.random_state(body.model, seed)) for seed in range(40)]
    for action in actions:
        assert action.shape == (body.model.nu,)
        assert action.dtype == np.float64
        np.testing.assert_allclose(action, np.clip(action, low, high), rtol=0, atol=1e-12)
    reached = np.isclose(actions, low) | np.isclose(actions, high)
    assert reached.any(), "weights of this size reach the ends of the range"
    assert len({id(action) for action in actions}) == len(actions)
    first = actions[0].copy()
    policy.act(robots.random_state(body.model, 99))
    assert np.array_equal(actions[0], first)


def test_training_and_the_policy_see_the_same_goal():
    """Goals drawn at every reset: each simulation beside a policy that is told its goal by the task of the call."""
    body = load_body("spatial_arm_5")
    body = body.with_task(body.task.replace(max_episode_steps=4))
    simulation, policy, rng = Simulation(body, 3, np.random.default_rng(0)), policy_of(body), np.random.default_rng(1)
    goals = set()
    for _ in range(10):
        for sim in range(3):
            task = body.task.replace(goal=tuple(simulation.command[sim]))
            goals.add(task.goal)
            assert np.array_equal(policy.observe(simulation.get_data(sim), task), simulation.observation[sim])
        simulation.step(rng.uniform(-1, 1, (3, body.model.nu)))
    assert len(goals) == 9


def test_a_policy_that_reaches_needs_a_goal():
    body = load_body("crane_2")
    policy, data = policy_of(body), mujoco.MjData(body.model)
    with pytest.raises(TaskError, match=r"^crane_2: no goal; give one"):
        policy.act(data)
    with pytest.raises(TaskError, match=r"^crane_2: a policy to reach; the task given is to run"):
        policy.act(data, load_body("hopper").task)
    ways = [policy.observe(data, body.task.replace(goal=goal)) for goal in ((0.4, 0.0, 0.9), (-0.4, 0.0, 0.9))]
    assert not np.array_equal(*ways)


def test_the_task_of_the_call_wins(load):
    body = load("gymnasium:ant")
    policy = policy_of(body)
    data = robots.random_state(body.model, 1)
    ahead, back = policy.observe(data), policy.observe(data, body.task.replace(direction=(-1.0, 0.0)))
    changed = [name for name, a, b in zip(policy.observation_names, ahead, back, strict=True) if a != b]
    assert changed == ["task/task/direction_x", "task/task/direction_y"]
    assert np.array_equal(policy.observe(data), ahead), "the task of one call is not remembered"
