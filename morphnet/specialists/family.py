"""Training of the expert of a family, or of a branch of it: PPO on all kin, mutants included.

Experts that are trained apart have gaits of their own, and between them there is nothing to interpolate. One network
for all kin, mutants included, has to find gaits that change little where bodies do.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

from morphnet.bodies import Body
from morphnet.learning import Progress
from morphnet.learning.advantage import RewardScale
from morphnet.learning.group import Workers, make_groups
from morphnet.learning.rollout import RolloutCollector
from morphnet.learning.samples import Samples, by_body, estimate
from morphnet.networks import StackedActor, StackedMLP, exploration_shift
from morphnet.policy import ActorWeights, Policy
from morphnet.simulation import Simulation
from morphnet.specialists.aim import judge
from morphnet.specialists.ascent import Ascent
from morphnet.specialists.contest import Contest, Rounds
from morphnet.specialists.direct import DirectActor, DirectCritic
from morphnet.specialists.family_expert import FamilyExpert
from morphnet.specialists.frame import Fit, Frame
from morphnet.specialists.recipes import CRITIC_HIDDEN, EPISODE_SECONDS, MINIBATCH, plain_ppo

AT_ONCE = 16
"""Bodies that take part in an update. Those of the suite always do, where they are half of it at most; others take
turns."""
GROWTH = (0.15, 0.6)
"""Shares of the steps between which mutants come in, those first that are most like a body of the suite: a gait is
found on few bodies, and carried on to others."""
JUDGED = 10
"""Mutants by which snapshots are judged, beside the bodies; of a branch, bodies in all."""
SIMS, HORIZON = 32, 128
"""Most simulations of all that take part in an update, and control steps between two updates."""
HIDDEN = 256
LOUD = -1.0
"""Logarithm of the exploration noise, on actions that are held for 20 ms, with which a start goes on: what it has left
of its own finds no other gait."""
WARM_UP = 0.06
"""Share of the steps in which a start's critic, which is new, learns alone."""
ROUNDS = Rounds(snapshots=20, quick=2, final=5)


class Member:
    """One of the kin: simulations, and what is known of its rewards."""

    def __init__(self, fit: Fit, sims: int, seed: np.random.SeedSequence) -> None:
        """Start ``sims`` simulations of a body."""
        resets, noise = (np.random.default_rng(child) for child in seed.spawn(2))
        simulation = Simulation(fit.body.with_episodes_of(EPISODE_SECONDS), sims, resets)
        simulation.stagger()
        (group,) = make_groups([("", simulation)], [noise], 1)
        self.fit, self.simulation = fit, simulation
        self.collector = RolloutCollector(group, HORIZON)
        self._scale = RewardScale(torch.tensor([[fit.body.task.discount]], dtype=torch.float64), sims)

    def collect(self, actor: ActorWeights, whole: StackedActor, critic: StackedMLP, gae_lambda: float) -> Samples:
        """Run the body under its part of the frame's actor; return samples (1, n, ...) in the frame's terms."""
        rollout = self.collector.collect(ActorWeights.stack([self.fit.actor(actor)]))
        advantage, target = estimate(rollout, self.fit.critic(critic), self._scale, gae_lambda)
        seen = self.fit.rows(by_body(rollout.observation[:-1]), whole.mean.weights[0].shape[1])[None]
        mean = whole.mean(seen)
        action = mean.clone()  # for actuators that this body lacks: what is worth nothing then moves their means least
        action[:, :, self.fit.actuators] = by_body(rollout.action)
        return Samples(seen, action, whole.log_prob(mean, action), by_body(advantage), by_body(target))


class FamilyJudge:
    """The mean return of some of the kin."""

    def __init__(self, fits: Sequence[Fit]) -> None:
        """Judge by these."""
        self._fits = fits

    def judge(self, actor: ActorWeights, episodes: int, seed: int) -> float:
        """Mean return of a frame's actor; -inf where it breaks the physics of one of them."""
        return judge([Policy(fit.body, fit.actor(actor), {}) for fit in self._fits], seed, episodes)


