"""Adapting as a whole, on a puck whose best return is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from morphnet.adaptation import adapt, adapt_policies, adapting, candidates, replay
from morphnet.adaptation.candidates import Candidate
from morphnet.adaptation.choice import choose_offline
from morphnet.adaptation.replay import replay_error
from morphnet.bodies import Change
from morphnet.config import AdaptConfig
from morphnet.demonstrations import record, write_demonstrations
from morphnet.errors import DemonstrationError, MorphNetError
from morphnet.evaluation import PolicyController, evaluate
from morphnet.policy import Policy
from morphnet.simulation import Simulation


@pytest.fixture
def quick(monkeypatch):
    """Let candidates be fitted for a moment only."""
    for recipes in (candidates.CLONES, candidates.TUNED):
        for name, how in recipes.items():
            monkeypatch.setitem(recipes, name, dataclasses.replace(how, steps=100))


def arrays(policy):
    return [*policy.actor.weights, *policy.actor.biases, policy.actor.log_std]


def equal(one, other):
    return all(np.array_equal(a, b) for a, b in zip(arrays(one), arrays(other), strict=True))


def mean_return(policy):
    return float(evaluate(policy.body, PolicyController(policy), 20, 123).returns.mean())


def test_without_demonstrations_it_is_the_identity(hypernetwork, puck):
    for config in (AdaptConfig(), AdaptConfig(offline=True)):
        adapted = adapt(hypernetwork, puck, [], config)
        assert equal(adapted, hypernetwork.generate(puck))
        assert adapted.origin == hypernetwork.generate(puck).origin


@pytest.mark.parametrize("offline", [True, False])
def test_a_lazy_start_comes_to_push_as_shown(puck, pushes, lazy, pushing, offline):
    adapted = adapt_policies({"zero-shot": lazy}, pushes, AdaptConfig(offline=offline, steps=4_000, threads=1))
    assert mean_return(adapted) > 0.85 * mean_return(pushing) > 3 * mean_return(lazy) > 10
    assert adapted.origin["mode"] == ("offline" if offline else "simulated")
    assert adapted.origin["start"] == {"kind": "test"}


def test_imitation_improves_where_no_candidate_follows(puck, pushing, lazy, monkeypatch):
    """From two steps of demonstration nothing can be fitted but what the start state shows."""
    monkeypatch.setattr(
        adapting, "make_candidates", lambda lesson, starts, *_: [adapting.candidate("lazy", lazy.actor, lesson)]
    )
    demonstrations = record(puck, pushing.actor.mean, 2, seed=1)
    adapted = adapt_policies({"lazy": lazy}, demonstrations, AdaptConfig(steps=60_000, threads=1))
    assert adapted.origin["chosen"] == "lazy, then imitation"
    assert adapted.origin["steps"] > 0
    assert mean_return(adapted) > 0.5 * mean_return(pushing)
    scores = {c["name"]: c["score"] for c in adapted.origin["candidates"]}
    assert scores["lazy, then imitation"] > scores["lazy"] + 0.1


@pytest.mark.parametrize("offline", [True, False])
def test_with_steps_for_a_budget_the_seed_decides_everything(quick, puck, pushes, lazy, offline):
    config = AdaptConfig(offline=offline, steps=4_000, seed=3, threads=2)
    other = dataclasses.replace(config, seed=4)
    one, same, different = (adapt_policies({"zero-shot": lazy}, pushes, c) for c in (config, config, other))
    assert equal(one, same)
    assert not equal(one, different)
    untimed = [{k: v for k, v in p.origin.items() if k != "seconds"} for p in (one, same)]
    assert untimed[0] == untimed[1]


def test_rewards_are_not_read(quick, puck, pushes, lazy):
    """Neither the demonstrations' nor the task's."""
    config = AdaptConfig(steps=4_000, threads=1)
    honest = adapt_policies({"zero-shot": lazy}, pushes, config)
    worthless = [dataclasses.replace(d, reward=np.full_like(d.reward, -1e6)) for d in pushes]
    backwards = puck.with_task(puck.task.replace(forward_weight=-50.0, ctrl_cost=9.0, healthy_reward=-3.0))
    assert equal(honest, adapt_policies({"zero-shot": Policy(backwards, lazy.actor, {})}, worthless, config))


def test_offline_nothing_is_simulated(quick, puck, pushes, lazy, monkeypatch):
    def refuse(*_):
        raise AssertionError("simulated")

    monkeypatch.setattr(Simulation, "step", refuse)
    monkeypatch.setattr(replay, "mujoco", None)
    assert adapt_policies({"zero-shot": lazy}, pushes, AdaptConfig(offline=True, steps=1)).origin["mode"] == "offline"
    monkeypatch.undo()
    monkeypatch.setattr(Simulation, "step", refuse)
    with pytest.raises(AssertionError, match="simulated"):
        adapt_policies({"zero-shot": lazy}, pushes, AdaptConfig(steps=1))


def test_a_replay_shows_a_hidden_change(puck, pushes):
    assert replay_error(puck, pushes) < 1e-9
    heavy = puck.with_change(Change(name="heavy", mass=2.0))
    # only the push changes the velocity; with twice the mass it changes half as fast, and so does the damping
    assert replay_error(heavy, pushes) == pytest.approx(0.5, abs=0.1)


def test_other_physics_are_not_simulated(quick, puck, pushing, lazy):
    heavy = puck.with_change(Change(name="heavy", mass=2.0))
    shown = record(heavy, pushing.actor.mean, 3, seed=1)
    adapted = adapt_policies({"zero-shot": lazy}, shown, AdaptConfig(steps=1))
    assert adapted.origin["mode"] == "offline"
    assert "not simulated, as the body's simulation is off by" in adapted.origin["reason"]
    own = adapt_policies({"zero-shot": Policy(heavy, lazy.actor, {})}, shown, AdaptConfig(steps=1))
    assert own.origin["mode"] == "simulated"


def test_the_clock_is_kept(puck, pushes, lazy):
    adapted = adapt_policies({"zero-shot": lazy}, pushes, AdaptConfig(seconds=0.01))
    assert adapted.origin["reason"] == "it follows best; no time was left to imitate"
    assert adapted.origin["seconds"] < 10


def test_datasets_and_episodes_give_the_same(quick, hypernetwork, puck, pushes, tmp_path):
    write_demonstrations(tmp_path / "pushes", puck, pushes)
    config = AdaptConfig(offline=True, steps=1)
    assert equal(adapt(hypernetwork, puck, tmp_path / "pushes", config), adapt(hypernetwork, puck, pushes, config))


def test_episodes_of_another_body_are_refused(hypernetwork, pushes):
    from morphnet.bodies import load_body

    with pytest.raises(DemonstrationError, match="demonstration 0"):
        adapt(hypernetwork, load_body("hopper"), pushes)


@pytest.mark.parametrize("wrong", [{"seconds": 0.0}, {"seconds": np.inf}, {"steps": 0}, {"threads": 0}, {"seed": -1}])
def test_impossible_budgets_are_refused(wrong):
    with pytest.raises(MorphNetError, match=next(iter(wrong))):
        AdaptConfig(**wrong)


@pytest.mark.parametrize(
    ("start", "clone", "chosen"),
    [
        (-0.5, 0.90, "cloned"),  # another gait
        (0.29, 0.90, "cloned"),
        (0.60, 0.90, "zero-shot, half-way to tuned"),  # the same gait
        (0.60, 0.999, "cloned"),  # cloned as good as perfectly
    ],
)
def test_choice_without_simulation(lazy, start, clone, chosen):
    explained = {
        "zero-shot": start,
        "cloned": clone,
        "cloned, blind to the last control": clone - 0.05,
        "zero-shot, tuned": 0.97,
        "zero-shot, half-way to tuned": 0.7,
    }
    made = [Candidate(name, lazy.actor, 1 - value, value) for name, value in explained.items()]
    assert choose_offline(made, ["zero-shot"])[0].name == chosen
