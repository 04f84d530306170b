"""Simulation: seeds, resets, truncation, resuming, threads, and rewards worked out by hand."""

import json
import runpy

import mujoco
import numpy as np
import pytest
import robots
from robots import actions_for, load_text, with_task

from morphnet.bodies import load_body
from morphnet.simulation import Simulation, judge


def record(simulation, actions):
    """Everything that a run shows, step by step."""
    rows = []
    for action in actions:
        step = simulation.step(action)
        k = simulation.kinematics
        parts = {**vars(step), **vars(step.reward), **(vars(step.final_state) if step.final_state else {})}
        arrays = [value for name, value in parts.items() if name not in ("reward", "final_state")]
        rows.append([np.copy(a) for a in [*arrays, simulation.observation, k.qpos, k.qvel]])
    return rows


def assert_equal_runs(first, second):
    assert len(first) == len(second)
    for step, (a, b) in enumerate(zip(first, second, strict=True)):
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True)), f"step {step}"


# --- seeds, threads, resuming -----------------------------------------------------------------------------


def test_the_seed_decides_everything():
    body = load_body("gymnasium:hopper")
    actions = actions_for(body, 60, 4)
    runs = [record(Simulation(body, 4, np.random.default_rng(seed)), actions) for seed in (0, 0, 1)]
    assert_equal_runs(runs[0], runs[1])
    assert not np.array_equal(runs[0][0][-2], runs[2][0][-2])
    assert any(row[6].size for row in runs[0]), "no episode ended, so no reset was drawn from the seed"


def test_simulations_of_a_batch_start_differently():
    simulation = Simulation(load_body("gymnasium:ant"), 6, np.random.default_rng(0))
    assert len(np.unique(simulation.kinematics.qpos, axis=0)) == 6
    assert len(np.unique(simulation.observation, axis=0)) == 6


@pytest.mark.parametrize("name", ["gymnasium:humanoid", "hexapod"])
def test_threads_do_not_change_a_bit(name):
    body = load_body(name)
    actions = actions_for(body, 40, 6)
    first, *others = (
        record(Simulation(body, 6, np.random.default_rng(0), exact=True, nthread=n), actions) for n in (1, 2, 0, 9)
    )
    for other in others:
        assert_equal_runs(first, other)


def test_other_simulations_of_the_batch_do_not_matter():
    body = with_task("gymnasium:walker2d_v5", height=None, angle=None)
    actions = actions_for(body, 30, 5)
    many, one = (Simulation(body, n, np.random.default_rng(0)) for n in (5, 1))
    one.set_state(many.kinematics.qpos[3].copy(), many.kinematics.qvel[3].copy())
    for action in actions:
        reward, alone = many.step(action).reward.total[3], one.step(action[3:4]).reward.total[0]
        assert reward == alone
        assert np.array_equal(many.observation[3], one.observation[0])


@pytest.mark.parametrize("name", ["gymnasium:hopper", "gymnasium:ant", "activations"])
def test_resuming_continues_to_the_bit(tmp_path, name):
    body = load_text(tmp_path, robots.ACTIVATIONS) if name == "activations" else load_body(name)
    body = body.with_task(body.task.replace(max_episode_steps=37))
    actions = actions_for(body, 70, 3)
    simulation = Simulation(body, 3, np.random.default_rng(0), exact=True)
    simulation.stagger()
    record(simulation, actions[:30])
    state = {key: value.copy() for key, value in simulation.state_dict().items()}
    rng_state = json.loads(json.dumps(simulation.rng_state))
    observation = simulation.observation.copy()
    rest = record(simulation, actions[30:])

    other = Simulation(body, 3, np.random.default_rng(99), exact=True)
    record(other, actions[:5])
    other.load_state_dict(state)
    other.rng_state = rng_state
    assert np.array_equal(other.observation, observation)
    assert_equal_runs(record(other, actions[30:]), rest)
    assert any(row[6].size for row in rest), "no episode ended after resuming"


def test_a_saved_state_is_a_copy():
    simulation = Simulation(load_body("gymnasium:hopper"), 2, np.random.default_rng(0))
    state = simulation.state_dict()
    before = {key: value.copy() for key, value in state.items()}
    simulation.step(np.ones((2, 3)))
    assert all(np.array_equal(state[key], before[key]) for key in before)


# --- episodes -----------------------------------------------------------------------------------------------