class FamilyTraining:
    """One training of kin."""

    def __init__(
        self,
        bodies: Sequence[Body],
        mutants: Sequence[Body],
        steps: int,
        seed: int,
        threads: int,
        start: FamilyExpert | None = None,
    ) -> None:
        """Build simulations and networks.

        Args:
            bodies: the kin.
            mutants: of theirs.
            steps: environment steps over all of them.
            seed: seeds everything that is drawn.
            threads: threads that share the simulations.
            start: the expert that is gone on from, in its frame; None begins anew.
        """
        self._kin = [body.identity for body in bodies]
        self.frame = start.frame if start is not None else Frame.of([*bodies, *mutants])
        self.steps, self._total = 0, steps
        fits, others = ([self.frame.fit(body) for body in part] for part in (bodies, mutants))
        seeds = np.random.SeedSequence(seed).spawn(len(bodies) + len(mutants) + 1)
        in_order = [*fits, *sorted(others, key=lambda fit: _distance(fit, fits))]
        self._at_once = min(AT_ONCE, len(in_order))
        sims = SIMS // self._at_once
        self.members = [Member(fit, sims, child) for fit, child in zip(in_order, seeds[1:], strict=True)]
        self._rng, self._turns = np.random.default_rng(seeds[0]), list[int]()
        self._always = len(bodies) if 2 * len(bodies) <= self._at_once else 0
        self.workers = Workers(threads)
        self._samples = self._at_once * sims * HORIZON
        config = plain_ppo(bodies[0], steps, seed, threads)
        self._ppo = dataclasses.replace(config, minibatches=max(1, self._samples // MINIBATCH))
        self._build(start, float(exploration_shift(torch.tensor(bodies[0].control_step))))
        judged = [*fits, *others[:JUDGED]] if start is None else fits[:JUDGED]
        self._contest = Contest(FamilyJudge(judged), ROUNDS, seed + 1000)

    def _build(self, start: FamilyExpert | None, noise_shift: float) -> None:
        generator = torch.Generator().manual_seed(self._ppo.seed)
        log_std = self._ppo.network.initial_log_std + noise_shift
        hidden, self._start = HIDDEN, None
        if start is not None:
            noise = np.full_like(start.actor.log_std, LOUD + noise_shift)
            hidden, self._start = len(start.actor.biases[0]), dataclasses.replace(start.actor, log_std=noise)
        self.actor = DirectActor(self.frame.size, len(self.frame.actuators), hidden, log_std, generator)
        if self._start is not None:
            self.actor.take(self._start)
        self.critic = DirectCritic(self.frame.size, CRITIC_HIDDEN, generator)
        self.ascent = Ascent(self.actor, self.critic, self._samples, self._ppo)

    def run(self, report: Callable[[Progress], None] = lambda _: None) -> FamilyExpert:
        """Train until the steps are used up; return the best."""
        started, updates, judged = time.monotonic(), 0, 0
        try:
            self._look()
            self._contest.enter(self.actor.emitted(), 0)
            while self.steps < self._total:
                self._update(self._ready())
                updates += 1
                if int(ROUNDS.snapshots * self.steps / self._total) > judged:
                    judged = int(ROUNDS.snapshots * self.steps / self._total)
                    self._contest.enter(self.actor.emitted(), self.steps)
                report(self._progress(updates, time.monotonic() - started))
        finally:
            self.workers.close()
        winner = self._contest.winner()
        return FamilyExpert(self.frame, winner.actor, winner.steps, self._kin)

    def _look(self) -> None:
        """See all of them before anything is learnt; where a start moves them, for as long as an episode is."""
        looks = math.ceil((len(self.members) - self._always) / (self._at_once - self._always))
        if self._start is not None:
            longest = max(member.simulation.body.task.max_episode_steps for member in self.members)
            looks = max(looks, math.ceil(longest / HORIZON))
        for _ in range(looks):
            self._update(len(self.members), learn=False)
            if self._start is not None:  # as other statistics are folded in, it would be another policy
                self.actor.take(self._start)
        self._looked = self.steps / self._total
        self.actor.statistics.fixed = self._start is not None  # a shift of the normalisation would change the policy
        self._turns.clear()  # they were drawn from all

    def _ready(self) -> int:
        """How many of the members have come in by now; all, where a start has a gait for them already."""
        if self._start is not None:
            return len(self.members)
        low, high = GROWTH
        share = min(max((self.steps / self._total - low) / (high - low), 0.0), 1.0)
        return self._at_once + int(share * (len(self.members) - self._at_once))

    @torch.no_grad()
    def _update(self, ready: int, learn: bool = True) -> None:
        actor, whole, critic = self.actor.emitted(), self.actor(), self.critic(self.actor.statistics)
        parts = self.workers.map(
            lambda member: member.collect(actor, whole, critic, self._ppo.gae_lambda), self._whose_turn(ready)
        )
        names = [field.name for field in dataclasses.fields(Samples)]
        samples = Samples(*(torch.cat([getattr(part, name) for part in parts], dim=1) for name in names))
        samples.advantage = (samples.advantage - samples.advantage.mean()) / (samples.advantage.std() + 1e-8)
        if learn:
            share = self.steps / self._total
            critic_only = self._start is not None and share < self._looked + WARM_UP
            self.ascent.update(samples, share, self.workers, critic_only=critic_only)
        self.actor.statistics.update(samples.observation)
        self.steps += samples.advantage.numel()

    def _whose_turn(self, ready: int) -> list[Member]:
        """Those that always take part, and of the others among the first ``ready`` some, in drawn orders."""
        room = self._at_once - self._always
        turns, self._turns = self._turns[:room], self._turns[room:]
        if len(turns) < room:
            missing = room - len(turns)
            drawn = self._always + self._rng.permutation(ready - self._always)
            order = sorted(drawn.tolist(), key=turns.__contains__)  # nobody twice at a time
            turns, self._turns = turns + order[:missing], order[missing:]
        return [self.members[index] for index in (*range(self._always), *turns)]

    def _progress(self, updates: int, seconds: float) -> Progress:
        leader = self._contest.leader
        returns = {"best": leader.merit if leader else float("nan")}
        diverged = sum(member.simulation.diverged for member in self.members)
        return Progress(updates, self.steps, self._total, seconds, self.steps / seconds, returns, diverged)


def _distance(fit: Fit, others: Sequence[Fit]) -> float:
    """How far the code of a body is from the nearest of others."""
    return min(float(np.linalg.norm(fit.code - other.code)) for other in others)
