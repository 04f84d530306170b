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
from morphnet.embodiment import feature_sizes, tokens_of
from morphnet.learning.checkpoint import Networks, build_networks, save_checkpoint
from morphnet.config import TrainConfig
from morphnet.learning.metrics import MetricsLog
from morphnet.learning.model_card import write_model_card
from morphnet.learning.ppo import PPO, UpdateReport
from morphnet.learning.resume import load_resume, save_resume
from morphnet.learning.rollout import Rollout, RolloutCollector, simulation_cost
from morphnet.networks import stack_tokens
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
        returns: family -> mean return of its bodies' recent episodes; NaN before the first has ended.
        diverged: simulations that diverged and were reset so far.
    """

    update: int
    steps: int
    total_steps: int
    seconds: float
    steps_per_second: float
    returns: dict[str, float]
    diverged: int


class Trainer:
    """Meta-trains one hypernetwork on a set of bodies by PPO."""

    def __init__(
        self, bodies: Sequence[tuple[str, Body]], config: TrainConfig, folder: Path, origin: dict[str, Any]
    ) -> None:
        """Build simulations and networks; nothing is written yet.

        Args:
            bodies: (family, body) pairs.
            config: hyperparameters.
            folder: the run's folder.
            origin: what the bodies are, for the checkpoint's record ({"suite": ...} or {"bodies": ...}).
        """
        self.config, self.folder, self.origin = config, folder, origin
        seeds = np.random.SeedSequence(config.seed).spawn(len(bodies))
        made = [
            (family, Simulation(body, config.num_sims, np.random.default_rng(seed)))
            for (family, body), seed in zip(bodies, seeds, strict=True)
        ]
        # alternating cheap and dear bodies lets the groups of a rollout finish together
        made.sort(key=lambda pair: simulation_cost(pair[1]))
        made = made[0::2] + made[1::2]
        self.families = [family for family, _ in made]
        self.simulations = [simulation for _, simulation in made]
        tokens = [tokens_of(s.body, s.observer.layout) for s in self.simulations]
        self.features = feature_sizes(tokens[0])
        self.networks: Networks = build_networks(self.features, config)
        self.robots = stack_tokens(tokens)
        discount = torch.tensor([s.body.task.discount for s in self.simulations], dtype=torch.float64)
        self.ppo = PPO(self.networks.actor, self.networks.critic, self.robots, discount, config)
        self.collector = RolloutCollector(self.simulations, config.horizon, config.seed, config.threads)
        self.recent: list[list[float]] = [[] for _ in self.simulations]
        self.update, self.steps, self.seconds, self.best = 0, 0, 0.0, -np.inf
        for simulation in self.simulations:
            simulation.stagger()

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
        log = MetricsLog(self.folder, self.update if resume else None)
        started, before = time.monotonic(), self.seconds
        try:
            while self.steps < self.config.steps and (minutes is None or self.seconds - before < 60 * minutes):
                row = self._one_update()
                self.seconds = before + time.monotonic() - started
                log.add({**row, "seconds": self.seconds})
                if self.update % self.config.save_every == 0:
                    self._save()
                report(self._progress(row))
        finally:
            log.close()
            self.collector.close()
            # an interrupted update leaves optimiser and simulations out of step: the last saved state stands
        self._save()

    def _one_update(self) -> dict[str, float]:
        torch.set_num_threads(self.config.threads)
        start = time.perf_counter()
        with torch.no_grad():
            actor = self.networks.actor(self.robots)
        rollout = self.collector.collect(actor)
        collected = time.perf_counter()
        torch.set_num_threads(self.config.threads)
        batch, explained = self.ppo.prepare(rollout, actor)
        report = self.ppo.update(batch, self.steps / self.config.steps)
        self.networks.actor.statistics.update(batch.observation, self.robots)
        report = dataclasses.replace(report, explained_variance=explained)
        done = time.perf_counter()
        self.update += 1
        self.steps += rollout.reward.numel()
        for recent, returns in zip(self.recent, rollout.episodes.returns, strict=True):
            recent[:] = (recent + returns)[-RECENT:]
        return self._row(report, rollout, collected - start, done - collected)

    def _row(self, report: UpdateReport, rollout: Rollout, collecting: float, updating: float) -> dict[str, float]:
        busy = sum(rollout.seconds.values())
        return {
            "update": self.update,
            "steps": self.steps,
            "steps_per_second": rollout.reward.numel() / (collecting + updating),
            "mean_return": float(np.mean(list(self.body_returns().values()))),
            **{f"seconds/{name}": collecting * spent / busy for name, spent in rollout.seconds.items()},
            "seconds/update": updating,
            **{f"loss/{name}": value for name, value in dataclasses.asdict(report).items()},
            "exploration": float(self.networks.actor.log_std.base.exp().mean()),
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
        )

    def _save(self) -> None:
        """Save the state to resume from, the checkpoint, and copies of the best and of every tenth part."""
        save_resume(self)
        self.save_checkpoint(self.folder)
        mean = float(np.mean(list(self.body_returns().values())))
        if mean > self.best:
            self.best = mean
            self.save_checkpoint(self.folder / "best")
        tenth = 10 * self.steps // self.config.steps
        periodic = self.folder / "periodic" / f"{10 * tenth:03d}"
        if tenth and not periodic.exists():
            self.save_checkpoint(periodic)

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
