"""The compiled gradient steps are those that autograd and plain Adam take."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from morphnet.config import TrainConfig
from morphnet.errors import SimulationError
from morphnet.learning.group import Workers
from morphnet.learning.samples import Samples
from morphnet.specialists.ascent import Anchor, Ascent
from morphnet.specialists.direct import DirectActor, DirectCritic
from morphnet.specialists.trainer import Recipe, Specialist

INPUTS, HIDDEN, OUTPUTS, COUNT = 7, 18, 3, 40
SETTINGS = TrainConfig(epochs=3, minibatches=5, learning_rate=3e-3, entropy=0.01, kl_limit=1000, gradient_norm=0.5)


@pytest.fixture
def workers():
    workers = Workers(2)
    yield workers
    workers.close()


def networks(outputs=OUTPUTS) -> tuple[DirectActor, DirectCritic]:
    generator = torch.Generator().manual_seed(0)
    actor, critic = DirectActor(INPUTS, outputs, HIDDEN, -0.7, generator), DirectCritic(INPUTS, 12, generator)
    actor.statistics.update(5.0 + 3.0 * torch.randn(100, INPUTS, generator=generator))
    rng = np.random.default_rng(1)
    for values in (actor.perceptron.values, critic.perceptron.values):
        values += 0.2 * rng.normal(size=values.shape).astype(np.float32)
    return actor, critic


def drawn_samples(actor: DirectActor, spread: float = 1.0) -> Samples:
    """Samples of an actor a little unlike the one given, so that some ratios are clipped."""
    generator = torch.Generator().manual_seed(2)
    observation = 5.0 + 3.0 * torch.randn(1, COUNT, INPUTS, generator=generator)
    stack = actor()
    mean = stack.mean(observation)
    action = mean + stack.log_std.exp() * torch.randn(mean.shape, generator=generator)
    log_prob = stack.log_prob(mean, action) + 0.3 * torch.randn(1, COUNT, generator=generator)
    advantage, target = torch.randn(2, 1, COUNT, generator=generator).unbind()
    return Samples(observation, action, log_prob, spread * advantage, target)


def as_modules(perceptron) -> nn.Sequential:
    """The same perceptron, of torch's own layers."""
    inputs, hidden, outputs = perceptron.sizes
    linear = [nn.Linear(inputs, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, outputs)]
    layers = perceptron.layers
    matrices = (layers.first.T, layers.second.T, layers.third)
    for module, weight, bias in zip(linear, matrices, layers[3:6], strict=True):
        module.weight.data.copy_(torch.from_numpy(weight.copy()))
        module.bias.data.copy_(torch.from_numpy(bias.copy()))
    return nn.Sequential(linear[0], nn.Tanh(), linear[1], nn.Tanh(), linear[2])


def assert_same(perceptron, modules: nn.Sequential) -> None:
    for mine, theirs in zip(as_modules(perceptron).parameters(), modules.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, atol=2e-5, rtol=1e-4)


def recorded_order(ascent: Ascent, monkeypatch) -> list[np.ndarray]:
    """Keep the order in which samples are learnt from."""
    drawn: list[np.ndarray] = []
    draw = ascent._draw_order
    monkeypatch.setattr(ascent, "_draw_order", lambda count: drawn.append(draw(count)) or drawn[-1])
    return drawn


@pytest.mark.parametrize("outputs", [1, 3])
def test_steps_are_those_of_autograd_and_plain_adam(workers, monkeypatch, outputs):
    actor, critic = networks(outputs)
    samples = drawn_samples(actor)
    normal = torch.from_numpy(actor.statistics.normalised(samples.observation))
    mean, value = as_modules(actor.perceptron), as_modules(critic.perceptron)
    log_std = nn.Parameter(torch.from_numpy(actor.perceptron.layers.log_std.copy()))
    ascent = Ascent(actor, critic, COUNT, SETTINGS)
    order = recorded_order(ascent, monkeypatch)
    for _ in range(2):
        ascent.update(samples, 0.3, workers)
    groups = [[*mean.parameters(), log_std], list(value.parameters())]
    optimizers = [torch.optim.Adam(group, ascent.learning_rate, eps=1e-5, foreach=False) for group in groups]
    for index in torch.from_numpy(np.concatenate(order)):
        density = torch.distributions.Normal(mean(normal[index]), log_std.exp())
        ratio = (density.log_prob(samples.action[0, index]).sum(-1) - samples.log_prob[0, index]).exp()
        advantage = samples.advantage[0, index]
        surrogate = torch.minimum(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage).mean()
        error = (value(normal[index])[:, 0] - samples.value_target[0, index]).square().mean()
        losses = (-surrogate - SETTINGS.entropy * density.entropy().sum(-1).mean(), 0.5 * SETTINGS.value * error)
        for loss, group, optimizer in zip(losses, groups, optimizers, strict=True):
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(group, SETTINGS.gradient_norm)
            optimizer.step()
    assert len(order[0]) == 15
    assert_same(actor.perceptron, mean)
    assert_same(critic.perceptron, value)
    np.testing.assert_allclose(actor.perceptron.layers.log_std, log_std.detach(), atol=2e-5)


