"""Experts into one hypernetwork: the pieces against hand arithmetic, the whole on two pucks."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import NamedTuple

import mujoco
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pucks import PUCK, TASK, constant_actor

from morphnet.bodies import Body, load_body
from morphnet.config import DistillConfig, NetworkConfig
from morphnet.distillation import Distiller, Teacher, shift
from morphnet.distillation.imitation_loss import imitation_loss
from morphnet.distillation.memory import Memory
from morphnet.errors import CheckpointError, MorphNetError
from morphnet.hypernetwork import Hypernetwork
from morphnet.learning import Progress
from morphnet.learning.checkpoint import load_checkpoint
from morphnet.learning.rollout import RolloutCollector
from morphnet.learning.samples import prepare
from morphnet.networks import StackedActor, StackedMLP
from morphnet.policy import ActorWeights, Policy
from morphnet.simulation import Observer

TINY = DistillConfig(
    steps=6000,
    num_sims=4,
    horizon=16,
    memory=1024,
    gradient_steps=32,
    batch=64,
    threads=1,
    save_every=10,
    network=NetworkConfig(hidden=16, own=4, width=16, depth=1, heads=2),
)


def random_actor(inputs: int, hidden: int, outputs: int, seed: int) -> ActorWeights:
    rng = np.random.default_rng(seed)
    draw = lambda *shape: rng.standard_normal(shape).astype(np.float32)  # noqa: E731
    weights = (draw(hidden, inputs), draw(hidden, hidden), draw(outputs, hidden))
    return ActorWeights(weights, (draw(hidden), draw(hidden), draw(outputs)), draw(outputs))


def still_stack(means: list[list[float]], log_std: float = -1.0, mask: list[float] | None = None) -> StackedActor:
    """One actor a row, whose mean action is the row whatever it observes."""
    rows = torch.tensor(means)[:, None]
    count, actions = rows.shape[0], rows.shape[2]
    weights = (torch.zeros(count, 3, 2), torch.zeros(count, 2, 2), torch.zeros(count, 2, actions))
    biases = (torch.zeros(count, 1, 2), torch.zeros(count, 1, 2), rows)
    present = torch.ones_like(rows) if mask is None else torch.tensor(mask).expand_as(rows)
    return StackedActor(StackedMLP(weights, biases), torch.full_like(rows, log_std), present)


@given(st.lists(st.tuples(*[st.integers(1, 6)] * 3), min_size=1, max_size=4), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_a_stack_acts_as_each_of_its_actors(sizes, seed):
    actors = [random_actor(*size, seed + index) for index, size in enumerate(sizes)]
    stack = ActorWeights.stack(actors)
    observed = max(size[0] for size in sizes)
    seen = np.random.default_rng(seed).standard_normal((len(sizes), 5, observed)).astype(np.float32)
    means = stack.mean(torch.from_numpy(seen)).numpy()
    for index, (actor, (inputs, hidden, outputs)) in enumerate(zip(actors, sizes, strict=True)):
        np.testing.assert_allclose(means[index, :, :outputs], actor.mean(seen[index, :, :inputs]), atol=1e-5)
        assert stack.action_mask[index, 0].sum() == outputs
        back = ActorWeights.of_stack(stack, index, inputs, hidden, outputs)
        for name, tensor in actor.tensors().items():
            np.testing.assert_array_equal(back.tensors()[name], tensor)


def test_the_loss_by_hand():
    observation = torch.zeros(1, 1, 3)
    experts = still_stack([[0.0, 0.0]])
    _, loss = imitation_loss(still_stack([[0.5, -0.2]]), experts, observation, torch.tensor([[[0.1, -0.5]]]))
    assert float(loss) == pytest.approx(0.5 * (0.4**2 + 0.3**2) / 2)
    # one actuator is padding
    masked = still_stack([[0.5, -0.2]], mask=[1.0, 0.0])
    _, loss = imitation_loss(masked, experts, observation, torch.tensor([[[0.1, -0.5]]]))
    assert float(loss) == pytest.approx(0.5 * 0.4**2)
    # the noise counts a hundredth
    _, loss = imitation_loss(still_stack([[0.0, 0.0]], log_std=-0.5), experts, observation, torch.zeros(1, 1, 2))
    assert float(loss) == pytest.approx(0.01 * 0.5 * 0.5**2)


@pytest.mark.parametrize(
    ("mean", "action", "error"), [(1.7, 1.0, 0.0), (0.4, 1.0, 0.6), (-3.0, -1.0, 0.0), (2.0, 0.9, 1.1)]
)
def test_beyond_the_limit_is_at_the_limit(mean, action, error):
    actors, experts = still_stack([[mean]]), still_stack([[0.0]])
    _, loss = imitation_loss(actors, experts, torch.zeros(1, 1, 3), torch.tensor([[[action]]]))
    assert float(loss) == pytest.approx(0.5 * error**2, abs=1e-6)


@dataclasses.dataclass
class Robots:
    entry_mask: torch.Tensor
    action_mask: torch.Tensor


@dataclasses.dataclass
class Group:
    robots: Robots


@given(st.lists(st.integers(1, 7), min_size=1, max_size=12))
@settings(max_examples=50, deadline=None)
def test_the_memory_holds_the_latest(sizes):
    memory = Memory(Group(Robots(torch.ones(2, 1), torch.ones(2, 1))), 7)
    seen: list[float] = []
    for size in sizes:
        numbers = torch.arange(len(seen), len(seen) + size, dtype=torch.float32).expand(2, size)[..., None]
        memory.add(numbers, -numbers)
        seen += numbers[0, :, 0].tolist()
    assert len(memory) == min(len(seen), 7)
    for robot in range(2):
        assert sorted(memory.observation[robot, : len(memory), 0].tolist()) == seen[-7:]
    assert torch.equal(memory.action, -memory.observation)


def braking_actor(body: Body) -> ActorWeights:
    """Push against the velocity along x, and hold the arm at 0.3."""
    observed = Observer(body).layout.names
    actor = constant_actor(body, [0.0, 0.3], -1.5)
    first = np.zeros_like(actor.weights[0])
    first[0] = [0.1 if name == "joint/x/velocity_x" else 0.0 for name in observed]
    assert first.any(), observed
    second, last = np.zeros_like(actor.weights[1]), np.zeros_like(actor.weights[2])
    second[0, 0], last[0, 0] = 1.0, -5.0
    zeros = np.zeros_like(actor.biases[0])
    return ActorWeights((first, second, last), (zeros, zeros, actor.biases[2]), actor.log_std)


@pytest.fixture(scope="module")
def experts(puck: Body, pushing: Policy, tmp_path_factory) -> list[Teacher]:
    """One always pushes; the other's body is heavier, and it brakes."""
    path = tmp_path_factory.mktemp("heavy") / "heavy.xml"
    path.write_text(PUCK.replace('mass="1"', 'mass="4"'))
    path.with_suffix(".toml").write_text(TASK)
    heavy = load_body(path)
    return [Teacher("pucks", pushing), Teacher("pucks", Policy(heavy, braking_actor(heavy), {}))]