def test_truncation_reports_the_last_observation_and_starts_anew():
    short, endless = (with_task("gymnasium:half_cheetah", max_episode_steps=n) for n in (7, 1000))
    first, twin = (Simulation(body, 3, np.random.default_rng(0)) for body in (short, endless))
    actions = actions_for(short, 14, 3)
    total = np.zeros(3)
    for index, action in enumerate(actions[:7]):
        step, other = first.step(action), twin.step(action)
        total += other.reward.total
        assert not step.terminated.any()
        assert step.truncated.all() == (index == 6)
    assert step.done_ids.tolist() == [0, 1, 2]
    assert np.array_equal(step.final_observation, twin.observation)
    assert np.array_equal(step.final_state.qpos, twin.kinematics.qpos)
    assert step.episode_lengths.tolist() == [7, 7, 7]
    np.testing.assert_allclose(step.episode_returns, total, rtol=1e-12)
    # HalfCheetah-v5 starts within 0.1 of its start pose
    assert np.abs(first.kinematics.qpos - short.model.qpos0).max() <= 0.1
    assert len(np.unique(first.kinematics.qpos, axis=0)) == 3
    ends = [first.step(action).truncated.all() for action in actions[7:]]
    assert ends == [False] * 6 + [True]


def test_termination_ends_only_who_fell():
    falling, immortal = (
        with_task("gymnasium:hopper", **limits)
        for limits in ({}, {"height": None, "angle": None, "state_limit": np.inf})
    )
    first, twin = (Simulation(body, 5, np.random.default_rng(0)) for body in (falling, immortal))
    totals, fallen = np.zeros(5), set()
    for age, action in enumerate(actions_for(falling, 100, 5), start=1):
        step, other = first.step(action), twin.step(action)
        standing = [sim for sim in range(5) if sim not in fallen]
        totals += np.where(step.terminated, other.reward.total - 1.0, other.reward.total)  # no bonus for falling
        for row, sim in enumerate(step.done_ids):
            if sim in standing:
                assert step.terminated[sim]
                assert not step.truncated[sim]
                assert np.array_equal(step.final_observation[row], twin.observation[sim])
                assert step.episode_lengths[row] == age
                assert step.episode_returns[row] == pytest.approx(totals[sim])
                # Hopper-v5's limits, at the state that the twin went on with
                height, angle = twin.kinematics.qpos[sim, 1:3]
                assert height <= 0.7 or abs(angle) >= 0.2
                assert np.abs(first.kinematics.qpos[sim] - falling.model.qpos0).max() <= 0.005
                fallen.add(sim)
            standing = [s for s in standing if s != sim]
        for sim in standing:
            assert np.array_equal(first.observation[sim], twin.observation[sim])
    assert fallen == set(range(5))


def test_falling_in_the_last_step_is_falling(tmp_path):
    """An episode that would also have been truncated here: what comes after a fall is worth nothing."""
    body = load_text(tmp_path, robots.DRIFTER, frame_skip=5, height=(-0.18, 0.18), max_episode_steps=4)
    simulation = Simulation(body, 2, np.random.default_rng(0))
    for sim, up in enumerate((1.0, 0.5)):  # metres a second: 0.2 m and 0.1 m in the 0.2 s of four steps
        simulation.set_state(np.zeros(4), np.array([0.0, 0.0, up, 0.0]), sim)
    for _ in range(4):
        step = simulation.step(np.zeros((2, 1)))
    assert step.terminated.tolist() == [True, False]
    assert step.truncated.tolist() == [False, True]


def test_reset_takes_a_new_seed():
    simulation = Simulation(load_body("gymnasium:swimmer"), 2, np.random.default_rng(0))
    first = simulation.reset(np.random.default_rng(5)).copy()
    simulation.step(np.ones((2, 2)))
    assert not np.array_equal(simulation.reset(), first)
    assert np.array_equal(simulation.reset(np.random.default_rng(5)), first)
    assert not simulation.kinematics.ctrl.any(), "the last control of an episode is not seen by the next"


