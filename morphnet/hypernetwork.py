"""Hypernetwork: a trained checkpoint, as a user holds it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from morphnet.bodies import Body
from morphnet.bodies.body import ASSETS
from morphnet.embodiment import feature_sizes, tokens_of
from morphnet.errors import CheckpointError
from morphnet.learning.checkpoint import CONFIG, load_checkpoint
from morphnet.networks import ActorHypernetwork, CriticHypernetwork, StackedActor, StackedMLP, Tokens, stack_tokens
from morphnet.policy import ActorWeights, Policy
from morphnet.simulation import ObservationLayout, Observer

SHIPPED = ASSETS / "checkpoint"
_TOGETHER = 16
"""Bodies that are generated in one batch: more are no faster, and their tensors leave the caches."""


class Hypernetwork:
    """Emits policies.

    Attributes:
        record: how the checkpoint came to be (the content of its ``config.json``).
    """

    def __init__(
        self, actor: ActorHypernetwork, record: dict[str, Any], where: str, critic: CriticHypernetwork | None = None
    ) -> None:
        """Wrap trained networks; ``where`` names them in errors and in the policies' records."""
        self._critic = critic
        # policies are generated in double precision: the order of a robot's parts then changes nothing
        self._actor = actor.double().eval()
        self.record, self.where = record, where

    @classmethod
    def load(cls, folder: str | Path | None = None) -> Hypernetwork:
        """Read a checkpoint folder; the shipped checkpoint when None.

        Raises:
            CheckpointError: missing, damaged, or of another version.
        """
        folder = SHIPPED if folder is None else Path(folder)
        networks, record = load_checkpoint(folder)
        name = "shipped" if folder == SHIPPED else str(folder)
        return cls(networks.actor, record, name, networks.critic)

    def generate(self, body: Body) -> Policy:
        """Emit the policy of one body, zero-shot."""
        return self.generate_all([body])[0]

    def generate_all(self, bodies: Sequence[Body]) -> list[Policy]:
        """Emit the policies of many bodies, a few at a time: memory beyond the policies' own does not grow with them.

        Raises:
            CheckpointError: the checkpoint reads other physical features than this version computes.
        """
        observers = [Observer(body) for body in bodies]
        tokens = self._tokens(bodies, [observer.layout for observer in observers])
        origin = {"kind": "zero-shot", "checkpoint": self.where, "steps": self.record.get("steps")}
        weights = self._weights(tokens)
        return [Policy(body, weights[index], origin, observers[index]) for index, body in enumerate(bodies)]

    @torch.no_grad()
    def generate_critic(self, body: Body) -> StackedMLP | None:
        """Emit the critic of one body, a stack of one: raw observations to scaled values. None without a critic."""
        if self._critic is None:
            return None
        tokens = self._tokens([body], [Observer(body).layout])
        return self._critic(stack_tokens(tokens), self._actor.statistics)

    def _tokens(self, bodies: Sequence[Body], layouts: Sequence[ObservationLayout]) -> list[Tokens]:
        tokens = [tokens_of(body, layout) for body, layout in zip(bodies, layouts, strict=True)]
        if tokens and feature_sizes(tokens[0]) != self.record["features"]:
            raise CheckpointError(
                f"{self.where}/{CONFIG}: it reads {self.record['features']} physical features, this version "
                f"computes {feature_sizes(tokens[0])}; train it again"
            )
        return tokens

    @torch.no_grad()
    def _weights(self, tokens: Sequence[Tokens]) -> dict[int, ActorWeights]:
        """Generate actors, robots of similar size together, as all are padded to the largest of their batch."""
        order = sorted(range(len(tokens)), key=lambda i: (tokens[i].action_size, tokens[i].observation_size))
        weights = {}
        for first in range(0, len(order), _TOGETHER):
            batch = order[first : first + _TOGETHER]
            actors = self._actor(stack_tokens([tokens[i] for i in batch]).to(torch.float64))
            for row, i in enumerate(batch):
                weights[i] = self._cut_out(actors, row, tokens[i])
        return weights

    def _cut_out(self, actors: StackedActor, row: int, tokens: Tokens) -> ActorWeights:
        network = self.record["train"]["network"]
        hidden = int(network["hidden"] + network["own"] * tokens.action_size)
        return ActorWeights.of_stack(actors, row, tokens.observation_size, hidden, tokens.action_size)
