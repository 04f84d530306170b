"""The contest: who leads, and who wins."""

from __future__ import annotations

import numpy as np
from pucks import constant_actor

from morphnet.evaluation import PolicyController, evaluate
from morphnet.policy import Policy
from morphnet.specialists.aim import TaskAim
from morphnet.specialists.contest import Contest, Rounds

QUICK, FINAL = 5, 20


class GivenAim:
    """Merits that are given: {(index of the actor, episodes): merit}."""

    def __init__(self, merits):
        self.merits = merits

    def judge(self, actor, episodes, seed):
        return self.merits[actor, episodes]


def judged(merits):
    return Contest(GivenAim(merits), Rounds(quick=QUICK, final=FINAL), 0)


def test_a_tasks_merits_are_the_returns_of_evaluate(puck):
    contest = Contest(TaskAim(puck), Rounds(quick=QUICK, final=FINAL), 3)
    actor = constant_actor(puck, [0.7, 0.0])
    assert contest.enter(actor, 10)
    policy = PolicyController(Policy(puck, actor, {}))
    assert contest.leader.merit == evaluate(puck, policy, QUICK, 3).returns.mean()
    assert contest.winner().merit == evaluate(puck, policy, FINAL, 4).returns.mean()
    assert contest.winner().steps == 10


def test_the_best_of_the_final_wins_not_the_luckiest():
    returns = {(0, QUICK): 1, (1, QUICK): 9, (2, QUICK): 8, (3, QUICK): 7, (4, QUICK): 6}
    contest = judged({**returns, (0, FINAL): 1, (1, FINAL): 5, (2, FINAL): 6, (3, FINAL): 4, (4, FINAL): 99})
    assert [contest.enter(actor, actor) for actor in range(5)] == [True, True, False, False, False]
    assert contest.leader.actor == 1
    assert contest.winner().actor == 2


def test_the_first_is_in_the_final_however_it_did():
    returns = {(0, QUICK): 0, **{(a, QUICK): 5 for a in range(1, 6)}, **{(a, FINAL): 2 for a in range(1, 6)}}
    contest = judged({**returns, (0, FINAL): 3})
    for actor in range(6):
        contest.enter(actor, actor)
    assert contest.winner().actor == 0
    assert np.isclose(contest.winner().merit, 3)


def test_it_is_counted_how_long_nothing_has_led():
    contest = judged({(actor, QUICK): value for actor, value in enumerate([5, 4, 3, 9, 1])})
    behind = []
    for actor in range(5):
        contest.enter(actor, actor)
        behind.append(contest.behind)
    assert behind == [0, 1, 2, 0, 1]
