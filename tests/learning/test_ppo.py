"""PPO: samples are aligned, episodes' ends are valued rightly, steps go down the loss, trust region holds."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from morphnet.learning.checkpoint import Networks, build_networks
from morphnet.learning.group import Workers
from morphnet.learning.ppo import PPO
from morphnet.learning.rollout import Rollout, RolloutCollector

HORIZON, SIMS = 7, 3


class CodedCritic(nn.Module):
    """A critic whose value is the first entry of the observation, so that tests can say what it must be."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, batch, statistics):
        return self

    def select(self, robots):
        return self

    def __call__(self, first, second=None):
        return self if second is not None else first[..., :1] * 1.0


def code(t, body, sim):
    """One number for every (t, body, sim)."""
    return t + 10 * sim + 100 * body


@pytest.fixture
def workers():
    workers = Workers(2)
    yield workers
    workers.close()


@pytest.fixture
def setup(make_group, tiny, workers):
    """Return a group, its networks and a function that makes a PPO with a changed configuration."""
    group = make_group(SIMS)
    features = {kind: values.shape[-1] for kind, values in group.robots.features.items()}
    networks = build_networks(features, tiny)

    def make(used=networks, **changes):
        return PPO(used, [group], workers, dataclasses.replace(tiny, **changes))

    return group, networks, make


def coded_rollout(group):
    """A rollout whose every number says where it is from; one terminated and one truncated end."""
    bodies = group.size
    grid = np.stack(np.meshgrid(range(HORIZON + 1), range(bodies), range(SIMS), indexing="ij"))
    codes = torch.from_numpy(code(*grid)).float()
    observed, acted = group.robots.entry_mask.shape[1], group.robots.action_mask.shape[1]
    observation = torch.zeros(HORIZON + 1, bodies, SIMS, observed)
    observation[..., 0] = 0.01 * codes
    observation[..., 1] = codes
    action = codes[:-1, ..., None].expand(-1, -1, -1, acted).clone()
    reward = 0.1 * codes[:-1].clone()
    ended = torch.zeros(HORIZON, bodies, SIMS)
    ended[2, 0, 1] = ended[4, 1, 2] = 1.0
    final = np.array([77.0, 5.0], np.float32)  # worth 77 to the coded critic
    return Rollout(observation, action, action.clone(), reward, ended, [(4, 1, 2, final)], []), codes[:-1]


def test_samples_stay_with_their_place(setup, monkeypatch):
    """Number by number: sample s of body b holds observation, action, density and target of one (t, sim)."""
    group, networks, make = setup
    rollout, codes = coded_rollout(group)
    monkeypatch.setattr(group.reward_scale, "update", lambda reward, ended: torch.full((3, 1), 50.0))
    ppo = make(Networks(networks.actor, CodedCritic()), gae_lambda=0.7)
    with torch.no_grad():
        actor = networks.actor(group.robots)
        samples = ppo.prepare(group, rollout, actor)

    value, reward = 0.01 * np.array(code(*np.indices((HORIZON + 1, 3, SIMS)))), rollout.reward.numpy() / 50.0
    assert samples.advantage.shape == (3, HORIZON * SIMS)
    for body in range(3):
        discount = float(group.discount[body, 0])
        found = samples.observation[body, :, 1].tolist()
        assert sorted(found) == sorted(codes[:, body].flatten().tolist())
        raw = []
        for s, here in enumerate(found):
            t, sim = int(here) % 10, int(here) // 10 % 10
            assert samples.action[body, s, 0] == here
            # the advantage by its definition, a weighted sum of the errors of one step up to the episode's end
            advantage, weight = 0.0, 1.0
            for later in range(t, HORIZON):
                end = bool(rollout.ended[later, body, sim])
                after = 0.0 if end else value[later + 1, body, sim]
                if (later, body, sim) == (4, 1, 2):
                    after = 77.0
                advantage += weight * (reward[later, body, sim] + discount * after - value[later, body, sim])
                weight *= discount * 0.7
                if end:
                    break
            raw.append(advantage)
            assert samples.value_target[body, s] == pytest.approx(advantage + value[t, body, sim], abs=2e-4)
        scaled = (np.array(raw) - np.mean(raw)) / np.std(raw, ddof=1)
        np.testing.assert_allclose(samples.advantage[body], scaled, atol=1e-4)
        mean = actor.mean(samples.observation)[body]
        nu = group.simulations[body].body.model.nu
        normal = torch.distributions.Normal(mean[:, :nu], actor.log_std[body, 0, :nu].exp())
        expected = normal.log_prob(samples.action[body, :, :nu]).sum(-1)
        torch.testing.assert_close(samples.log_prob[body], expected, rtol=1e-4, atol=1e-2)


def test_a_truncated_episode_is_worth_its_final_state_not_the_next_episodes_first(setup):
    group, networks, make = setup
    rollout, _ = coded_rollout(group)
    scale = 50.0
    group.reward_scale.update = lambda reward, ended: torch.full((3, 1), scale)
    samples = make(Networks(networks.actor, CodedCritic()), gae_lambda=0.9).prepare(
        group, rollout, networks.actor(group.robots)
    )
    at = {int(c): target for c, target in zip(samples.observation[1, :, 1], samples.value_target[1], strict=True)}
    here = code(4, 1, 2)
    assert float(at[here]) == pytest.approx(0.1 * here / scale + float(group.discount[1, 0]) * 77.0, rel=1e-5)
    first = {int(c): target for c, target in zip(samples.observation[0, :, 1], samples.value_target[0], strict=True)}
    here = code(2, 0, 1)
    assert float(first[here]) == pytest.approx(0.1 * here / scale, rel=1e-4), "a terminated one is worth nothing more"