@pytest.mark.parametrize(("minibatches", "steps", "seen"), [(5, 5, 40), (6, 6, 36), (64, 40, 40)])
def test_no_sample_is_seen_twice_in_a_pass(workers, monkeypatch, minibatches, steps, seen):
    actor, critic = networks()
    ascent = Ascent(actor, critic, COUNT, dataclasses.replace(SETTINGS, minibatches=minibatches))
    order = recorded_order(ascent, monkeypatch)
    ascent.update(drawn_samples(actor), 0.3, workers)
    assert len(order[0]) == 3 * steps
    for one_pass in order[0].reshape(3, seen):
        assert len(set(one_pass)) == seen
        assert set(one_pass) <= set(range(COUNT))


def test_the_anchors_gradient_is_that_of_its_loss(workers):
    """With no advantages at all, the first step goes where the error of imitating falls."""
    actor, critic = networks()
    samples = drawn_samples(actor, spread=0.0)
    rng = np.random.default_rng(3)
    anchor = Anchor(
        (5.0 + rng.normal(size=(1, INPUTS))).astype(np.float32),
        rng.normal(size=(1, OUTPUTS)).astype(np.float32),
        4,
        0.1,
    )
    mean, log_std = as_modules(actor.perceptron), actor.perceptron.layers.log_std.copy()
    one = dataclasses.replace(SETTINGS, epochs=1, minibatches=1, entropy=0.0)
    ascent = Ascent(actor, critic, COUNT, one, anchor)
    ascent.update(samples, 0.3, workers)
    shown = torch.from_numpy(actor.statistics.normalised(torch.from_numpy(anchor.observation)))
    error = (mean(shown) - torch.from_numpy(anchor.action)) * torch.exp(-torch.from_numpy(log_std))
    (0.1 * 0.5 * error.square().sum()).backward()
    nn.utils.clip_grad_norm_(list(mean.parameters()), one.gradient_norm)
    torch.optim.Adam(mean.parameters(), ascent.learning_rate, eps=1e-5).step()
    assert_same(actor.perceptron, mean)
    np.testing.assert_array_equal(actor.perceptron.layers.log_std, log_std)


def test_an_update_ends_where_the_actor_has_gone_too_far(workers):
    steps = []
    for limit in (1e3, 1e-3):
        actor, critic = networks()
        ascent = Ascent(actor, critic, COUNT, dataclasses.replace(SETTINGS, kl_limit=limit))
        ascent.update(drawn_samples(actor), 0.3, workers)
        steps.append((int(ascent._actor.steps[0]), int(ascent._critic.steps[0])))
    assert steps == [(15, 15), (1, 15)]


def test_numbers_that_are_not_finite_are_refused(workers):
    actor, critic = networks()
    samples = drawn_samples(actor)
    samples.value_target[0, 3] = torch.nan
    with pytest.raises(SimulationError, match="not finite"):
        Ascent(actor, critic, COUNT, SETTINGS).update(samples, 0.3, workers)


def test_a_warm_up_of_the_critic_does_not_lengthen_the_actors_first_step(puck, tiny, lazy):
    """Adam's first step is as long as the learning rate, unless it has counted steps before that moved nothing."""
    recipe = Recipe(dataclasses.replace(tiny, epochs=1, minibatches=1), warm_up=0.8)
    specialist = Specialist(puck, recipe, lazy)
    specialist._begin()
    before = specialist.actor.perceptron.values.copy()
    while specialist._share_done() < specialist._looked + 0.8:
        specialist._one_update()
    np.testing.assert_array_equal(specialist.actor.perceptron.values, before)
    specialist._one_update()
    longest = np.abs(specialist.actor.perceptron.values - before).max()
    rate = specialist.ascent.learning_rate
    assert 0.9 * rate < longest < 1.01 * rate
    specialist.workers.close()


def test_an_anchor_is_approached(puck, tiny, lazy):
    """The error of imitating given actions falls, as no reward speaks against it."""
    rng = np.random.default_rng(0)
    seen = rng.normal(size=(64, lazy.actor.weights[0].shape[1])).astype(np.float32)
    wanted = np.tanh(seen[:, :2] - seen[:, 2:4])

    class Anchored:
        starts = None
        anchor = Anchor(seen, wanted, 64, 1.0)

        def marker(self, sims):
            return lambda rollout: rollout.reward.zero_()

        def judge(self, actor, episodes, seed):
            return 0.0

    specialist = Specialist(puck, Recipe(dataclasses.replace(tiny, steps=20_000, learning_rate=3e-3)), lazy, Anchored())
    specialist._begin()
    errors = []
    for _ in range(12):
        errors.append(float(np.square(specialist.actor.emitted().mean(seen) - wanted).mean()))
        specialist._one_update()
    assert errors[-1] < 0.7 * errors[0]
    specialist.workers.close()