@pytest.mark.parametrize(("kind", "name"), [("uniform", "gymnasium:hopper"), ("normal", "gymnasium:half_cheetah")])
def test_starts_are_drawn_as_numpy_draws_them(kind, name):
    """All positions, then all velocities; what is drawn ahead is drawn when it is needed, not before."""
    body = with_task(name, qpos_noise=0.03, qvel_noise=0.2, qvel_noise_kind=kind)
    model, rng, twin = body.model, np.random.default_rng(7), np.random.default_rng(7)
    k = Simulation(body, 5, rng).kinematics
    assert np.array_equal(k.qpos, model.qpos0 + twin.uniform(-0.03, 0.03, (5, model.nq)))
    unit = twin.uniform(-1, 1, (5, model.nv)) if kind == "uniform" else twin.normal(size=(5, model.nv))
    assert np.array_equal(k.qvel, 0.2 * unit)
    assert rng.bit_generator.state == twin.bit_generator.state


def test_staggered_episodes_end_at_different_steps():
    body = with_task("gymnasium:swimmer", max_episode_steps=12)
    simulation = Simulation(body, 30, np.random.default_rng(0))
    simulation.stagger()
    ends = np.array([simulation.step(np.zeros((30, 2))).truncated for _ in range(12)])
    assert (ends.sum(axis=0) == 1).all()
    assert np.count_nonzero(ends.any(axis=1)) >= 8


# --- rewards and limits by hand ---------------------------------------------------------------------------


@pytest.mark.parametrize("direction", [(1.0, 0.0), (0.0, -1.0), (0.6, 0.8)])
def test_forward_reward_is_the_velocity_along_the_direction(tmp_path, direction):
    body = load_text(
        tmp_path, robots.DRIFTER, direction=direction, forward_weight=3.0, healthy_reward=0.5, frame_skip=5
    )
    simulation = Simulation(body, 2, np.random.default_rng(0))
    simulation.set_state(np.zeros(4), np.array([2.0, -1.0, 0.0, 0.0]), sim=1)
    for _ in range(3):
        step = simulation.step(np.zeros((2, 1)))
        assert step.reward.forward[1] == pytest.approx(3.0 * (2.0 * direction[0] - 1.0 * direction[1]))
        assert step.reward.total[1] == pytest.approx(step.reward.forward[1] + 0.5)


@pytest.mark.parametrize("velocity", ["root", "body", "center_of_mass"])
def test_a_steady_velocity_is_rewarded_as_it_is_however_it_is_measured(tmp_path, velocity):
    body = load_text(tmp_path, robots.DRIFTER, velocity=velocity, frame_skip=5)
    simulation = Simulation(body, 1, np.random.default_rng(0))
    simulation.set_state(np.zeros(4), np.array([2.0, 0.0, 0.0, 0.0]))
    forward = [simulation.step(np.zeros((1, 1))).reward.forward[0] for _ in range(4)]
    # read one substep late, the first step of an episode covers a substep less, as in Gymnasium
    assert forward[1:] == pytest.approx([2.0] * 3)


def test_a_driven_carts_way_counts_without_a_task(tmp_path):
    """Its slide is an actuated joint, so no root joint carries it along."""
    text = """<mujoco><option timestep="0.01" gravity="0 0 0"/><worldbody>
      <body><joint name="x" type="slide" axis="1 0 0"/><geom size=".1"/></body></worldbody>
      <actuator><motor joint="x" gear="1e-9"/></actuator></mujoco>"""
    simulation = Simulation(load_text(tmp_path, text), 1, np.random.default_rng(0))
    simulation.set_state(np.zeros(1), np.array([1.5]))
    forward = [simulation.step(np.zeros((1, 1))).reward.forward[0] for _ in range(4)]
    assert forward[1:] == pytest.approx([1.5] * 3)


def test_each_simulation_may_run_its_own_way():
    body = load_body("gymnasium:ant").with_task(load_body("ant").task)
    simulation = Simulation(body, 2, np.random.default_rng(0))
    start = simulation.get_data(0)
    simulation.command[:] = [[1.0, 0.0], [-1.0, 0.0]]
    for sim in range(2):
        simulation.set_state(start.qpos, start.qvel, sim)
    forward = [simulation.step(np.tile(a, (2, 1))).reward.forward for a in actions_for(body, 10, 1)[:, 0]]
    forward = np.array(forward)
    assert np.abs(forward).max() > 0.01
    assert np.array_equal(forward[:, 0], -forward[:, 1])


