"""A baseline in MetaMorph's shape: one transformer over limbs, trained by the same PPO on the same simulations.

    python -m benchmarks.metamorph --suite planar --minutes 25 --run rollouts/runs/metamorph --out F.csv

After Gupta et al. 2022, "MetaMorph: Learning Universal Controllers with Transformers" (ICLR): one token a limb, a
learned embedding of the limb's number, actor and critic apart, as wide and deep as published; exploration is learnt. A
limb reads the slots of its body, joints and actuators, the root's and the task's, and the physical features of them
all: what our hypernetwork and actors read together, but for the graph. Bodies of equally many limbs make a batch, so
attention has no padding to mask; joints and actuators are padded to the most that any limb has.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
import tyro
from torch import Tensor, nn

from benchmarks.monolithic import report_returns
from benchmarks.timed_ppo import LEARNING_RATE, TimedPPO
from benchmarks.transformer import WIDTH, MorphologyTransformer
from morphnet.bodies import Body
from morphnet.command_line import open_suite
from morphnet.config import TrainConfig
from morphnet.console import say
from morphnet.embodiment import SLOT_TABLE, tokens_of
from morphnet.files import make_folder
from morphnet.learning import Trainer
from morphnet.learning.checkpoint import Networks
from morphnet.learning.group import BodyGroup, make_groups
from morphnet.learning.rollout import Rollout, RolloutCollector
from morphnet.networks import StackedActor, StackedMLP, TokenBatch, Tokens, exploration_shift, stack_tokens
from morphnet.networks.statistics import ObservationStatistics
from morphnet.simulation import Observer

NUM_SIMS = 4
"""Simulations a body. With as many as we have, 25 minutes on two cores would be a handful of updates."""


class Sizes(NamedTuple):
    """The most limbs of a body, and the most joints and actuators of a limb."""

    limbs: int
    joints: int
    actuators: int

    @classmethod
    def of(cls, bodies: Sequence[Body]) -> Sizes:
        """Return room for all of ``bodies``."""
        return cls(
            max(body.graph.num_bodies for body in bodies),
            max(int(_places(body.graph.joint_body).max()) + 1 for body in bodies),
            max(int(_places(actuator_limbs(body)).max()) + 1 for body in bodies),
        )


@dataclasses.dataclass(frozen=True, eq=False)
class LimbBatch(TokenBatch):
    """B bodies of N limbs each.

    Attributes:
        source: (B, N, inputs) the observation entry that each of a limb's inputs shows, -1 where there is none.
        context: (B, N, features) physical features of each limb, its joints, its actuators and the task.
        readout: (B, N x outputs, A) 1 where a limb's output is an actuator's.
    """

    source: Tensor
    context: Tensor
    readout: Tensor


def limb_batch(bodies: Sequence[Body], sizes: Sizes) -> LimbBatch:
    """Describe bodies of equally many limbs to the transformer."""
    robots = [tokens_of(body, Observer(body).layout) for body in bodies]
    batch = stack_tokens(robots)
    readout = torch.zeros(len(robots), bodies[0].graph.num_bodies * sizes.actuators, batch.action_mask.shape[1])
    for matrix, limbs in zip(readout, map(actuator_limbs, bodies), strict=True):
        matrix[limbs * sizes.actuators + _places(limbs), np.arange(len(limbs))] = 1.0
    source, context = zip(*map(_inputs, bodies, robots, [sizes] * len(bodies)), strict=True)
    return LimbBatch(**vars(batch), source=torch.stack(source), context=torch.stack(context), readout=readout)


def actuator_limbs(body: Body) -> np.ndarray:
    """(nu,) limb of each actuator: that of the first joint that it moves, else the body that it acts on."""
    graph, limbs = body.graph, np.zeros(body.model.nu, np.int64)
    limbs[graph.actuator_bodies[::-1, 0]] = graph.actuator_bodies[::-1, 1]  # of several pairs, the first stays
    limbs[graph.actuator_joints[::-1, 0]] = graph.joint_body[graph.actuator_joints[::-1, 1]]
    return limbs


def _places(limbs: np.ndarray) -> np.ndarray:
    """Number of each part among those of its limb."""
    return np.array([np.count_nonzero(limbs[:part] == limb) for part, limb in enumerate(limbs)], np.int64)


def _inputs(body: Body, robot: Tokens, sizes: Sizes) -> tuple[Tensor, Tensor]:
    """``source`` and ``context`` of one body; every limb is told of the root and the task."""
    count, source, context = body.graph.num_bodies, [], []
    owners = {"body": np.arange(count), "joint": body.graph.joint_body, "actuator": actuator_limbs(body)}
    most = {"joint": sizes.joints, "actuator": sizes.actuators}
    for number, (kind, slots) in enumerate(SLOT_TABLE.sizes.items()):
        limbs = owners.get(kind)
        places = np.zeros(1, np.int64) if limbs is None else _places(limbs)
        entries = np.flatnonzero(robot.observation_kind == number)
        token, slot = robot.observation_token[entries], robot.observation_slot[entries]
        shown = np.full((count, most.get(kind, 1), slots), -1)
        shown[slice(None) if limbs is None else limbs[token], places[token], slot] = entries
        source.append(shown.reshape(count, -1))
        features = robot.features.get(kind, np.zeros((1, 0), np.float32))
        block = np.zeros((count, most.get(kind, 1), features.shape[1]), np.float32)
        block[slice(None) if limbs is None else limbs, places] = features
        context.append(block.reshape(count, -1))
    return torch.from_numpy(np.concatenate(source, axis=1)), torch.from_numpy(np.concatenate(context, axis=1))


class LimbTransformer(MorphologyTransformer):
    """(..., limbs, inputs) to (..., limbs, outputs), for any number of limbs up to the most."""

    def __init__(self, sizes: Sizes, inputs: int, outputs: int) -> None:
        """Draw weights; outputs are small at the start."""
        super().__init__(sizes.limbs)
        self.embed, self.decode = nn.Linear(inputs, WIDTH), nn.Linear(WIDTH, outputs)
        nn.init.uniform_(self.decode.weight, -0.01, 0.01)
        nn.init.zeros_(self.decode.bias)
        nn.init.normal_(self.position)

    def forward(self, limbs: Tensor) -> Tensor:
        """Act, or judge."""
        tokens = self.embed(limbs) * WIDTH**0.5 + self.position[: limbs.shape[-2]]
        return self.decode(nn.Sequential(*self.layers)(tokens))


class _Driver:
    """A transformer and the B bodies that it drives or judges; answers as ``StackedMLP`` does.

    To PPO its generated tensors are its outputs: autograd takes the loss's gradient from there to the parameters.
    """

    def __init__(self, network: LimbTransformer, *given: Tensor) -> None:
        # given: source, context and readout of the batch, mean and standard deviation of its observations
        self._network, self._given = network, given
        self.tensors: tuple[Tensor, ...] = ()

    def __call__(self, observation: Tensor) -> Tensor:
        """(B, n, D) to (B, n, A) mean actions or (B, n, 1) values."""
        source, context, readout, mean, std = self._given
        bodies, samples, _ = observation.shape
        normal = nn.functional.pad((observation - mean[:, None]) / std[:, None], (0, 1))  # -1 is the 0 at the end
        shown = normal[torch.arange(bodies)[:, None, None], :, source].movedim(3, 1)
        limbs = torch.cat([shown, context[:, None].expand(-1, samples, -1, -1)], dim=-1)
        return self._network(limbs.flatten(0, 1)).view(bodies, samples, -1) @ readout

    def run(self, observation: Tensor) -> tuple[Tensor, tuple[()]]:
        """Return what a call does, without a graph; ``tensors`` has it with one."""
        with torch.enable_grad():
            self.tensors = (self(observation),)
        return self.tensors[0].detach(), ()

    def gradients(self, observation: Tensor, hidden: tuple[()], outputs: Tensor) -> tuple[Tensor, ...]:
        """Return the gradient at ``tensors``: the outputs are all of them."""
        return (outputs,)

    def select(self, robots: slice) -> _Driver:
        """Return some of the bodies."""
        return _Driver(self._network, *(tensor[robots] for tensor in self._given))


class MetaMorphActor(nn.Module):
    """One actor for all bodies; answers as ``ActorHypernetwork`` does."""

    def __init__(self, sizes: Sizes, inputs: int, initial_log_std: float) -> None:
        """Draw weights."""
        super().__init__()
        self.sizes = sizes
        self.network = LimbTransformer(sizes, inputs, sizes.actuators)
        self.log_std = nn.Parameter(torch.full((sizes.limbs * sizes.actuators,), initial_log_std))
        self.statistics = ObservationStatistics(SLOT_TABLE)

    def forward(self, batch: LimbBatch) -> StackedActor:
        """Return the actors of B bodies."""
        given = (batch.source, batch.context, batch.readout, *self.statistics.of_entries(batch))
        log_std = self.log_std[: batch.readout.shape[1]] @ batch.readout
        log_std = log_std + exploration_shift(batch.control_step)[:, None]
        mean, mask = cast(StackedMLP, _Driver(self.network, *given)), batch.action_mask[:, None].to(log_std.dtype)
        return StackedActor(mean, log_std.clamp(-4.0, 0.5)[:, None], mask)


class MetaMorphCritic(nn.Module):
    """One critic for all bodies; answers as ``CriticHypernetwork`` does."""

    def __init__(self, sizes: Sizes, inputs: int) -> None:
        """Draw weights."""
        super().__init__()
        self.network = LimbTransformer(sizes, inputs, 1)

    def forward(self, batch: LimbBatch, statistics: ObservationStatistics) -> _Driver:
        """Return the critics of B bodies: a body's value is the mean of its limbs'."""
        average = torch.full((*batch.source.shape[:2], 1), 1.0 / batch.source.shape[1])
        return _Driver(self.network, batch.source, batch.context, average, *statistics.of_entries(batch))


def build(bodies: Sequence[Body], config: TrainConfig) -> Networks:
    """Make untrained networks with room for all of ``bodies``."""
    sizes = Sizes.of(bodies)
    example = limb_batch(bodies[:1], sizes)
    inputs = example.source.shape[2] + example.context.shape[2]
    torch.manual_seed(config.seed)
    actor, critic = MetaMorphActor(sizes, inputs, config.network.initial_log_std), MetaMorphCritic(sizes, inputs)
    return Networks(cast(Any, actor), cast(Any, critic))


class _Collector(RolloutCollector):
    """Collects rollouts step by step: the compiled loop of ours knows perceptrons alone."""

    @torch.no_grad()
    def collect_body(self, actor: StackedActor, body: int) -> Rollout:
        """Run one body's simulations for the horizon, and fill in its part of the rollout."""
        simulation, mean = self.group.simulations[body], actor.mean.select(slice(body, body + 1))
        size, nu, observation = simulation.observer.size, simulation.body.model.nu, self._observation[:, body]
        noise, action = self._noise[:, body, :, :nu], self._action[:, body]
        noise[:] = torch.from_numpy(self.group.rngs[body].standard_normal(noise.shape, np.float32))
        observation[0, :, :size] = torch.from_numpy(simulation.observation)
        drift, truncated, episodes = actor.log_std[body, :, :nu].exp() * noise, [], []
        for t in range(len(action)):
            action[t, :, :nu] = mean(observation[t][None])[0, :, :nu] + drift[t]
            step = simulation.step(action[t, :, :nu].numpy(), observation[t + 1].numpy())
            self._reward[t, body] = torch.from_numpy(step.reward.total)
            self._ended[t, body] = torch.from_numpy(step.terminated | step.truncated)
            ends = zip(step.done_ids.tolist(), step.final_observation, strict=True)
            truncated += [(t, body, sim, final) for sim, final in ends if step.truncated[sim]]
            episodes += zip(step.episode_returns.tolist(), step.episode_lengths.tolist(), strict=True)
        buffers = (self._observation, self._action, self._noise, self._reward, self._ended)
        return Rollout(*buffers, truncated, [(body, *episode) for episode in episodes])


