"""Regression: actors fitted to demonstrated actions, stopped where the held-out part stops improving."""

from __future__ import annotations

import dataclasses
import time

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from morphnet.adaptation.lesson import Lesson
from morphnet.policy import ActorWeights
from morphnet.specialists.direct import DirectActor

BATCH = 256
EXAMINE_EVERY = 50
"""Gradient steps between two looks at the held-out part."""


@dataclasses.dataclass(frozen=True)
class Regression:
    """How an actor is fitted.

    Attributes:
        steps: gradient steps at most.
        patience: examinations without improvement after which it stops.
        learning_rate: Adam's highest; it falls linearly to a twentieth, by steps or by the clock, whichever ends first.
        noise: standard deviation of Gaussian noise on the observations, in their own standard deviations.
        blind: whether the last control is hidden. Consecutive actions are so alike that copying the last one fits
            any demonstration and drives nothing (causal confusion, de Haan et al. 2019).
        response: weight of keeping the start's response to that noise: what it does about a disturbance, which
            demonstrations without disturbances do not show.
    """

    steps: int = 2000
    patience: int = 8
    learning_rate: float = 1e-3
    noise: float = 0.0
    blind: bool = False
    response: float = 0.0

    def fit(
        self, lesson: Lesson, start: ActorWeights, seed: int, fresh: bool, deadline: float | None = None
    ) -> ActorWeights:
        """Fit an actor to a lesson.

        Args:
            lesson: what is to be learnt.
            start: where to begin; only its sizes and its exploration matter to a fresh actor.
            seed: seeds fresh weights, minibatches and noise.
            fresh: whether weights are drawn anew.
            deadline: ``time.monotonic()`` at which it stops in any case; None follows steps alone.

        Returns:
            The actor as it was when the held-out part was imitated best.
        """
        actor = self._begin(lesson, start, seed, fresh)
        teacher = _tensors(self._begin(lesson, start, seed, fresh)) if self.response else None
        parameters = _tensors(actor)  # the actor's own memory
        optimizer = torch.optim.Adam([p.requires_grad_() for p in parameters], lr=self.learning_rate)
        generator = torch.Generator().manual_seed(seed)
        visible = torch.from_numpy(~(lesson.last_control & self.blind)).float()
        observation = torch.from_numpy(actor.statistics.normalised(torch.from_numpy(lesson.observation))) * visible
        action = torch.from_numpy(lesson.action)
        train, held_out = torch.from_numpy(lesson.train), torch.from_numpy(lesson.held_out)
        kept, best, best_at = actor.emitted(), _examine(parameters, observation, action, held_out), 0
        started = time.monotonic()
        allowed = None if deadline is None else max(deadline - started, 1e-9)
        for step in range(1, self.steps + 1):
            by_clock = 0.0 if allowed is None else (time.monotonic() - started) / allowed
            done = max(step / self.steps, by_clock)
            optimizer.param_groups[0]["lr"] = self.learning_rate * max(0.05, 1.0 - done)
            rows = train[torch.randint(len(train), (BATCH,), generator=generator)]
            noise = self.noise * visible * torch.randn((BATCH, len(visible)), generator=generator)
            loss = self._loss(parameters, teacher, observation[rows], noise, action[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if step % EXAMINE_EVERY == 0:
                found = _examine(parameters, observation, action, held_out)
                if found < best:
                    kept, best, best_at = actor.emitted(), found, step
                if by_clock > 1.0 or step - best_at >= self.patience * EXAMINE_EVERY:
                    break
        return dataclasses.replace(kept, log_std=start.log_std)

    def _begin(self, lesson: Lesson, start: ActorWeights, seed: int, fresh: bool) -> DirectActor:
        """Put an actor behind the demonstrations' own normalisation."""
        hidden, size = start.weights[0].shape
        generator = torch.Generator().manual_seed(seed)  # of its own: fits run in threads
        actor = DirectActor(size, lesson.body.model.nu, hidden, 0.0, generator)
        actor.statistics.update(torch.from_numpy(lesson.observation))
        if not fresh:
            actor.take(start)
        if self.blind:  # a weight without input has no gradient, and stays 0
            actor.perceptron.layers.first[lesson.last_control] = 0.0
        return actor

    def _loss(
        self, actor: list[Tensor], teacher: list[Tensor] | None, seen: Tensor, noise: Tensor, done: Tensor
    ) -> Tensor:
        if teacher is None:
            return mse_loss(_mean(actor, seen + noise), done)
        response = _mean(teacher, seen + noise) - _mean(teacher, seen)
        plain = _mean(actor, seen)
        return mse_loss(plain, done) + self.response * mse_loss(_mean(actor, seen + noise) - plain, response)


@torch.no_grad()
def _examine(actor: list[Tensor], observation: Tensor, action: Tensor, held_out: Tensor) -> float:
    return float(mse_loss(_mean(actor, observation[held_out]).clamp(-1.0, 1.0), action[held_out]))


def _tensors(actor: DirectActor) -> list[Tensor]:
    """Views of the weights and biases of an actor's mean."""
    return [torch.from_numpy(layer) for layer in actor.perceptron.layers[:6]]


def _mean(actor: list[Tensor], normalised: Tensor) -> Tensor:
    """Mean action for observations that are normalised already."""
    first, second, third, one, two, three = actor
    hidden = torch.tanh(torch.addmm(one, normalised, first))
    hidden = torch.tanh(torch.addmm(two, hidden, second))
    return torch.addmm(three, hidden, third.T)
