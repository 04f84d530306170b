"""Distillation: one hypernetwork learns to emit what experts do."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from morphnet.config import DistillConfig, TrainConfig
from morphnet.distillation.imitation_loss import imitation_loss
from morphnet.distillation.memory import Memory
from morphnet.distillation.resume import DISTILLATION, load_distillation, save_distillation
from morphnet.distillation.shift import EPISODE_SECONDS, Shift, Teacher, make_shifts
from morphnet.embodiment import feature_sizes, tokens_of
from morphnet.interrupts import first_interrupt_noted
from morphnet.learning.checkpoint import CONFIG, Networks, build_networks, save_checkpoint
from morphnet.learning.group import BodyGroup, Workers
from morphnet.learning.metrics import MetricsLog
from morphnet.learning.model_card import write_model_card
from morphnet.learning.ppo import sum_gradients
from morphnet.learning.ppo_loss import value_loss
from morphnet.learning.rollout import Rollout, collect_rollouts
from morphnet.learning.samples import Samples, by_body, prepare
from morphnet.learning.trainer import RECENT, Progress
from morphnet.networks import StackedActor, differentiate

WARM_UP = 0.01
"""Share of the steps over which the learning rate rises."""


@dataclasses.dataclass(frozen=True)
class Before:
    """What a training spent before its distillation began.

    Attributes:
        config: the training's configuration.
        updates, steps, seconds: its counts so far.
    """

    config: TrainConfig
    updates: int = 0
    steps: int = 0
    seconds: float = 0.0


class Distiller:
    """Teaches one hypernetwork the policies of many experts, each of a body of its own.

    Half of the simulations are driven by the experts and half by what the hypernetwork emits at the time; the experts
    say what is to be done in both (DAgger, Ross et al. 2011), so that it learns to come back from its own errors.
    Experts explore; what is emitted does its mean actions, as it does when it is used: noise would free it from poses
    in which it is caught otherwise, and it would never learn to leave them.
    The critics learn the returns of the emitted policies.
    """

    def __init__(
        self,
        experts: Sequence[Teacher],
        config: DistillConfig,
        folder: Path,
        origin: dict[str, Any],
        start: Networks | None = None,
        before: Before | None = None,
    ) -> None:
        """Build simulations and networks; nothing is written yet.

        Args:
            experts: what is taught, one a body.
            config: hyperparameters.
            folder: where the checkpoint goes.
            origin: what the bodies are, for the checkpoint's record.
            start: the hypernetworks to go on from; new ones when None.
            before: the training that this is the last part of; None when it is no part of one.
        """
        self.config, self.folder, self.origin = config, folder, origin
        self.before = before or Before(_training(config))
        self.workers = Workers(config.threads)
        self.shifts, self._always = make_shifts(experts, config)
        first = self.groups[0].simulations[0]
        self.features = feature_sizes(tokens_of(first.body, first.observer.layout))
        self.networks = start or build_networks(self.features, self.training)
        self.optimizer = torch.optim.Adam(self._parameters, lr=config.learning_rate, eps=1e-5, fused=True)
        self.generator = torch.Generator().manual_seed(config.seed)
        self._families = {expert.policy.body.name: expert.family for expert in experts if not expert.mutant}
        self.recent: dict[str, list[float]] = {name: [] for name in self._families}
        self._mutants = len(experts) - len(self.recent)
        self.rounds, self.steps, self.seconds = 0, 0, 0.0

    @property
    def groups(self) -> list[BodyGroup]:
        """All bodies, driven by what the hypernetwork emits."""
        return [group for shift in self.shifts for group in shift.groups]

    @property
    def guides(self) -> list[BodyGroup]:
        """All bodies, driven by the experts."""
        return [group for shift in self.shifts for group in shift.guides]

    @property
    def training(self) -> TrainConfig:
        """What the checkpoint's record has as its configuration."""
        return self.before.config

    @property
    def _parameters(self) -> list[nn.Parameter]:
        return [*self.networks.actor.parameters(), *self.networks.critic.parameters()]

    def run(
        self, *, resume: bool = False, minutes: float | None = None, report: Callable[[Progress], None] = lambda _: None
    ) -> None:
        """Teach until all steps are done or the time is up; Ctrl-C saves and raises KeyboardInterrupt.

        Args:
            resume: continue from the folder's saved state.
            minutes: stop after this much wall-clock; schedules follow steps all the same.
            report: called after every round.
        """
        if resume:
            load_distillation(self)
        else:
            save_distillation(self)  # a kill before the first regular save must leave something to resume, too
        log = MetricsLog(self.folder, self.before.updates + self.rounds or None)
        started, earlier = time.monotonic(), self.seconds
        try:
            with first_interrupt_noted() as interrupted:
                while self.steps < self.config.steps and (minutes is None or self.seconds - earlier < 60 * minutes):
                    row = self._one_round()
                    self.seconds = earlier + time.monotonic() - started
                    log.add({**row, "seconds": self.before.seconds + self.seconds})
                    report(self._progress(row))
                    if interrupted.is_set():
                        break
                    if self.rounds % self.config.save_every == 0:
                        self._save()
                self._save()
        finally:
            log.close()
            self.workers.close()
        if interrupted.is_set():
            raise KeyboardInterrupt

    def _one_round(self) -> dict[str, float]:
        start = time.perf_counter()
        # at first all, so that there is something to learn from of every body
        due = self._due(self.rounds) if self.rounds else self.shifts
        collected = sum(self._visit(shift) for shift in due)
        between = time.perf_counter()
        self._set_learning_rate()
        losses = [self._gradient_step(number) for number in range(self.config.gradient_steps)]
        done = time.perf_counter()
        self.rounds, self.steps = self.rounds + 1, self.steps + collected
        return {
            "update": self.before.updates + self.rounds,
            "steps": self.before.steps + self.steps,
            "steps_per_second": collected / (done - start),
            "mean_return": float(np.mean(list(self.body_returns().values()))),
            "seconds/rollout": between - start,
            "seconds/update": done - between,
            "diverged": self.diverged,
            "loss/imitation": float(np.mean([action for action, _ in losses])),
            "loss/value_loss": float(np.nanmean([value for _, value in losses])),
            **{f"return/{name}": value for name, value in self.body_returns().items()},
        }

    def _due(self, number: int) -> list[Shift]:
        """The shift that is always due, if there is one, and another, in turn."""
        turns = self.shifts[self._always :]
        return [*self.shifts[: self._always], turns[number % len(turns)]]

    def _visit(self, shift: Shift) -> int:
        """Run a shift's bodies, remember what was seen, and return how many steps that took."""
        emitted = self.workers.map(self._emit, shift.groups)
        own = collect_rollouts(shift.collectors, [actors.without_noise() for actors in emitted], self.workers)
        guided = collect_rollouts(shift.guiding, shift.experts, self.workers)
        shift.newest = self.workers.map(self._prepare, list(zip(shift.groups, own, emitted, strict=True)))
        self.workers.map(_remember, list(zip(shift.memories, shift.experts, own, guided, strict=True)))
        for group, part in zip(shift.groups, shift.newest, strict=True):
            self.networks.actor.statistics.update(part.observation, group.robots)
        self._note_returns(shift, own)
        return sum(rollout.reward.numel() for rollout in (*own, *guided))

    def _emit(self, group: BodyGroup) -> StackedActor:
        return self.networks.actor(group.robots)

    @torch.no_grad()
    def _prepare(self, job: tuple[BodyGroup, Rollout, StackedActor]) -> Samples:
        group, rollout, actors = job
        critics = self.networks.critic(group.robots, self.networks.actor.statistics)
        return prepare(rollout, actors, critics, group.reward_scale, self.training.gae_lambda)

    def _set_learning_rate(self) -> None:
        done = self.steps / self.config.steps
        cosine = 0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * min(done, 1.0)))
        self.optimizer.param_groups[0]["lr"] = self.config.learning_rate * cosine * min((done + 1e-3) / WARM_UP, 1.0)

    def _gradient_step(self, number: int) -> tuple[float, float]:
        """One step on what is due of remembered actions, and in turn on newest returns; return both losses."""
        due = self._due(self.rounds + number)
        valued = number % self.config.value_every == 0
        bodies = sum(group.size for shift in due for group in shift.groups)
        jobs: list[tuple[Any, ...]] = []
        for shift in due:
            index = self._draw(len(shift.memories[0]))
            newest = self._draw(shift.newest[0].advantage.shape[1])
            parts = zip(shift.groups, shift.memories, shift.experts, shift.newest, strict=True)
            jobs += [(*part, index, newest if valued else None, bodies) for part in parts]
        results = self.workers.map(lambda job: self._gradients(*job), jobs)
        for position, parameter in enumerate(self._parameters):
            parameter.grad = sum_gradients([gradients[position] for gradients, _ in results])
        for network in (self.networks.actor, self.networks.critic):
            nn.utils.clip_grad_norm_(network.parameters(), self.config.gradient_norm, error_if_nonfinite=True)
        self.optimizer.step()
        total = np.sum([losses for _, losses in results], axis=0)
        return float(total[0]), float(total[1]) if valued else math.nan

    def _draw(self, size: int) -> Tensor:
        return torch.randint(size, (self.config.batch,), generator=self.generator)

    def _gradients(
        self,
        group: BodyGroup,
        memory: Memory,
        experts: StackedActor,
        samples: Samples,
        index: Tensor,
        newest: Tensor | None,
        bodies: int,
    ) -> tuple[tuple[Tensor | None, ...], tuple[float, float]]:
        """A group's part of the losses of ``bodies``, and of their gradient; of the values none without ``newest``."""
        share = group.size / bodies
        actors = self.networks.actor(group.robots)
        seen, shown = memory.observation[:, index], memory.action[:, index]
        pairs, loss = imitation_loss(actors, experts, seen, shown, share)
        error = torch.zeros(())
        if newest is not None:
            critics = self.networks.critic(group.robots, self.networks.actor.statistics)
            valued, targets = samples.observation[:, newest], samples.value_target[:, newest]
            at_critics, error = value_loss(critics, valued, targets, share)
            pairs += at_critics
        return differentiate(pairs, self._parameters), (share * loss.item(), share * error.item())

    def _note_returns(self, shift: Shift, rollouts: Sequence[Rollout]) -> None:
        for group, rollout in zip(shift.groups, rollouts, strict=True):
            for body, value, _ in rollout.episodes:
                name = group.simulations[body].body.name
                if name in self.recent:
                    self.recent[name] = [*self.recent[name], value][-RECENT:]

    def body_returns(self) -> dict[str, float]:
        """Mean return of recent episodes of mean actions, of every body that is shown; NaN before one has ended."""
        return {name: float(np.mean(recent)) if recent else math.nan for name, recent in sorted(self.recent.items())}

    @property
    def diverged(self) -> int:
        """Simulations that diverged and were reset so far, those of the experts included."""
        return sum(s.diverged for groups in (self.groups, self.guides) for group in groups for s in group.simulations)

    def _progress(self, row: dict[str, float]) -> Progress:
        by_name = self.body_returns()
        grouped: dict[str, list[float]] = {}
        for name, family in self._families.items():
            grouped.setdefault(family, []).append(by_name[name])
        return Progress(
            self.rounds,
            self.steps,
            self.config.steps,
            self.seconds,
            row["steps_per_second"],
            {family: float(np.mean(values)) for family, values in sorted(grouped.items())},
            self.diverged,
            DISTILLATION,
        )

    def _save(self) -> None:
        """Save the checkpoint, a copy of every tenth part, and the state to resume from."""
        self.save_checkpoint(self.folder)
        tenth = 10 * self.steps // self.config.steps
        periodic = self.folder / "periodic" / f"distilled_{10 * tenth:03d}"
        # its config is written last: without one, a kill has left half a checkpoint
        if tenth and not (periodic / CONFIG).exists():
            self.save_checkpoint(periodic)
        save_distillation(self)

    def save_checkpoint(self, folder: Path) -> None:
        """Write the present hypernetwork as a checkpoint folder."""
        facts = {
            **self.origin,
            "body_names": sorted(self.recent),
            "mutants": self._mutants,
            "steps": self.before.steps + self.steps,
            "seconds": round(self.before.seconds + self.seconds, 1),
            "distillation": self.config.to_dict(),
            "episode_seconds": EPISODE_SECONDS,
        }
        save_checkpoint(folder, self.networks, self.features, self.training, facts)
        write_model_card(folder, facts, self.training, self.body_returns())


def _training(config: DistillConfig) -> TrainConfig:
    return TrainConfig(
        steps=config.steps,
        seed=config.seed,
        num_sims=config.num_sims,
        horizon=config.horizon,
        threads=config.threads,
        network=config.network,
    )


@torch.no_grad()
def _remember(job: tuple[Memory, StackedActor, Rollout, Rollout]) -> None:
    """Take rollouts into a group's memory, with what the experts would have done."""
    memory, experts, *rollouts = job
    for rollout in rollouts:
        observation = by_body(rollout.observation[:-1])
        memory.add(observation, experts.mean(observation).clamp(-1.0, 1.0))
