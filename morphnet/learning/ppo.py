"""PPO through hypernetworks: the loss of generated actors and critics, differentiated to what generated them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from morphnet.config import TrainConfig
from morphnet.learning.checkpoint import Networks
from morphnet.learning.group import BodyGroup, Workers
from morphnet.learning.ppo_loss import policy_loss, value_loss
from morphnet.learning.rollout import Rollout
from morphnet.learning.samples import Samples, prepare
from morphnet.networks import StackedActor, differentiate

WARM_UP = 0.01
"""Share of the steps over which the learning rate rises: Adam's first steps are as long in noise as in gradient."""


@dataclasses.dataclass
class UpdateReport:
    """Means over the minibatches of one update.

    Attributes:
        policy_loss, value_loss, entropy, kl: as PPO has them; kl is the approximate divergence from the actors
            that collected.
        clipped: share of the samples whose ratio was out of the clip range.
        passes: passes over the samples before the KL limit ended the update.
    """

    policy_loss: float
    value_loss: float
    entropy: float
    kl: float
    clipped: float
    passes: float


class PPO:
    """Proximal policy optimisation (Schulman et al. 2017) over all bodies at once.

    Every minibatch holds the same number of steps of every body, and losses are means over bodies, so no
    body outweighs another. Advantages are normalised and rewards scaled body by body. Each group of bodies
    is differentiated by a thread of its own; the gradients are added up in the groups' order.
    """

    def __init__(
        self,
        networks: Networks,
        groups: list[BodyGroup],
        workers: Workers,
        config: TrainConfig,
    ) -> None:
        """Set up the optimiser.

        Args:
            networks: hypernetworks of actors and critics.
            groups: the bodies that are trained on.
            workers: threads to share the groups.
            config: hyperparameters.
        """
        self.networks, self.groups, self.workers, self.config = networks, groups, workers, config
        self._actor_parameters = list(networks.actor.parameters())
        self._critic_parameters = list(networks.critic.parameters())
        self._parameters = self._actor_parameters + self._critic_parameters
        self._bodies = sum(group.size for group in groups)
        self.optimizer = torch.optim.Adam(self._parameters, lr=config.learning_rate, eps=1e-5, fused=True)
        self.generator = torch.Generator().manual_seed(config.seed)

    def prepare(self, group: BodyGroup, rollout: Rollout, actor: StackedActor) -> Samples:
        """Turn a group's rollout under ``actor`` into samples."""
        with torch.no_grad():
            critic = self.networks.critic(group.robots, self.networks.actor.statistics)
        return prepare(rollout, actor, critic, group.reward_scale, self.config.gae_lambda)

    def update(self, samples: list[Samples], progress: float) -> UpdateReport:
        """Take the gradient steps of one update.

        Args:
            samples: each group's samples, collected by the actors as they are now.
            progress: share of the run's steps that are done, for the learning rate.
        """
        for parameters in self.optimizer.param_groups:
            parameters["lr"] = scheduled_rate(self.config.learning_rate, progress)
        reports: list[Tensor] = []
        count = samples[0].advantage.shape[1]
        for _ in range(self.config.epochs):
            order = torch.randperm(count, generator=self.generator)
            for index in order.chunk(self.config.minibatches):
                reports.append(self._minibatch(samples, index))
                if float(reports[-1][3]) > self.config.kl_limit:
                    return self._report(reports)
        return self._report(reports)

    def _report(self, reports: list[Tensor]) -> UpdateReport:
        policy_loss, value_loss, entropy, kl, clipped = torch.stack(reports).mean(dim=0).tolist()
        passes = len(reports) / self.config.minibatches
        return UpdateReport(policy_loss, value_loss, entropy, kl, clipped, passes)

    def _minibatch(self, samples: list[Samples], index: Tensor) -> Tensor:
        """One gradient step on the samples ``index`` of every body; return the parts of the report."""
        jobs = list(zip(self.groups, samples, strict=True))
        results = self.workers.map(lambda job: self._gradients(*job, index), jobs)
        for position, parameter in enumerate(self._parameters):
            parameter.grad = sum_gradients([gradients[position] for gradients, _ in results])
        for parameters in (self._actor_parameters, self._critic_parameters):
            nn.utils.clip_grad_norm_(parameters, self.config.gradient_norm, error_if_nonfinite=True)
        self.optimizer.step()
        return torch.stack([report for _, report in results]).sum(dim=0)

    def _gradients(self, group: BodyGroup, samples: Samples, index: Tensor) -> tuple[tuple[Tensor | None, ...], Tensor]:
        """A group's part of the loss's gradient and of the report."""
        config, share, batch = self.config, group.size / self._bodies, samples.select(index)
        actors = self.networks.actor(group.robots)
        critics = self.networks.critic(group.robots, self.networks.actor.statistics)
        pairs, (loss, *parts) = policy_loss(actors, batch, config, share)
        at_critics, error = value_loss(critics, batch.observation, batch.value_target, share * config.value)
        pairs += at_critics
        return differentiate(pairs, self._parameters), share * torch.stack([loss, error, *parts])


def scheduled_rate(highest: float, progress: float) -> float:
    """Learning rate when a share ``progress`` of a run is done: up within ``WARM_UP``, then down along a cosine."""
    cosine = 0.05 + 0.95 * 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0)))
    return highest * min((progress + 1e-3) / WARM_UP, 1.0) * cosine


def sum_gradients(parts: Sequence[Tensor | None]) -> Tensor | None:
    """Add up gradients in order, so that a run repeats bit for bit; contiguous.

    The fused Adam of torch 2.13 takes the numbers of a transposed gradient in the order of memory, without a word. What
    no part reaches has no gradient: zeros would count as steps of Adam, and lengthen the first that moves.
    """
    present = [part for part in parts if part is not None]
    if not present:
        return None
    total = present[0]
    for part in present[1:]:
        total = total + part
    return total.contiguous()
