"""Ascent: the gradient steps by which one body's actor and critic learn from what was collected."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from morphnet.config import TrainConfig
from morphnet.errors import SimulationError
from morphnet.learning.group import Workers
from morphnet.learning.ppo import scheduled_rate
from morphnet.learning.samples import Samples
from morphnet.simulation.compiled import compiled
from morphnet.specialists.ascent_kernel import (
    NOT_FINITE,
    POLICY_SIGNATURE,
    VALUE_SIGNATURE,
    Learner,
    PolicyBatch,
    Room,
    Settings,
    ValueBatch,
    ascend_policy,
    descend_error,
)
from morphnet.specialists.direct import DirectActor, DirectCritic


@dataclasses.dataclass(frozen=True, eq=False)
class Anchor:
    """Actions that an actor keeps near while it is rewarded for something else.

    Attributes:
        observation: (M, D). action: (M, nu) actions wanted there.
        rows: how many of them every gradient step imitates.
        weight: of half their squared error, in the actor's standard deviations, beside PPO's loss.
    """

    observation: np.ndarray
    action: np.ndarray
    rows: int
    weight: float


class Ascent:
    """PPO's updates of one body; actor and critic learn apart from each other, a thread each.

    Attributes:
        config: PPO's settings.
        learning_rate: of the latest update.
    """

    def __init__(
        self,
        actor: DirectActor,
        critic: DirectCritic,
        samples: int,
        config: TrainConfig,
        anchor: Anchor | None = None,
    ) -> None:
        """Begin Adam anew.

        Args:
            actor: learns, in place.
            critic: the same.
            samples: samples an update.
            config: PPO's settings.
            anchor: what the actor imitates besides.
        """
        self.config, self.learning_rate = config, 0.0
        self._statistics, (inputs, _, outputs) = actor.statistics, actor.perceptron.sizes
        self._anchor = anchor or Anchor(np.zeros((0, inputs)), np.zeros((0, outputs), np.float32), 0, 0.0)
        batch = max(1, samples // config.minibatches)
        self._shape = (config.epochs, min(config.minibatches, samples), batch)
        self._actor = Learner.of(actor.perceptron)
        self._critic = Learner.of(critic.perceptron)
        self._actor_room = Room.of(batch + self._anchor.rows, actor.perceptron.sizes)
        self._critic_room = Room.of(batch, critic.perceptron.sizes)
        self._rng = np.random.default_rng(config.seed)
        self._ascend, self._descend = (
            compiled(ascend_policy, *POLICY_SIGNATURE),
            compiled(descend_error, *VALUE_SIGNATURE),
        )

    def update(self, samples: Samples, progress: float, workers: Workers, *, critic_only: bool = False) -> None:
        """Take the gradient steps of one update.

        Args:
            samples: of one body, collected by the actor as it is now.
            progress: share of the run's steps that are done, for the learning rate.
            workers: threads.
            critic_only: hold the actor still.

        Raises:
            SimulationError: gradients are not finite any more.
        """
        observation = self._statistics.normalised(samples.observation)
        self.learning_rate = scheduled_rate(self.config.learning_rate, progress)
        order, settings = self._draw_order(len(observation)), self._settings()
        values = ValueBatch(observation, samples.value_target[0].contiguous().numpy(), order)
        jobs: list[tuple[Callable[..., int], tuple[Any, ...]]] = [
            (self._descend, (self._critic, self._critic_room, values, settings))
        ]
        if not critic_only:
            batch = self._policy_batch(samples, observation, order)
            jobs.append((self._ascend, (self._actor, self._actor_room, batch, settings)))
        if NOT_FINITE in workers.map(lambda job: job[0](*job[1]), jobs[::-1]):
            raise SimulationError("training: the gradient is not finite; rewards were not, or steps were too long")

    def _draw_order(self, samples: int) -> np.ndarray:
        """Every pass draws anew which few samples are left over where minibatches do not divide them."""
        epochs, steps, batch = self._shape
        passes = [self._rng.permutation(samples)[: steps * batch] for _ in range(epochs)]
        return np.concatenate(passes).reshape(epochs * steps, batch)

    def _settings(self) -> Settings:
        config = self.config
        limits = (config.clip, config.entropy, config.kl_limit, config.gradient_norm, config.value)
        return Settings(*map(float, (self.learning_rate, *limits, self._anchor.weight)))

    def _policy_batch(self, samples: Samples, observation: np.ndarray, order: np.ndarray) -> PolicyBatch:
        anchor = self._anchor
        shown = self._statistics.normalised(torch.from_numpy(anchor.observation))
        shown_order = np.zeros((len(order), 0), np.int64)
        if anchor.rows:
            shown_order = self._rng.integers(0, len(shown), (len(order), anchor.rows))
        learnt = [part[0].contiguous().numpy() for part in (samples.action, samples.log_prob, samples.advantage)]
        return PolicyBatch._make([observation, *learnt, order, shown, anchor.action, shown_order])
