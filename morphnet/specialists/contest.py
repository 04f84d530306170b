"""Contest: which of a training's snapshots is the best, judged by whole episodes of mean actions."""

from __future__ import annotations

import dataclasses

from morphnet.bodies import Body
from morphnet.evaluation import PolicyController, evaluate
from morphnet.policy import ActorWeights, Policy

FINALISTS = 3
QUICK, FINAL = 5, 20
"""Episodes a snapshot on the way, and a finalist at the end."""


@dataclasses.dataclass(frozen=True, eq=False)
class Snapshot:
    """An actor, when it was taken and its mean return."""

    actor: ActorWeights
    steps: int
    mean_return: float


class Contest:
    """Keeps the best few snapshots and the first.

    The best of many noisy estimates is overestimated, so finalists meet again on fresh start states.

    Attributes:
        behind: how many snapshots in a row have not led.
    """

    def __init__(self, body: Body, seed: int) -> None:
        """Judge on episodes of ``body`` whose start states follow from ``seed``."""
        self._body, self._seed = body, seed
        self._first: Snapshot | None = None
        self._best: list[Snapshot] = []
        self.behind = 0

    @property
    def leader(self) -> Snapshot | None:
        """The best snapshot so far, None before the first."""
        return self._best[0] if self._best else None

    def enter(self, actor: ActorWeights, steps: int) -> bool:
        """Judge a snapshot; return whether it leads."""
        snapshot = Snapshot(actor, steps, self._judge(actor, QUICK, self._seed))
        self._first = self._first or snapshot
        self._best = sorted([*self._best, snapshot], key=lambda s: -s.mean_return)[:FINALISTS]
        leads = self._best[0] is snapshot
        self.behind = 0 if leads else self.behind + 1
        return leads

    def winner(self) -> Snapshot:
        """Let the best few and the first meet again, on start states none has been judged on."""
        assert self._first is not None
        field = self._best if self._first in self._best else [self._first, *self._best]
        again = [dataclasses.replace(s, mean_return=self._judge(s.actor, FINAL, self._seed + 1)) for s in field]
        return max(again, key=lambda snapshot: snapshot.mean_return)

    def _judge(self, actor: ActorWeights, episodes: int, seed: int) -> float:
        policy = Policy(self._body, actor, {})
        return float(evaluate(self._body, PolicyController(policy), episodes, seed).returns.mean())
