"""A gradient step of PPO on plain weights is the step that plain Adam takes, whatever order memory is in."""

from __future__ import annotations

import copy
import dataclasses

import torch

from morphnet.specialists.trainer import Recipe, Specialist


def test_fused_adam_steps_as_plain_adam_does(puck, tiny, lazy):
    specialist = Specialist(puck, Recipe(dataclasses.replace(tiny, epochs=1, minibatches=1)), lazy)
    specialist._begin()
    networks, ppo = specialist.networks, specialist.ppo
    parameters = [*networks.actor.parameters(), *networks.critic.parameters()]
    before = copy.deepcopy(parameters)
    specialist._one_update()
    after = copy.deepcopy(parameters)
    plain = torch.optim.Adam(before, lr=ppo.optimizer.param_groups[0]["lr"], eps=1e-5, foreach=False, fused=False)
    for start, parameter in zip(before, parameters, strict=True):
        start.grad = parameter.grad
    plain.step()
    for stepped, parameter in zip(before, after, strict=True):
        torch.testing.assert_close(stepped, parameter, atol=1e-7, rtol=1e-4)
    specialist.workers.close()


def test_a_warm_up_of_the_critic_does_not_lengthen_the_actors_first_step(puck, tiny, lazy):
    """Adam's first step is as long as the learning rate, unless it has counted steps before that moved nothing."""
    specialist = Specialist(puck, Recipe(dataclasses.replace(tiny, epochs=16), warm_up=0.8), lazy)
    specialist._begin()
    while specialist._share_done() < specialist._looked + 0.8:
        specialist._one_update()
    specialist.ppo.config = dataclasses.replace(tiny, epochs=1, minibatches=1)
    before = copy.deepcopy(list(specialist.networks.actor.parameters()))
    specialist._one_update()
    longest = max(
        float((after - start).detach().abs().max())
        for start, after in zip(before, specialist.networks.actor.parameters(), strict=True)
    )
    rate = specialist.ppo.optimizer.param_groups[0]["lr"]
    assert 0.9 * rate < longest < 1.01 * rate
    specialist.workers.close()


def test_an_anchor_is_approached(puck, tiny, lazy):
    """The error of imitating given actions falls, as no reward speaks against it."""
    generator = torch.Generator().manual_seed(0)

    class Anchored:
        starts = None

        def marker(self, sims):
            return lambda rollout: rollout.reward.zero_()

        def judge(self, actor, episodes, seed):
            return 0.0

        def anchor(self, actors):
            return (actors.mean(seen) - wanted).square().mean()

    specialist = Specialist(puck, Recipe(dataclasses.replace(tiny, steps=20_000, learning_rate=3e-3)), lazy, Anchored())
    seen = torch.randn((1, 64, lazy.actor.weights[0].shape[1]), generator=generator)
    wanted = torch.tanh(seen[..., :2] - seen[..., 2:4])
    specialist._begin()
    errors = []
    for _ in range(12):
        with torch.no_grad():
            errors.append(float(specialist.aim.anchor(specialist.networks.actor())))
        specialist._one_update()
    assert errors[-1] < 0.7 * errors[0]
    specialist.workers.close()
