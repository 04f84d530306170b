"""Losses are differentiated by hand to what is generated: against autograd, through the textbook's formulas."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from morphnet.config import TrainConfig
from morphnet.distillation.imitation_loss import imitation_loss
from morphnet.learning.ppo_loss import policy_loss, value_loss
from morphnet.learning.samples import Samples
from morphnet.networks import StackedActor, StackedMLP, differentiate

BODIES, COUNT, OBSERVED, HIDDEN, ACTED = 2, 50, 5, 7, 3
SHARE = 0.3


def draw(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64)


def perceptron(outputs: int) -> StackedMLP:
    weights = (draw(BODIES, OBSERVED, HIDDEN), draw(BODIES, HIDDEN, HIDDEN), draw(BODIES, HIDDEN, outputs))
    biases = (draw(BODIES, 1, HIDDEN), draw(BODIES, 1, HIDDEN), draw(BODIES, 1, outputs))
    for tensor in (*weights, *biases):
        tensor.requires_grad_()
    return StackedMLP(weights, biases)


@pytest.fixture
def actors() -> StackedActor:
    """Two actors, the second with one actuator less."""
    torch.manual_seed(0)
    mask = torch.ones(BODIES, 1, ACTED, dtype=torch.float64)
    mask[1, 0, 2] = 0.0
    return StackedActor(perceptron(ACTED), (0.3 * draw(BODIES, 1, ACTED)).requires_grad_(), mask)


@pytest.fixture
def batch(actors: StackedActor) -> Samples:
    """Samples of which some ratios are out of the clip range, on either side."""
    observation = draw(BODIES, COUNT, OBSERVED)
    with torch.no_grad():
        mean = actors.mean(observation)
        action = mean + draw(*mean.shape) * actors.log_std.exp()
        log_prob = actors.log_prob(mean, action) + 0.3 * draw(BODIES, COUNT)
    return Samples(observation, action, log_prob, draw(BODIES, COUNT), draw(BODIES, COUNT))


def check(pairs: list[tuple[Tensor, Tensor]], loss: Tensor, leaves: list[Tensor]) -> None:
    ours = differentiate(pairs, leaves)
    truth = torch.autograd.grad(loss, leaves)
    for one, other in zip(ours, truth, strict=True):
        torch.testing.assert_close(one, other, atol=1e-12, rtol=1e-9)


def test_the_clipped_surrogate(actors: StackedActor, batch: Samples) -> None:
    config = TrainConfig(clip=0.2, entropy=0.05)
    pairs, (policy, entropy, kl, outside) = policy_loss(actors, batch, config, SHARE)
    distribution = torch.distributions.Normal(actors.mean(batch.observation), actors.log_std.exp())
    log_ratio = (distribution.log_prob(batch.action) * actors.action_mask).sum(-1) - batch.log_prob
    ratio = log_ratio.exp()
    clipped = ratio.clamp(0.8, 1.2)
    loss = -torch.minimum(ratio * batch.advantage, clipped * batch.advantage).mean()
    bonus = (distribution.entropy()[:, :1] * actors.action_mask).sum(-1).mean()
    check(pairs, SHARE * (loss - 0.05 * bonus), [*actors.mean.tensors, actors.log_std])
    assert float(policy) == pytest.approx(loss.item())
    assert float(entropy) == pytest.approx(bonus.item())
    assert float(kl) == pytest.approx((ratio - 1 - log_ratio).mean().item())
    assert float(outside) == pytest.approx(float((ratio != clipped).double().mean()))
    assert 0.1 < float(outside) < 0.9


def test_the_value_loss(batch: Samples) -> None:
    critics = perceptron(1)
    pairs, error = value_loss(critics, batch.observation, batch.value_target, SHARE)
    loss = 0.5 * (critics(batch.observation).squeeze(-1) - batch.value_target).square().mean()
    check(pairs, SHARE * loss, list(critics.tensors))
    assert float(error) == pytest.approx(loss.item())


def test_imitation(actors: StackedActor, batch: Samples) -> None:
    experts = StackedActor(perceptron(ACTED), draw(BODIES, 1, ACTED), actors.action_mask)
    action = (2 * draw(BODIES, COUNT, ACTED)).clamp(-1, 1)
    pairs, found = imitation_loss(actors, experts, batch.observation, action, SHARE)
    error = actors.mean(batch.observation) - action
    # beyond a limit at which the expert is there is no error
    error = torch.where((action == 1) & (error > 0) | (action == -1) & (error < 0), 0.0, error)
    per_body = []
    for body, actuators in enumerate((3, 2)):
        wrong = 0.5 * error[body, :, :actuators].square().mean()
        noise = 0.5 * (actors.log_std - experts.log_std)[body, 0, :actuators].square().mean()
        per_body.append(wrong + 0.01 * noise)
    loss = torch.stack(per_body).mean()
    check(pairs, SHARE * loss, [*actors.mean.tensors, actors.log_std])
    assert float(found) == pytest.approx(loss.item())


def test_what_is_held_still_gets_nothing(actors: StackedActor, batch: Samples) -> None:
    critics = perceptron(1)
    pairs, _ = policy_loss(actors, batch, TrainConfig(), 1.0)
    still = [(tensor.detach(), gradient) for tensor, gradient in pairs]
    at_critics, _ = value_loss(critics, batch.observation, batch.value_target, 1.0)
    found = differentiate(still + at_critics, [actors.log_std, critics.tensors[0]])
    assert found[0] is None
    assert found[1] is not None