def test_control_cost_is_in_mujocos_units(tmp_path):
    body = load_text(tmp_path, robots.ACTIVATIONS, ctrl_cost=0.1, forward_weight=0.0)
    step = Simulation(body, 1, np.random.default_rng(0)).step(np.array([[1.0, -1.0, 0.5, -1.0, 1.0]]))
    # ctrl: 3 of [-1, 3]; -1 of [-1, 1]; 1 of [-2, 2]; 0 of [0, 1]; 0.1 of [-0.1, 0.1]
    assert step.reward.ctrl[0] == pytest.approx(-0.1 * (9 + 1 + 1 + 0 + 0.01))


def test_actions_beyond_the_range_and_nan_are_tamed():
    body = load_body("gymnasium:half_cheetah")
    first, second = (Simulation(body, 1, np.random.default_rng(0)) for _ in range(2))
    first.step(np.array([[5.0, -5.0, np.nan, np.inf, -np.inf, 0.5]]))
    second.step(np.array([[1.0, -1.0, 0.0, 1.0, -1.0, 0.5]]))
    assert np.array_equal(first.kinematics.qpos, second.kinematics.qpos)


@pytest.mark.parametrize(
    ("shape", "out"), [((3, 2), None), ((2, 3), None), ((3,), None), ((3, 3), (3, 4)), ((3, 3), (2, 90))]
)
def test_arrays_of_another_shape_are_refused(shape, out):
    """The compiled loop would write past their ends."""
    simulation = Simulation(load_body("gymnasium:hopper"), 3, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"expected \(3, "):
        simulation.step(np.zeros(shape), None if out is None else np.zeros(out, np.float32))


@pytest.mark.parametrize(("roll", "falls"), [(0.9, False), (-0.9, False), (1.1, True), (3.0, True)])
def test_tilt_limit(roll, falls):
    body = with_task("ant", tilt=1.0, height=None)
    simulation = Simulation(body, 1, np.random.default_rng(0))
    qpos = body.model.qpos0.copy()
    qpos[2] = 3.0
    qpos[3:7] = np.cos(roll / 2), np.sin(roll / 2), 0, 0
    simulation.set_state(qpos, np.zeros(body.model.nv))
    assert simulation.step(np.zeros((1, body.model.nu))).terminated[0] == falls


@pytest.mark.parametrize(("height", "falls"), [(0.9, False), (1.15, True), (0.4, True)])
def test_height_limits_hold_on_both_sides(height, falls):
    body = with_task("gymnasium:ant", height=(0.5, 1.0), velocity="root", contact_cost=0.0)
    simulation = Simulation(body, 1, np.random.default_rng(0))
    qpos = body.model.qpos0.copy()
    qpos[2] = height
    simulation.set_state(qpos, np.zeros(body.model.nv))
    assert simulation.step(np.zeros((1, 8))).terminated[0] == falls


@pytest.mark.parametrize("name", ["gymnasium:hopper", "gymnasium:humanoid", "activations", "balls"])
def test_starting_anew_gives_the_bits_of_mujocos_reset(tmp_path, name):
    """Simulation 1 starts again and again after long falls; a fresh ``MjData`` is put at the same states."""
    texts = {"activations": robots.ACTIVATIONS, "balls": robots.BALLS}
    body = load_text(tmp_path, texts[name]) if name in texts else load_body(name)
    body = body.with_task(body.task.replace(height=None, angle=None, tilt=None, state_limit=np.inf))
    simulation, data = Simulation(body, 3, np.random.default_rng(0)), mujoco.MjData(body.model)
    for seed in range(3):
        start = robots.random_state(body.model, seed)
        simulation.set_state(start.qpos, start.qvel, sim=1)
        mujoco.mj_resetData(body.model, data)
        data.qpos[:], data.qvel[:] = start.qpos, start.qvel
        for action in actions_for(body, 30, 3, seed):
            simulation.step(action)
            data.ctrl[:] = simulation.kinematics.ctrl[1]
            mujoco.mj_step(body.model, data, body.frame_skip)
            assert np.array_equal(simulation.kinematics.qpos[1], data.qpos)
            assert np.array_equal(simulation.kinematics.qvel[1], data.qvel)
            assert np.array_equal(simulation.kinematics.act[1], data.act)


def test_what_the_judges_kernel_takes_for_granted_is_checked(monkeypatch):
    monkeypatch.setattr("morphnet.bodies.task.VELOCITIES", ("body", "root", "center_of_mass"))
    with pytest.raises(AssertionError, match="judge_kernel"):
        runpy.run_path(judge.__file__)
