"""The hypernetworks' gradient against finite differences, parameter by parameter."""

from __future__ import annotations

import torch

from morphnet.networks import stack_tokens

STEP = 1e-6


def test_gradient_equals_finite_differences_along_a_direction_in_every_parameter(networks, make_robot):
    actor, critic = networks
    robots = [make_robot(3, 3, 2), make_robot(4, 4, 3)]
    batch = stack_tokens(robots).to(torch.float64)
    torch.manual_seed(1)
    observation = torch.randn(2, 5, max(r.observation_size for r in robots), dtype=torch.float64)
    action = torch.randn(2, 5, 3, dtype=torch.float64)
    weight = torch.randn(2, 5, dtype=torch.float64)

    def loss() -> torch.Tensor:
        actors = actor(batch)
        density = actors.log_prob(actors.mean(observation), action)
        value = critic(batch, actor.statistics)(observation)[..., 0]
        return (weight * density).mean() + value.square().mean() + actors.entropy().sum()

    loss().backward()
    parameters = {**dict(actor.named_parameters(prefix="actor")), **dict(critic.named_parameters(prefix="critic"))}
    assert len(parameters) > 50
    flat = []
    for name, parameter in parameters.items():
        if parameter.grad is None:
            flat.append(name)
            continue
        direction = torch.randn_like(parameter)
        direction /= direction.norm()
        with torch.no_grad():
            parameter += STEP * direction
            above = float(loss())
            parameter -= 2 * STEP * direction
            below = float(loss())
            parameter += STEP * direction
        numeric = (above - below) / (2 * STEP)
        analytic = float((parameter.grad * direction).sum())
        assert abs(numeric - analytic) < 1e-6 * max(1.0, abs(numeric)), name
    assert flat == []
    # a part of the network that nothing reads would have passed with a gradient of zero
    for name, parameter in parameters.items():
        assert parameter.grad.abs().max() > 1e-9, name