def difference(folder: Path, expert: Policy) -> float:
    """Root of the mean squared difference of the clipped mean actions, at states that the expert comes to."""
    emitted, body = Hypernetwork.load(folder).generate(expert.body), expert.body
    data, rng = mujoco.MjData(body.model), np.random.default_rng(3)
    wrong = []
    for _ in range(4):
        mujoco.mj_resetData(body.model, data)
        data.qvel[:] = rng.normal(0.0, 0.5, size=2)
        for _ in range(40):
            wrong.append(emitted.act(data) - expert.act(data))
            data.ctrl[:] = expert.act(data)
            mujoco.mj_step(body.model, data, body.frame_skip)
    return float(np.sqrt(np.square(wrong).mean()))


class Taught(NamedTuple):
    folder: Path
    distiller: Distiller
    before: list[float]
    progress: list[Progress]


@pytest.fixture(scope="module", params=[40, 1], ids=["together", "in turns"])
def taught(request, experts, tmp_path_factory) -> Taught:
    folder = tmp_path_factory.mktemp("taught")
    steps = TINY.steps if request.param > 1 else 2 * TINY.steps  # in turns each is taught half as often
    config = dataclasses.replace(TINY, bodies_at_once=request.param, steps=steps)
    distiller = Distiller(experts, config, folder, {"bodies": "two pucks", "command": "test"})
    distiller.save_checkpoint(folder)
    before, progress = [difference(folder, expert.policy) for expert in experts], []
    distiller.run(report=progress.append)
    return Taught(folder, distiller, before, progress)