class _Trainer(Trainer):
    """Trains the transformer on groups of bodies with equally many limbs; the schedule's clock starts when built."""

    def __init__(self, networks: Networks, minutes: float, *given: Any) -> None:
        super().__init__(*given, networks)
        self.groups = list(_by_limbs(self.groups, cast(MetaMorphActor, networks.actor).sizes))
        self.simulations = [simulation for group in self.groups for simulation in group.simulations]
        self.families = [family for group in self.groups for family in group.families]
        self.ppo = TimedPPO(self, minutes)
        self._collectors = [_Collector(group, self.config.horizon) for group in self.groups]


def _by_limbs(groups: Sequence[BodyGroup], sizes: Sizes) -> Iterator[BodyGroup]:
    """Put bodies of equally many limbs together."""
    parts = [part for group in groups for part in zip(group.families, group.simulations, group.rngs, strict=True)]
    for count in sorted({simulation.body.graph.num_bodies for _, simulation, _ in parts}, reverse=True):
        alike = [part for part in parts if part[1].body.graph.num_bodies == count]
        (group,) = make_groups([part[:2] for part in alike], [part[2] for part in alike], 1)
        robots = limb_batch([simulation.body for simulation in group.simulations], sizes)
        yield dataclasses.replace(group, robots=robots)


