"""A baseline: one perceptron for all bodies, padded to the largest, trained by the same PPO on the same simulations.

    python -m benchmarks.monolithic --suite planar --minutes 25 --run rollouts/runs/monolithic --out F.csv

An observation entry is put where its kind, the number of its token in the file and its slot say; an action is the
output of its actuator's number. So it sees all that our actors see, but for what a hypernetwork reads of the body.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

import torch
import tyro
from torch import Tensor, nn

from benchmarks.adaptation import append_row
from benchmarks.timed_ppo import LEARNING_RATE, TimedPPO
from morphnet.bodies import Body
from morphnet.command_line import open_suite
from morphnet.config import TrainConfig
from morphnet.console import print_table, say
from morphnet.embodiment import SLOT_TABLE, tokens_of
from morphnet.evaluation import Controller, PolicyController, evaluate
from morphnet.files import make_folder
from morphnet.learning import Trainer
from morphnet.learning.checkpoint import Networks
from morphnet.networks import (
    ActorHypernetwork,
    CriticHypernetwork,
    StackedActor,
    StackedMLP,
    TokenBatch,
    exploration_shift,
    stack_tokens,
)
from morphnet.networks.statistics import ObservationStatistics
from morphnet.policy import ActorWeights, Policy
from morphnet.simulation import Observer

HIDDEN = 256
"""Units a hidden layer; our actors have up to 200."""
EPISODES = 10
COLUMNS = ("body", "split", "return_mean", "return_std")


class Places:
    """Where the entries of padded observations lie.

    Attributes:
        total: places in all.
        actions: the most actuators that a body has.
        entries: places that a body uses on average.
    """

    def __init__(self, batch: TokenBatch) -> None:
        """Make places for all entries of a batch's bodies."""
        slots = torch.tensor(list(SLOT_TABLE.sizes.values()))
        kind, token = batch.entry_kind[batch.entry_mask], batch.entry_token[batch.entry_mask]
        most = torch.zeros(len(slots), dtype=torch.int64).scatter_reduce(0, kind, token + 1, "amax")
        ends = torch.cumsum(most * slots, 0)
        self._starts, self._slots = torch.cat([torch.zeros(1, dtype=torch.int64), ends[:-1]]), slots
        self.total, self.actions = int(ends[-1]), batch.action_mask.shape[1]
        self.entries = float(batch.entry_mask.sum() / batch.num_robots)

    def of(self, batch: TokenBatch) -> Tensor:
        """(B, D) place of each observation entry."""
        kind = batch.entry_kind
        return self._starts[kind] + batch.entry_token * self._slots[kind] + batch.entry_slot


class _Padded(nn.Module):
    """A perceptron of which every body uses its own rows of the first layer and columns of the last."""

    def __init__(self, places: Places, outputs: int, last_gain: float) -> None:
        super().__init__()
        self.places = places
        gain = math.sqrt(2.0 / places.entries)  # as if a layer of its own were drawn for a body of average size
        self.first = nn.Parameter(gain * torch.randn(places.total, HIDDEN))
        self.second = nn.Parameter(nn.init.orthogonal_(torch.empty(HIDDEN, HIDDEN), math.sqrt(2)))
        self.third = nn.Parameter(nn.init.orthogonal_(torch.empty(HIDDEN, outputs), last_gain))
        self.one, self.two = nn.Parameter(torch.zeros(HIDDEN)), nn.Parameter(torch.zeros(HIDDEN))
        self.three = nn.Parameter(torch.zeros(outputs))

    def forward(self, batch: TokenBatch, statistics: ObservationStatistics, outputs: int) -> StackedMLP:
        mean, std = statistics.of_entries(batch)
        rows = self.first[self.places.of(batch)] * batch.entry_mask[..., None]
        first = rows / std[..., None]
        one = self.one - (mean[:, None] @ first)
        bodies = batch.num_robots
        second, third = self.second.expand(bodies, -1, -1), self.third[:, :outputs].expand(bodies, -1, -1)
        two, three = self.two.expand(bodies, 1, -1), self.three[:outputs].expand(bodies, 1, -1)
        return StackedMLP((first, second, third), (one, two, three))


