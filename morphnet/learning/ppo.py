"""PPO through hypernetworks: the loss of generated actors and critics, differentiated to what generated them."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from morphnet.learning.advantage import RewardScale, generalized_advantage
from morphnet.config import TrainConfig
from morphnet.learning.rollout import Rollout
from morphnet.networks import ActorHypernetwork, CriticHypernetwork, StackedActor, TokenBatch

_REWARD_LIMIT = 10.0
"""Scaled rewards are clipped to +- this; a crash at speed would otherwise dominate a batch."""


@dataclasses.dataclass
class Batch:
    """The samples of one update, body first: (B, S, ...) with S = horizon x simulations."""

    observation: Tensor
    action: Tensor
    log_prob: Tensor
    advantage: Tensor
    value_target: Tensor


@dataclasses.dataclass
class UpdateReport:
    """Means over the minibatches of one update."""

    policy_loss: float
    value_loss: float
    entropy: float
    kl: float
    clipped: float
    passes: float
    explained_variance: float


class PPO:
    """Proximal policy optimisation (Schulman et al. 2017) over all bodies at once.

    Every minibatch holds the same number of steps of every body, and losses are means over bodies, so no
    body outweighs another. Advantages are normalised and rewards scaled body by body.
    """

    def __init__(
        self,
        actor: ActorHypernetwork,
        critic: CriticHypernetwork,
        robots: TokenBatch,
        discount: Tensor,
        config: TrainConfig,
    ) -> None:
        """Set up the optimiser.

        Args:
            actor: hypernetwork of the actors. critic: hypernetwork of the critics.
            robots: the bodies that are trained on.
            discount: (B,) discount of each body.
            config: hyperparameters.
        """
        self.actor, self.critic, self.robots, self.config = actor, critic, robots, config
        self.discount = discount[:, None].float()
        self.reward_scale = RewardScale(discount[:, None].double(), config.num_sims)
        self.optimizer = torch.optim.Adam(
            [*actor.parameters(), *critic.parameters()], lr=config.learning_rate, eps=1e-5, fused=True
        )
        self.generator = torch.Generator().manual_seed(config.seed)

    @torch.no_grad()
    def prepare(self, rollout: Rollout, actor: StackedActor) -> tuple[Batch, float]:
        """Turn a rollout into samples; also return the critics' explained variance of the value targets."""
        critic = self.critic(self.robots, self.actor.statistics)
        horizon, bodies, sims = rollout.reward.shape
        observation = rollout.observation.transpose(0, 1).flatten(1, 2)
        value = critic(observation).view(bodies, horizon + 1, sims).transpose(0, 1)
        reward = rollout.reward / self.reward_scale.update(rollout.reward, rollout.ended)
        reward.clamp_(-_REWARD_LIMIT, _REWARD_LIMIT)
        self._bootstrap(reward, rollout, critic)
        advantage = generalized_advantage(reward, value, rollout.ended, self.discount, self.config.gae_lambda)
        target = advantage + value[:-1]
        advantage = (advantage - advantage.mean(dim=(0, 2), keepdim=True)) / (
            advantage.std(dim=(0, 2), keepdim=True) + 1e-8
        )
        noise = rollout.noise.transpose(0, 1).flatten(1, 2)
        density = (-0.5 * noise.square() - actor.log_std - 0.9189385332046727) * actor.action_mask
        batch = Batch(
            observation=observation[:, : horizon * sims],
            action=rollout.action.transpose(0, 1).flatten(1, 2),
            log_prob=density.sum(dim=-1),
            advantage=advantage.transpose(0, 1).flatten(1),
            value_target=target.transpose(0, 1).flatten(1),
        )
        unexplained = (target - value[:-1]).var(dim=(0, 2)) / (target.var(dim=(0, 2)) + 1e-8)
        return batch, float(1.0 - unexplained.mean())

    def _bootstrap(self, reward: Tensor, rollout: Rollout, critic) -> None:  # type: ignore[no-untyped-def]
        """Add the discounted value of the state that each truncated episode ended in (Pardo et al. 2018)."""
        by_body: dict[int, list[tuple[int, int, Tensor]]] = {}
        for t, body, sim, final in rollout.truncated:
            by_body.setdefault(body, []).append((t, sim, torch.from_numpy(final)))
        for body, items in by_body.items():
            padded = torch.zeros(1, len(items), rollout.observation.shape[-1])
            for row, (_, _, final) in enumerate(items):
                padded[0, row, : len(final)] = final
            values = critic.select(slice(body, body + 1))(padded)[0, :, 0]
            for (t, sim, _), value in zip(items, values, strict=True):
                reward[t, body, sim] += self.discount[body, 0] * value

    def update(self, batch: Batch, progress: float) -> UpdateReport:
        """Take the gradient steps of one update.

        Args:
            batch: samples of the generated actors as they are now.
            progress: share of the run's steps that are done, for the learning rate.
        """
        self._set_learning_rate(progress)
        samples = batch.advantage.shape[1]
        reports: list[Tensor] = []
        stop = False
        for _ in range(self.config.epochs):
            order = torch.randperm(samples, generator=self.generator)
            for index in order.chunk(self.config.minibatches):
                report = self._minibatch(batch, index)
                reports.append(report)
                stop = float(report[3]) > self.config.kl_limit
                if stop:
                    break
            if stop:
                break
        means = torch.stack(reports).mean(dim=0).tolist()
        return UpdateReport(*means, passes=len(reports) / self.config.minibatches, explained_variance=0.0)

    def _set_learning_rate(self, progress: float) -> None:
        cosine = 0.5 * (1.0 + torch.cos(torch.tensor(torch.pi * min(progress, 1.0))).item())
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * (0.05 + 0.95 * cosine)

    def _minibatch(self, batch: Batch, index: Tensor) -> Tensor:
        """One gradient step on the samples ``index`` of every body; return the parts of the report."""
        config = self.config
        observation = batch.observation[:, index]
        actors = self.actor(self.robots)
        log_prob = actors.log_prob(actors.mean(observation), batch.action[:, index])
        log_ratio = log_prob - batch.log_prob[:, index]
        ratio = log_ratio.exp()
        advantage = batch.advantage[:, index]
        clipped = ratio.clamp(1.0 - config.clip, 1.0 + config.clip)
        policy_loss = -torch.minimum(ratio * advantage, clipped * advantage).mean()
        value = self.critic(self.robots, self.actor.statistics)(observation).squeeze(-1)
        value_loss = 0.5 * (value - batch.value_target[:, index]).square().mean()
        entropy = actors.entropy().mean()
        loss = policy_loss + config.value * value_loss - config.entropy * entropy
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for network in (self.actor, self.critic):
            nn.utils.clip_grad_norm_(network.parameters(), config.gradient_norm)
        self.optimizer.step()
        with torch.no_grad():
            kl = (ratio - 1.0 - log_ratio).mean()
            share = ((ratio - 1.0).abs() > config.clip).float().mean()
            return torch.stack([policy_loss, value_loss, entropy, kl, share]).detach()
