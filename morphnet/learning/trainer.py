"""Meta-training: collect, update, log, save; stops and resumes without a trace."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from morphnet.bodies import Body
from morphnet.config import TrainConfig
from morphnet.embodiment import feature_sizes, tokens_of
from morphnet.files import write_bytes
from morphnet.interrupts import first_interrupt_noted
from morphnet.learning.checkpoint import CONFIG, METRICS, Networks, build_networks, save_checkpoint
from morphnet.learning.group import BodyGroup, Workers, make_groups
from morphnet.learning.metrics import MetricsLog
from morphnet.learning.model_card import write_model_card
from morphnet.learning.ppo import PPO, UpdateReport
from morphnet.learning.resume import load_resume, save_resume
from morphnet.learning.rollout import Rollout, RolloutCollector, collect_rollouts
from morphnet.networks import StackedActor
from morphnet.simulation import Simulation

RECENT = 20
"""Episodes a body over which its return is averaged while training."""


@dataclasses.dataclass(frozen=True)
class Progress:
    """What a running training reports after every update.

    Attributes:
        update, steps, total_steps: how far it is.
        seconds: wall-clock so far, earlier sittings counted in.
        steps_per_second: environment steps a second of the last update.
        returns: family -> mean return of its bodies' recent episodes; NaN before the first has ended. Among experts:
            the first body of kin -> the best so far.
        diverged: simulations that diverged and were reset so far.
        stage: the part of a training in several that these numbers are of.
    """

    update: int
    steps: int
    total_steps: int
    seconds: float
    steps_per_second: float
    returns: dict[str, float]
    diverged: int
    stage: str = ""


class Trainer:
    """Meta-trains one hypernetwork on a set of bodies by PPO."""

    def __init__(
        self,
        bodies: Sequence[tuple[str, Body]],
        config: TrainConfig,
        folder: Path,
        origin: dict[str, Any],
        networks: Networks | None = None,
    ) -> None:
        """Build simulations and networks; nothing is written yet.

        Args:
            bodies: (family, body) pairs.
            config: hyperparameters.
            folder: the run's folder.
            origin: what the bodies are, for the checkpoint's record ({"suite": ...} or {"bodies": ...}).
            networks: what is trained; new hypernetworks when None.
        """
        self.config, self.folder, self.origin = config, folder, origin
        seeds = np.random.SeedSequence(config.seed).spawn(2 * len(bodies))
        rngs = [np.random.default_rng(seed) for seed in seeds]
        simulations = [
            (family, Simulation(body, config.num_sims, rng))
            for (family, body), rng in zip(bodies, rngs[: len(bodies)], strict=True)
        ]
        for _, simulation in simulations:
            simulation.stagger()
        self.workers = Workers(config.threads)
        self.groups = make_groups(simulations, rngs[len(bodies) :], config.threads)
        self.simulations = [simulation for group in self.groups for simulation in group.simulations]
        self.families = [family for group in self.groups for family in group.families]
        first = self.simulations[0]
        self.features = feature_sizes(tokens_of(first.body, first.observer.layout))
        self.networks: Networks = networks or build_networks(self.features, config)
        self.ppo = PPO(self.networks, self.groups, self.workers, config)
        self._collectors = [RolloutCollector(group, config.horizon) for group in self.groups]
        self.recent: list[list[float]] = [[] for _ in self.simulations]
        self.update, self.steps, self.seconds, self.best = 0, 0, 0.0, -np.inf

    def run(
        self, *, resume: bool = False, minutes: float | None = None, report: Callable[[Progress], None] = lambda _: None
    ) -> None:
        """Train until all steps are done or the time is up; Ctrl-C saves and raises KeyboardInterrupt.

        Args:
            resume: continue from the folder's saved state.
            minutes: stop after this much wall-clock; schedules follow steps all the same.
            report: called after every update.
        """
        if resume:
            load_resume(self)
        else:
            save_resume(self)  # a kill before the first regular save must leave something to resume, too
        log = MetricsLog(self.folder, self.update if resume else None)
        started, before = time.monotonic(), self.seconds
        try:
            with first_interrupt_noted() as interrupted:
                while self.steps < self.config.steps and (minutes is None or self.seconds - before < 60 * minutes):
                    row = self._one_update()
                    self.seconds = before + time.monotonic() - started
                    log.add({**row, "seconds": self.seconds})
                    report(self._progress(row))
                    if interrupted.is_set():
                        break
                    if self.update % self.config.save_every == 0:
                        self._save()
                self._save()
        finally:
            log.close()
            self.workers.close()
        if interrupted.is_set():
            raise KeyboardInterrupt

    def _one_update(self) -> dict[str, float]:
        start = time.perf_counter()
        actors = self.workers.map(self._generate, self.groups)
        rollouts = collect_rollouts(self._collectors, actors, self.workers)
        between = time.perf_counter()
        jobs = list(zip(self.groups, rollouts, actors, strict=True))
        prepare = self.workers.map(lambda job: self.ppo.prepare(*job), jobs)
        report = self.ppo.update(prepare, self.steps / self.config.steps)
        for group, samples in zip(self.groups, prepare, strict=True):
            self.networks.actor.statistics.update(samples.observation, group.robots)
        done = time.perf_counter()
        self.update += 1
        self.steps += sum(rollout.reward.numel() for rollout in rollouts)
        self._remember(rollouts)
        return self._row(report, rollouts, between - start, done - between)

    @torch.no_grad()
    def _generate(self, group: BodyGroup) -> StackedActor:
        return self.networks.actor(group.robots)

    def _remember(self, rollouts: list[Rollout]) -> None:
        start = 0
        for group, rollout in zip(self.groups, rollouts, strict=True):
            for body, value, _ in rollout.episodes:
                recent = self.recent[start + body]
                recent[:] = [*recent, value][-RECENT:]
            start += group.size

    def _row(
        self, report: UpdateReport, rollouts: list[Rollout], collecting: float, updating: float
    ) -> dict[str, float]:
        return {
            "update": self.update,
            "steps": self.steps,
            "steps_per_second": sum(r.reward.numel() for r in rollouts) / (collecting + updating),
            "mean_return": float(np.mean(list(self.body_returns().values()))),
            "seconds/rollout": collecting,
            "seconds/update": updating,
            **{f"loss/{name}": value for name, value in dataclasses.asdict(report).items()},
            "diverged": self.diverged,
            **{f"return/{name}": value for name, value in self.body_returns().items()},
        }

    def body_returns(self) -> dict[str, float]:
        """Mean return of each body's recent episodes, NaN before one has ended."""
        return {
            s.body.name: float(np.mean(recent)) if recent else float("nan")
            for s, recent in sorted(zip(self.simulations, self.recent, strict=True), key=lambda pair: pair[0].body.name)
        }

    def family_returns(self) -> dict[str, float]:
        """Mean over each family's bodies of their recent returns."""
        by_body = self.body_returns()
        names = zip(self.families, self.simulations, strict=True)
        grouped: dict[str, list[float]] = {}
        for family, simulation in names:
            grouped.setdefault(family, []).append(by_body[simulation.body.name])
        return {family: float(np.mean(values)) for family, values in sorted(grouped.items())}

    @property
    def diverged(self) -> int:
        """Simulations that diverged and were reset so far."""
        return sum(s.diverged for s in self.simulations)

    def _progress(self, row: dict[str, float]) -> Progress:
        return Progress(
            self.update,
            self.steps,
            self.config.steps,
            self.seconds,
            row["steps_per_second"],
            self.family_returns(),
            self.diverged,
            "PPO",
        )

    def _save(self) -> None:
        """Save the state to resume from, the checkpoint, and copies of the best and of every tenth part."""
        self.save_checkpoint(self.folder)
        mean = float(np.mean(list(self.body_returns().values())))
        if mean > self.best:
            self.best = mean
            self.save_checkpoint(self.folder / "best")
        tenth = 10 * self.steps // max(self.config.steps, 1)
        periodic = self.folder / "periodic" / f"{10 * tenth:03d}"
        # its config is written last: without one, a kill has left half a checkpoint
        if tenth and not (periodic / CONFIG).exists():
            self.save_checkpoint(periodic)
        save_resume(self)

    def save_checkpoint(self, folder: Path) -> None:
        """Write the present hypernetwork as a checkpoint folder."""
        facts = {
            **self.origin,
            "body_names": sorted(s.body.name for s in self.simulations),
            "steps": self.steps,
            "seconds": round(self.seconds, 1),
        }
        save_checkpoint(folder, self.networks, self.features, self.config, facts)
        write_model_card(folder, facts, self.config, self.body_returns())
        metrics = self.folder / METRICS
        if folder != self.folder and metrics.is_file():
            write_bytes(folder / METRICS, metrics.read_bytes())
