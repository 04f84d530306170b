"""Experts learn; finetuning improves and never falls below its start."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from benchmarks import tune_experts
from morphnet.evaluation import PolicyController, evaluate
from morphnet.networks import StackedMLP
from morphnet.specialists import finetune, trainer
from morphnet.specialists.recipes import expert_recipe
from morphnet.specialists.trainer import Recipe, Specialist


def mean_return(policy, seed=123):
    return float(evaluate(policy.body, PolicyController(policy), 20, seed).returns.mean())


def arrays(actor):
    return [*actor.weights, *actor.biases, actor.log_std]


def ignore(_):
    pass


def train(body, config, start=None, keep=ignore, report=ignore, **recipe):
    return Specialist(body, Recipe(config, **recipe), start).run(keep, report)


@pytest.fixture
def enough(tiny):
    return dataclasses.replace(tiny, steps=16_000, learning_rate=3e-3)


def test_an_expert_learns_to_push(puck, enough, pushing):
    expert = train(puck, enough)
    assert mean_return(expert) > 0.9 * mean_return(pushing) > 50
    assert expert.origin["kind"] == "expert"


def test_finetuning_improves(puck, enough, lazy):
    kept = []
    better = train(puck, enough, lazy, kept.append, warm_up=0.1, loudest=-1.0)
    assert mean_return(better) > 4 * mean_return(lazy) > 20
    assert better.origin["start"] == {"kind": "test"}
    assert all(np.array_equal(a, b) for a, b in zip(arrays(kept[0].actor), arrays(lazy.actor), strict=True))
    assert kept[-1] is better


def test_finetuning_never_falls_below_its_start(puck, tiny, pushing):
    reckless = dataclasses.replace(tiny, learning_rate=0.1, kl_limit=100.0)
    best = train(puck, reckless, pushing)
    assert all(np.array_equal(a, b) for a, b in zip(arrays(best.actor), arrays(pushing.actor), strict=True))


def test_without_hope_it_ends_after_half(puck, tiny):
    ended = []
    for hopeless in (-np.inf, 1e9):
        specialist = Specialist(puck, Recipe(tiny, hopeless=hopeless), None)
        specialist.run(ignore, ignore)
        ended.append(specialist.steps / tiny.steps)
    assert ended[0] >= 1.0
    assert 0.5 < ended[1] < 0.75


def test_while_the_critic_warms_up_the_actor_does_not_move(puck, tiny, pushing):
    specialist = Specialist(puck, Recipe(tiny, warm_up=1.0, loudest=-1.0), pushing)
    specialist._begin()
    before = arrays(specialist.actor.emitted())
    critic = specialist.critic.perceptron.values.copy()
    for _ in range(3):
        specialist._one_update()
    for a, b in zip(arrays(specialist.actor.emitted()), before, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (specialist.critic.perceptron.values != critic).any()
    # the limit holds for 20 ms; the puck is held for 50, over which noise moves as far with sqrt(20 / 50) of it
    np.testing.assert_allclose(before[-1], -1.0 + 0.5 * np.log(20 / 50), rtol=1e-6)
    specialist.workers.close()


def test_beginning_does_not_change_the_start(puck, tiny, lazy):
    rng = np.random.default_rng(0)
    last = rng.normal(size=lazy.actor.weights[2].shape).astype(np.float32)
    lively = dataclasses.replace(lazy.actor, weights=(*lazy.actor.weights[:2], last))
    specialist = Specialist(puck, Recipe(tiny), type(lazy)(puck, lively, {}))
    specialist._begin()
    observed = rng.normal(size=(50, lively.weights[0].shape[1])).astype(np.float32)
    np.testing.assert_allclose(specialist.actor.emitted().mean(observed), lively.mean(observed), atol=1e-3)
    assert (specialist.actor.statistics.mean != 0).any()
    specialist.workers.close()


def test_what_is_looked_at_is_the_start(puck, tiny, lazy, monkeypatch):
    """Statistics that change while it is being looked at must not change the policy that is."""
    rng = np.random.default_rng(0)
    weights = tuple(rng.normal(size=w.shape).astype(np.float32) for w in lazy.actor.weights)
    lively = dataclasses.replace(lazy.actor, weights=weights)
    observed = rng.normal(size=(1, 50, weights[0].shape[1])).astype(np.float32)
    means, collect = [], trainer.RolloutCollector.collect

    def watched(collector, actor):
        means.append(actor.mean(torch.from_numpy(observed))[0].numpy())
        return collect(collector, actor)

    monkeypatch.setattr(trainer.RolloutCollector, "collect", watched)
    specialist = Specialist(puck, Recipe(dataclasses.replace(tiny, steps=20_000)), type(lazy)(puck, lively, {}))
    specialist._begin()
    specialist.workers.close()
    assert len(means) == 4
    for mean in means:
        np.testing.assert_allclose(mean, lively.mean(observed[0]), atol=1e-3)


def test_the_seed_decides_everything(puck, tiny):
    one, same, other = (train(puck, dataclasses.replace(tiny, seed=seed, threads=2)) for seed in (5, 5, 6))
    assert all(np.array_equal(a, b) for a, b in zip(arrays(one.actor), arrays(same.actor), strict=True))
    assert not np.array_equal(one.actor.weights[0], other.actor.weights[0])


def test_steps_are_followed_and_progress_is_reported(puck, tiny):
    seen = []
    train(puck, tiny, report=seen.append)
    assert 0 <= seen[-1].steps - tiny.steps < tiny.num_sims * tiny.horizon
    assert [p.update for p in seen] == list(range(1, len(seen) + 1))
    assert np.isfinite(seen[-1].returns["best"])


def test_ctrl_c_leaves_the_best_so_far(puck, enough):
    kept = []

    def stop(progress):
        if progress.steps > 6000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(puck, enough, keep=kept.append, report=stop)
    assert mean_return(kept[-1]) > mean_return(kept[0]) + 10


def test_a_changed_body_is_trained_under_its_change(puck, tiny):
    from morphnet.bodies import Change

    change = Change(name="weak", actuators={"push": 0.5})
    expert = train(puck.with_change(change), tiny)
    assert expert.origin["change"] == change.to_dict()
    assert expert.body.source.sha256 == puck.source.sha256


def test_a_training_on_a_plateau_ends(puck, tiny, pushing):
    """Nothing beats the best policy there is, so the first snapshots that do not end the run."""
    seen = []
    train(puck, dataclasses.replace(tiny, learning_rate=1e-9), pushing, report=seen.append, patience=2)
    assert seen[-1].steps < tiny.steps / 2
    seen.clear()
    train(puck, dataclasses.replace(tiny, learning_rate=1e-9), pushing, report=seen.append)
    assert seen[-1].steps >= tiny.steps


def test_a_given_critic_is_taken_over_whatever_is_observed(puck, tiny, lazy):
    generator = torch.Generator().manual_seed(0)
    size = len(lazy.observation_names)
    weights = tuple(torch.randn(1, *shape, generator=generator) for shape in ((size, 7), (7, 7), (7, 1)))
    biases = tuple(torch.randn(1, 1, width, generator=generator) for width in (7, 7, 1))
    given = StackedMLP(weights, biases)
    specialist = Specialist(puck, Recipe(tiny), lazy, critic=given)
    specialist._begin()
    observed = torch.randn(1, 50, size, generator=generator)
    taken = specialist.critic(specialist.actor.statistics)(observed)
    np.testing.assert_allclose(taken, given(observed), atol=1e-4)
    specialist.workers.close()


def test_training_episodes_are_cut_and_judged_ones_are_not(puck, tiny):
    """A control step is 50 ms, an episode of the task 50 steps."""
    for seconds, steps in ((0.5, 10), (0.01, 1), (100.0, 50)):
        specialist = Specialist(puck, Recipe(tiny, episode_seconds=seconds), None)
        assert {s.body.task.max_episode_steps for group in specialist.groups for s in group.simulations} == {steps}
        specialist.workers.close()
    kept = []
    train(puck, dataclasses.replace(tiny, steps=64), keep=kept.append, episode_seconds=0.5)
    assert kept[-1].body.task.max_episode_steps == 50


@pytest.mark.parametrize("variant", tune_experts.VARIANTS)
def test_the_sweep_runs(puck_path, variant):
    *_, last = tune_experts.run(variant, str(puck_path), 5000, 0, 1)
    assert dict(zip(tune_experts.COLUMNS, last, strict=True))["variant"] == variant
    assert np.isfinite(last[-1])


def test_however_short_a_finetuning_learns_something(puck, pushing):
    seen = []
    finetune(pushing, 2048, 0, 1, report=seen.append)
    assert len(seen) >= 10


@pytest.mark.parametrize(("discount", "seconds"), [(0.9, 0.6), (0.98, 0.625), (0.9999, 2.0), (1.0, 2.0)])
def test_advantages_look_ahead_as_the_discount_does(puck, discount, seconds):
    """A control step is 50 ms; a quarter of the discount's horizon, within limits."""
    body = dataclasses.replace(puck, task=puck.task.replace(discount=discount))
    assert expert_recipe(body, 100_000, 0, 1).ppo.gae_lambda == pytest.approx(np.exp(-0.05 / seconds))