@pytest.fixture
def collected(setup):
    """Samples of a real rollout, and the actors that made it."""
    group, networks, make = setup
    with torch.no_grad():
        actor = networks.actor(group.robots)
    rollout = RolloutCollector(group, 16).collect(actor)
    return make().prepare(group, rollout, actor), rollout


def test_probability_ratio_is_one_before_the_first_step(setup, collected):
    group, networks, _ = setup
    samples, rollout = collected
    actor = networks.actor(group.robots)
    again = actor.log_prob(actor.mean(samples.observation), samples.action)
    torch.testing.assert_close(samples.log_prob, again.detach(), atol=1e-5, rtol=0)
    noise = rollout.noise.transpose(0, 1).flatten(1, 2)
    for body, nu in enumerate((1, 2, 2)):
        log_std = actor.log_std[body, 0, :nu]
        normal = torch.distributions.Normal(torch.zeros(nu), 1.0)
        expected = (normal.log_prob(noise[body, :, :nu]) - log_std).sum(-1)
        torch.testing.assert_close(samples.log_prob[body], expected.detach(), atol=1e-4, rtol=0)


def surrogate(setup, samples, clip=0.2, value=0.5, entropy=0.001):
    """PPO's loss, written out with torch's own distributions, body by body."""
    group, networks, _ = setup
    actor = networks.actor(group.robots)
    critic = networks.critic(group.robots, networks.actor.statistics)
    mean, values = actor.mean(samples.observation), critic(samples.observation)[..., 0]
    losses = []
    for body, nu in enumerate((1, 2, 2)):
        normal = torch.distributions.Normal(mean[body, :, :nu], actor.log_std[body, 0, :nu].exp())
        ratio = (normal.log_prob(samples.action[body, :, :nu]).sum(-1) - samples.log_prob[body]).exp()
        advantage = samples.advantage[body]
        gain = torch.min(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage).mean()
        squares = (values[body] - samples.value_target[body]).square().mean()
        losses.append(-gain + value * 0.5 * squares - entropy * normal.entropy().sum(-1).mean())
    return torch.stack(losses).mean()


def test_one_step_follows_the_gradient_of_the_written_out_loss(setup, collected, monkeypatch):
    _, networks, make = setup
    samples, _ = collected
    ppo = make(epochs=1, minibatches=1, gradient_norm=1e9)
    parameters = [*networks.actor.parameters(), *networks.critic.parameters()]
    monkeypatch.setattr(ppo.optimizer, "step", lambda: None)
    ppo.update([samples], 0.0)
    expected = torch.autograd.grad(surrogate(setup, samples), parameters, materialize_grads=True)
    largest = max(float(gradient.abs().max()) for gradient in expected)
    for parameter, gradient in zip(parameters, expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, atol=1e-5 * largest, rtol=1e-3)


def test_one_step_lowers_the_loss_of_its_minibatch(setup, collected):
    _, _, make = setup
    samples, _ = collected
    with torch.no_grad():
        before = float(surrogate(setup, samples))
    report = make(epochs=1, minibatches=1, learning_rate=1e-4).update([samples], 0.0)
    with torch.no_grad():
        after = float(surrogate(setup, samples))
    assert after < before - 1e-5
    assert report.passes == 1.0
    assert report.kl == pytest.approx(0.0, abs=1e-5)
    reported = report.policy_loss + 0.5 * report.value_loss - 0.001 * report.entropy
    assert reported == pytest.approx(before, abs=1e-5)


def test_groups_add_up_to_the_loss_over_all_bodies(make_group, tiny, workers, monkeypatch):
    """Cutting the bodies into groups changes neither samples' weight nor the gradient."""
    from morphnet.learning import group as grouping

    def gradient(split):
        group = make_group(SIMS)
        features = {kind: values.shape[-1] for kind, values in group.robots.features.items()}
        networks = build_networks(features, tiny)
        groups = [group]
        if split:
            pairs = list(zip(group.families, group.simulations, strict=True))
            groups = [grouping._group(pairs[:1], group.rngs[:1]), grouping._group(pairs[1:], group.rngs[1:])]
        ppo = PPO(networks, groups, workers, dataclasses.replace(tiny, epochs=1, minibatches=1))
        samples = []
        for part in groups:
            with torch.no_grad():
                actor = networks.actor(part.robots)
            samples.append(ppo.prepare(part, RolloutCollector(part, 16).collect(actor), actor))
        monkeypatch.setattr(ppo.optimizer, "step", lambda: None)
        ppo.update(samples, 0.0)
        return [p.grad for p in (*networks.actor.parameters(), *networks.critic.parameters())]

    whole, parts = gradient(split=False), gradient(split=True)
    largest = max(float(g.abs().max()) for g in whole)
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4 * largest, rtol=1e-2)


@pytest.mark.parametrize(("limit", "passes"), [(1e-7, 1.0), (1e9, 4.0)])
def test_divergence_beyond_the_limit_ends_the_passes(setup, collected, limit, passes):
    _, _, make = setup
    samples, _ = collected
    report = make(epochs=4, minibatches=2, kl_limit=limit, learning_rate=1e-2).update([samples], 0.0)
    assert report.passes == passes


def test_learning_rate_follows_steps_up_and_then_along_a_cosine(setup, collected):
    _, _, make = setup
    samples, _ = collected
    ppo = make(epochs=1, minibatches=1, learning_rate=1e-3)
    rates = []
    for progress in (0.0, 0.004, 0.5, 1.0, 2.0):
        ppo.update([samples], progress)
        rates.append(ppo.optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.1e-3, 0.5e-3, 0.525e-3, 0.05e-3, 0.05e-3], rel=1e-3)