def test_one_hypernetwork_emits_what_both_experts_do(taught, experts):
    after = [difference(taught.folder, expert.policy) for expert in experts]
    assert max(after) < 0.1 < min(taught.before), (taught.before, after)


def test_the_student_drives_without_noise_and_experts_with(experts, tmp_path):
    distiller = Distiller(experts, TINY, tmp_path, {"bodies": "two pucks"})
    emitted = [distiller.networks.actor(group.robots) for group in distiller.groups]
    distiller._one_round()
    (only,) = distiller.shifts
    drivers = [(only.collectors, emitted, 0.0, 1e-5), (only.guiding, only.experts, 0.01, 10.0)]
    for collectors, actors, least, most in drivers:
        for collector, actor in zip(collectors, actors, strict=True):
            seen = collector._observation[:-1].transpose(0, 1).flatten(1, 2)
            done = collector._action.transpose(0, 1).flatten(1, 2)
            assert least <= float((done - actor.mean(seen)).detach().abs().max()) < most
    distiller.workers.close()


def numbered(bodies: int, mutants: int = 0) -> list[Teacher]:
    return [Teacher(f"family {index % 3}", index, index >= bodies) for index in range(bodies + mutants)]


@given(st.integers(0, 9), st.integers(0, 30), st.integers(1, 12))
@settings(max_examples=100, deadline=None)
def test_the_bodies_of_a_suite_are_always_due_and_mutants_in_turns(bodies, mutants, most):
    dealt, always = shift._deal(numbered(bodies, mutants), most)
    members = [[teacher.policy for teacher in part] for part in dealt]
    assert sorted(index for part in members for index in part) == list(range(bodies + mutants))
    assert always == (mutants > 0 and 0 < bodies <= 0.75 * most)
    constant = len(members[0]) if always else 0
    assert max(map(len, members[always:]), default=0) + constant <= most
    if always:
        assert sorted(members[0]) == list(range(bodies))


@given(st.integers(1, 30), st.integers(1, 12))
@settings(max_examples=50, deadline=None)
def test_shifts_hold_every_body_once_and_their_share_of_a_family(bodies, most):
    dealt, _ = shift._deal(numbered(bodies), most)
    dealt = [[teacher.policy for teacher in members] for members in dealt]
    assert sorted(index for members in dealt for index in members) == list(range(bodies))
    assert len(dealt) == math.ceil(bodies / most)
    assert max(map(len, dealt)) <= most
    assert max(map(len, dealt)) - min(map(len, dealt)) <= 1
    for family in range(3):
        shares = [sum(index % 3 == family for index in members) for members in dealt]
        assert max(shares) - min(shares) <= 1


def test_it_leaves_a_checkpoint_and_reports(taught):
    distiller = taught.distiller
    assert taught.progress[-1].steps == distiller.steps >= TINY.steps
    # the emitted policies drove half of the simulations, so their returns are known
    assert set(distiller.body_returns()) == {"puck", "heavy"}
    assert all(np.isfinite(value) for value in distiller.body_returns().values())
    _, record = load_checkpoint(taught.folder)
    assert record["distillation"]["batch"] == TINY.batch
    assert record["body_names"] == ["heavy", "puck"]
    assert "cut off after 12.5 simulated seconds" in (taught.folder / "README.md").read_text()


