"""Contest: which of a training's snapshots is the best, judged by whole episodes of mean actions."""

from __future__ import annotations

import dataclasses

from morphnet.policy import ActorWeights
from morphnet.specialists.aim import Judge

FINALISTS = 3


@dataclasses.dataclass(frozen=True)
class Rounds:
    """How thoroughly a contest judges.

    Attributes:
        snapshots: snapshots a run, evenly spread over it.
        quick: episodes a snapshot on the way.
        final: episodes a finalist at the end.
    """

    snapshots: int = 25
    quick: int = 5
    final: int = 20


@dataclasses.dataclass(frozen=True, eq=False)
class Snapshot:
    """An actor, when it was taken, and its merit as judged."""

    actor: ActorWeights
    steps: int
    merit: float


class Contest:
    """Keeps the best few snapshots and the first.

    The best of many noisy estimates is overestimated, so finalists meet again on fresh start states.

    Attributes:
        behind: how many snapshots in a row have not led.
    """

    def __init__(self, judge: Judge, rounds: Rounds, seed: int) -> None:
        """Judge by ``judge``, on episodes whose start states follow from ``seed``."""
        self._judge, self._rounds, self._seed = judge, rounds, seed
        self._first: Snapshot | None = None
        self._best: list[Snapshot] = []
        self.behind = 0

    @property
    def leader(self) -> Snapshot | None:
        """The best snapshot so far, None before the first."""
        return self._best[0] if self._best else None

    def enter(self, actor: ActorWeights, steps: int) -> bool:
        """Judge a snapshot; return whether it leads."""
        snapshot = Snapshot(actor, steps, self._judge.judge(actor, self._rounds.quick, self._seed))
        self._first = self._first or snapshot
        self._best = sorted([*self._best, snapshot], key=lambda s: -s.merit)[:FINALISTS]
        leads = self._best[0] is snapshot
        self.behind = 0 if leads else self.behind + 1
        return leads

    def winner(self) -> Snapshot:
        """Let the best few and the first meet again, on start states none has been judged on."""
        assert self._first is not None
        field = self._best if self._first in self._best else [self._first, *self._best]
        episodes = self._rounds.final
        again = [dataclasses.replace(s, merit=self._judge.judge(s.actor, episodes, self._seed + 1)) for s in field]
        return max(again, key=lambda snapshot: snapshot.merit)
