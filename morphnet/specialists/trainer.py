"""Training one body's policy by PPO, from nothing (expert) or from a policy (finetune)."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from morphnet.bodies import Body
from morphnet.config import TrainConfig
from morphnet.learning import Progress
from morphnet.learning.advantage import RewardScale
from morphnet.learning.group import Workers, make_groups
from morphnet.learning.rollout import Rollout, RolloutCollector, side_by_side
from morphnet.learning.samples import prepare
from morphnet.networks import StackedMLP, exploration_shift
from morphnet.policy import ActorWeights, Policy
from morphnet.simulation import Observer, Simulation
from morphnet.specialists.aim import Aim, TaskAim
from morphnet.specialists.ascent import Ascent
from morphnet.specialists.contest import Contest, Rounds
from morphnet.specialists.direct import DirectActor, DirectCritic

RECENT = 50
"""Episodes over which the return that progress shows is averaged."""
LOOKED = 0.05
"""Share of a run that may pass while a start's observations are looked at."""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What the trainings of one body do differently.

    Attributes:
        ppo: PPO's settings.
        seconds: wall-clock after which a run ends, where that is before its steps are done; schedules follow what is
            used up faster. None follows steps alone, so that a run repeats.
        rounds: how thoroughly snapshots are judged.
        warm_up: share of the run in which only the critic learns.
        loudest: upper limit of the start's log standard deviation of exploration, for actions held for 20 ms.
        episode_seconds: simulated seconds after which a training episode is cut off, where the task's are longer.
        patience: snapshots in a row that may fall short of the best before the run ends: it is on a plateau.
        hopeless: merit that the best must have reached when half of the run is over, or the run ends.
    """

    ppo: TrainConfig
    seconds: float | None = None
    rounds: Rounds = dataclasses.field(default_factory=Rounds)
    warm_up: float = 0.0
    loudest: float = np.inf
    episode_seconds: float = np.inf
    patience: float = np.inf
    hopeless: float = -np.inf


class Specialist:
    """One training of one body."""

    def __init__(
        self,
        body: Body,
        recipe: Recipe,
        start: Policy | None,
        aim: Aim | None = None,
        *,
        critic: StackedMLP | None = None,
    ) -> None:
        """Build simulations and networks.

        Args:
            body: the body.
            recipe: how it is trained.
            start: what is continued from; None begins anew.
            aim: what it is trained for; the return of its task when None.
            critic: the start's critic; a new one when None.
        """
        self.body, self.recipe, self.start, self._critic = body, recipe, start, critic
        self.aim = aim or TaskAim(body)
        self._started = time.monotonic()
        self._noise_shift = float(exploration_shift(torch.tensor(body.control_step)))
        config = recipe.ppo
        halves = [np.random.default_rng(seed) for seed in np.random.SeedSequence(config.seed).spawn(2 * config.threads)]
        # a body that lies on its back, where no limit ends that, teaches little
        shorter = body.with_episodes_of(recipe.episode_seconds)
        simulations = [
            Simulation(shorter, config.num_sims, rng, starts=self.aim.starts) for rng in halves[: config.threads]
        ]
        for simulation in simulations:
            simulation.stagger()
        self.workers = Workers(config.threads)
        # every thread gets simulations of its own, as many bodies that happen to be equal
        self.groups = make_groups([("", s) for s in simulations], halves[config.threads :], config.threads)
        self.actor, self.critic = self._build(simulations[0].observer)
        sims = len(simulations) * config.num_sims
        self.ascent = Ascent(self.actor, self.critic, sims * config.horizon, config, self.aim.anchor)
        self._reward_scale = RewardScale(torch.tensor([[body.task.discount]], dtype=torch.float64), sims)
        self.collectors = [RolloutCollector(group, config.horizon) for group in self.groups]
        self.markers = [self.aim.marker(config.num_sims) for _ in self.groups]
        self.contest = Contest(self.aim, recipe.rounds, config.seed + 1000)
        self.steps, self.updates, self._looked = 0, 0, 0.0
        self._recent: list[float] = []

    def _build(self, observer: Observer) -> tuple[DirectActor, DirectCritic]:
        config, nu = self.recipe.ppo, self.body.model.nu
        hidden = config.network.hidden + config.network.own * nu
        if self.start is not None:
            hidden = len(self.start.actor.biases[0])
        generator = torch.Generator().manual_seed(config.seed)
        log_std = config.network.initial_log_std + self._noise_shift
        actor = DirectActor(observer.size, nu, hidden, log_std, generator)
        critic_hidden = config.network.critic_hidden if self._critic is None else self._critic.weights[1].shape[-1]
        return actor, DirectCritic(observer.size, critic_hidden, generator)

    def run(self, keep: Callable[[Policy], None], report: Callable[[Progress], None]) -> Policy:
        """Train until steps or seconds are used up, or until Ctrl-C; return the best policy.

        Args:
            keep: called with every policy that leads, the first at once, and with the winner at the end.
            report: called after every update.

        Raises:
            KeyboardInterrupt: after the best so far has been kept.
        """
        interrupted = False
        self._started = time.monotonic()
        try:
            self._begin()
            self._judge(keep)
            judged = 0
            while self._share_done() < 1.0 and not self._gives_up():
                self._one_update()
                report(self._progress(time.monotonic() - self._started))
                if int(self.recipe.rounds.snapshots * self._share_done()) > judged:
                    judged = int(self.recipe.rounds.snapshots * self._share_done())
                    self._judge(keep)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            self.workers.close()
        if self.contest.leader is None:
            raise KeyboardInterrupt
        winner = self.contest.winner()
        best = self._policy(winner.actor, winner.steps, winner.merit)
        keep(best)
        if interrupted:
            raise KeyboardInterrupt
        return best

    def _gives_up(self) -> bool:
        leader = self.contest.leader
        assert leader is not None
        late = self._share_done() > 0.5
        return self.contest.behind >= self.recipe.patience or (late and leader.merit < self.recipe.hopeless)

    def _begin(self) -> None:
        """Take over the start, and see what it observes before anything is learnt."""
        actor, start = self.actor, self.start
        if start is not None:
            limit = self.recipe.loudest + self._noise_shift
            quiet = dataclasses.replace(start.actor, log_std=np.minimum(start.actor.log_std, limit))
            actor.take(quiet)
        # a start moves as it will, so a whole episode is seen: its first second has neither its speeds nor its poses
        episode = self.groups[0].simulations[0].body.task.max_episode_steps
        for _ in range(1 if start is None else math.ceil(episode / self.recipe.ppo.horizon)):
            collected = self.workers.map(lambda job: self._collect(*job).observation, self._jobs())
            for observation in collected:
                actor.statistics.update(observation)
                self.steps += observation[1:, ..., 0].numel()
            if start is not None:  # as other statistics are folded in, it would be another policy
                actor.take(quiet)
            if self._share_done() > LOOKED:
                break
        self._looked = self._share_done()
        if start is not None:
            actor.statistics.fixed = True  # a shift of the normalisation would change the policy
        if self._critic is not None:
            self.critic.take(self._critic, actor.statistics)

    def _jobs(self) -> list[tuple[RolloutCollector, Callable[[Rollout], None]]]:
        return list(zip(self.collectors, self.markers, strict=True))

    def _share_done(self) -> float:
        """Share of the run that is over, by steps or by the clock."""
        share = self.steps / self.recipe.ppo.steps
        seconds = self.recipe.seconds
        return share if seconds is None else max(share, (time.monotonic() - self._started) / seconds)

    def _one_update(self) -> None:
        share, statistics = self._share_done(), self.actor.statistics
        rollout = side_by_side(self.workers.map(lambda job: self._collect(*job), self._jobs()))
        critic, gae_lambda = self.critic(statistics), self.recipe.ppo.gae_lambda
        samples = prepare(rollout, self.actor(), critic, self._reward_scale, gae_lambda)
        critic_only = share < self._looked + self.recipe.warm_up
        self.ascent.update(samples, share, self.workers, critic_only=critic_only)
        statistics.update(samples.observation)
        self.updates += 1
        self.steps += rollout.reward.numel()
        self._recent = [*self._recent, *(value for _, value, _ in rollout.episodes)][-RECENT:]

    @torch.no_grad()
    def _collect(self, collector: RolloutCollector, mark: Callable[[Rollout], None]) -> Rollout:
        rollout = collector.collect(self.actor())
        mark(rollout)
        return rollout

    def _judge(self, keep: Callable[[Policy], None]) -> None:
        actor = self.actor.emitted()
        # before the first step a start is judged as it was given, bit for bit
        actor = self.start.actor if self.start is not None and self.updates == 0 else actor
        if self.contest.enter(actor, self.steps if self.updates else 0):
            leader = self.contest.leader
            assert leader is not None
            keep(self._policy(leader.actor, leader.steps, leader.merit))

    def _policy(self, actor: ActorWeights, steps: int, merit: float) -> Policy:
        origin: dict[str, Any] = {
            "kind": "expert" if self.start is None else "finetuned",
            "steps": steps,
            "return": merit,
            "seed": self.recipe.ppo.seed,
        }
        if self.start is not None:
            origin["start"] = self.start.origin
        if self.body.change is not None:
            origin["change"] = self.body.change.to_dict()
        return Policy(self.body, actor, origin)

    def _progress(self, seconds: float) -> Progress:
        leader = self.contest.leader
        returns = {
            "training": float(np.mean(self._recent)) if self._recent else float("nan"),
            "best": leader.merit if leader else float("nan"),
        }
        diverged = sum(s.diverged for group in self.groups for s in group.simulations)
        # where the clock ends the run, as many as its pace so far will give
        total = self.recipe.ppo.steps if self.recipe.seconds is None else round(self.steps / self._share_done())
        return Progress(self.updates, self.steps, total, seconds, self.steps / seconds, returns, diverged)