def test_critics_learn_the_returns(taught):
    networks = taught.distiller.networks
    most = 0.3 if len(taught.distiller.shifts) == 1 else 0.6  # of what an ignorant critic is wrong by
    for group in taught.distiller.groups:
        with torch.no_grad():
            actor = networks.actor(group.robots)
            critic = networks.critic(group.robots, networks.actor.statistics)
            rollout = RolloutCollector(group, 16).collect(actor)
            samples = prepare(rollout, actor, critic, group.reward_scale, taught.distiller.training.gae_lambda)
            values = critic(samples.observation).squeeze(-1)
        wrong = (values - samples.value_target).square().mean(dim=1)
        assert (wrong < most * samples.value_target.square().mean(dim=1)).all(), wrong


def test_a_distillation_repeats(experts, tmp_path):
    states = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        config = dataclasses.replace(TINY, steps=1000)
        distiller = Distiller(experts, config, tmp_path / name, {"bodies": "two pucks"})
        distiller.run()
        states.append(distiller.networks.state_dict())
    assert all(torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())


def test_a_distillation_in_turns_is_resumed_to_the_bit(experts, tmp_path):
    config = dataclasses.replace(TINY, steps=3000, bodies_at_once=1, save_every=2)

    def stop(progress: Progress) -> None:
        if progress.update == 5:
            raise RuntimeError("killed")

    def make(name: str) -> Distiller:
        (tmp_path / name).mkdir(exist_ok=True)
        return Distiller(experts, config, tmp_path / name, {"bodies": "two pucks"})

    whole = make("whole")
    whole.run()
    with pytest.raises(RuntimeError, match="killed"):
        make("cut").run(report=stop)
    together = dataclasses.replace(config, bodies_at_once=2)
    with pytest.raises(CheckpointError, match="another bodies_at_once"):
        Distiller(experts, together, tmp_path / "cut", {"bodies": "two pucks"}).run(resume=True)
    resumed = make("cut")
    resumed.run(resume=True)
    assert resumed.rounds == whole.rounds > 6
    for name, tensor in whole.networks.state_dict().items():
        assert torch.equal(tensor, resumed.networks.state_dict()[name]), name


def test_in_every_gradient_step_are_the_bodies_and_some_mutants(experts, tmp_path):
    body, mutant = experts[0], experts[1]._replace(mutant=True)
    others = [mutant._replace(policy=Policy(mutant.policy.body, mutant.policy.actor, {})) for _ in range(2)]
    config = dataclasses.replace(TINY, bodies_at_once=2, memory=1024)
    distiller = Distiller([mutant, body, *others], config, tmp_path, {"bodies": "pucks"})
    assert [len(made.groups[0].simulations) for made in distiller.shifts] == [1, 1, 1, 1]
    due = [distiller._due(number) for number in range(3)]
    assert all(first is distiller.shifts[0] for first, _ in due)
    assert {id(second) for _, second in due} == {id(made) for made in distiller.shifts[1:]}
    assert set(distiller.body_returns()) == {"puck"}
    assert [memory.observation.shape[1] for made in distiller.shifts for memory in made.memories] == [
        1024,
        341,
        341,
        341,
    ]
    distiller._one_round()
    distiller._one_round()
    distiller.workers.close()


@pytest.mark.parametrize(
    "wrong", [{"steps": 0}, {"memory": 100}, {"bodies_at_once": 0}, {"learning_rate": 0.0}, {"value_every": 0}]
)
def test_wrong_settings_are_named(wrong):
    with pytest.raises(MorphNetError, match=next(iter(wrong))):
        dataclasses.replace(TINY, **wrong)