class _Controller:
    """Mean actions of one body."""

    def __init__(self, networks: Networks, body: Body) -> None:
        self._actor = networks.actor(limb_batch([body], cast(MetaMorphActor, networks.actor).sizes))

    @torch.no_grad()
    def actions(self, observation: np.ndarray) -> np.ndarray:
        """(n, nu) mean actions."""
        return self._actor.mean(torch.from_numpy(observation)[None])[0].numpy()


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
    opened = open_suite(suite, bodies, tasks)
    config = TrainConfig(steps=steps, seed=seed, learning_rate=LEARNING_RATE, num_sims=NUM_SIMS)
    training = [(family, opened.load(name)) for family, names in opened.families("train").items() for name in names]
    held_out = list(opened.bodies("held_out"))
    make_folder(run)
    networks = build([*(body for _, body in training), *held_out], config)
    trainer = _Trainer(networks, minutes, training, config, run, {"suite": opened.name, "network": "metamorph"})
    trainer.run(minutes=minutes, report=lambda p: say(f"{p.steps:,} steps, {p.seconds:.0f} s: {p.returns}"))
    splits = {"train": [body for _, body in training], "held_out": held_out}
    report_returns(out, splits, lambda body: _Controller(networks, body))


if __name__ == "__main__":
    tyro.cli(main)