class MonolithicActor(nn.Module):
    """One actor for all bodies; answers as ``ActorHypernetwork`` does."""

    def __init__(self, places: Places, initial_log_std: float) -> None:
        """Draw weights."""
        super().__init__()
        self.mean = _Padded(places, places.actions, 0.01)
        self.log_std = nn.Parameter(torch.full((places.actions,), initial_log_std))
        self.statistics = ObservationStatistics(SLOT_TABLE)

    def forward(self, batch: TokenBatch) -> StackedActor:
        """Return the actors of B bodies."""
        outputs = batch.action_mask.shape[1]
        shift = exploration_shift(batch.control_step)[:, None, None]
        log_std = (self.log_std[None, None, :outputs] + shift).clamp(-4.0, 0.5)
        mask = batch.action_mask[:, None].to(log_std.dtype)
        return StackedActor(self.mean(batch, self.statistics, outputs), log_std, mask)


class MonolithicCritic(nn.Module):
    """One critic for all bodies; answers as ``CriticHypernetwork`` does."""

    def __init__(self, places: Places) -> None:
        """Draw weights."""
        super().__init__()
        self.value = _Padded(places, 1, 1.0)

    def forward(self, batch: TokenBatch, statistics: ObservationStatistics) -> StackedMLP:
        """Return the critics of B bodies."""
        return cast(StackedMLP, self.value(batch, statistics, 1))


def build(bodies: Sequence[Body], config: TrainConfig) -> Networks:
    """Make untrained networks with places for all of ``bodies``."""
    batch = stack_tokens([tokens_of(body, Observer(body).layout) for body in bodies])
    torch.manual_seed(config.seed)
    places = Places(batch)
    actor = MonolithicActor(places, config.network.initial_log_std)
    return Networks(cast(ActorHypernetwork, actor), cast(CriticHypernetwork, MonolithicCritic(places)))


def policy_of(networks: Networks, body: Body) -> Policy:
    """Cut a body's policy out of the network."""
    batch = stack_tokens([tokens_of(body, layout := Observer(body).layout)])
    with torch.no_grad():
        actor = networks.actor(batch)
    return Policy(body, ActorWeights.of_stack(actor, 0, layout.size, HIDDEN, body.model.nu), {})


def report_returns(out: Path, splits: Mapping[str, Sequence[Body]], controller: Callable[[Body], Controller]) -> None:
    """Write and print the returns of bodies.

    Args:
        out: the CSV; rows are appended.
        splits: name -> its bodies.
        controller: what drives a body.
    """
    append_row(out, COLUMNS)
    table = []
    for split, body in ((split, body) for split, bodies in splits.items() for body in bodies):
        returns = evaluate(body, controller(body), EPISODES, 5000).returns
        table.append([body.name, split, round(float(returns.mean()), 1), round(float(returns.std()), 1)])
        append_row(out, tuple(table[-1]))
    print_table("Returns", COLUMNS, table)


def main(
    run: Path,
    out: Path,
    suite: str | None = None,
    bodies: Path | None = None,
    tasks: Path | None = None,
    minutes: float = 25.0,
    steps: int = 30_000_000,
    seed: int = 0,
) -> None:
    """Train the baseline on the training split of a suite or of a folder of MJCF files, and evaluate it on both splits.

    Args:
        run: the run's folder, with its metrics.
        out: the CSV of returns.
        suite: a shipped suite, or several: planar+legged.
        bodies: a folder of MJCF files with splits.json.
        tasks: a TOML with a section a family, in place of the folder's suite.toml.
        minutes: wall-clock at most.
        steps: environment steps at most; the learning rate's schedule follows the larger share of both.
        seed: seeds everything.
    """
    opened, config = open_suite(suite, bodies, tasks), TrainConfig(steps=steps, seed=seed, learning_rate=LEARNING_RATE)
    families = opened.families("train")
    training = [(family, opened.load(name)) for family, names in families.items() for name in names]
    held_out = list(opened.bodies("held_out"))
    make_folder(run)
    networks = build([*(body for _, body in training), *held_out], config)
    trainer = Trainer(training, config, run, {"suite": opened.name, "network": "monolithic"}, networks)
    trainer.ppo = TimedPPO(trainer, minutes)
    trainer.run(minutes=minutes, report=lambda p: say(f"{p.steps:,} steps, {p.seconds:.0f} s: {p.returns}"))
    splits = {"train": [body for _, body in training], "held_out": held_out}
    report_returns(out, splits, lambda body: PolicyController(policy_of(networks, body)))


if __name__ == "__main__":
    tyro.cli(main)
