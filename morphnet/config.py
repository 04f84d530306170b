"""Configurations; saved with every run and checkpoint."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from morphnet.errors import CheckpointError, MorphNetError, choices


@dataclasses.dataclass(frozen=True)
class NetworkConfig:
    """Sizes and initial scales of the networks.

    Attributes:
        hidden: units that all actuators share, in each of the two hidden layers of a generated perceptron.
        own: units of its own that each actuator has there.
        critic_hidden: the same as ``hidden``, of the critic.
        width: size of a token embedding.
        depth: attention layers of the encoder.
        heads: attention heads a layer.
        token_variation: how much generated first-layer blocks and output rows differ between tokens at the
            start, relative to what they share (Bias-HyperInit, Beck et al. 2023, shares everything: 0).
        initial_log_std: logarithm of the initial exploration noise, on actions in [-1, 1] that are held for 20 ms;
            it is larger for shorter control steps and smaller for longer ones.
    """

    hidden: int = 128
    own: int = 8
    critic_hidden: int = 64
    width: int = 64
    depth: int = 3
    heads: int = 4
    token_variation: float = 1.0
    initial_log_std: float = -1.0

    def __post_init__(self) -> None:
        _check_at_least(self, 1, "hidden", "own", "critic_hidden", "width", "depth", "heads")
        if self.width % self.heads:
            raise MorphNetError(f"heads = {self.heads}: must divide width = {self.width}")


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """How a hypernetwork is meta-trained. Every schedule follows environment steps, never the clock.

    Attributes:
        steps: environment steps of PPO through the hypernetwork, over all bodies together; 0 leaves it out.
        expert_steps: environment steps of the expert of a body without kin, at most; 0 leaves experts and their
            distillation out.
        family_steps: environment steps of the expert that a body shares with its kin, over all of them together.
        mutants: bodies made up between and around those of one kin, that learn with them and are taught with them.
        distill_steps: environment steps of distilling the experts, over all bodies together.
        seed: seeds the weights, the resets, the exploration and the minibatches.
        num_sims: simulations a body.
        horizon: control steps of every simulation between two updates.
        epochs: passes over the collected steps an update.
        minibatches: minibatches a pass; each holds steps of every body.
        learning_rate: Adam's highest; it rises to it over the first hundredth of the steps, then falls to a twentieth
            along a cosine.
        clip: PPO's clip range of the probability ratio.
        kl_limit: mean approximate KL divergence beyond which an update's passes end early; of one body alone, those of
            the actor.
        gae_lambda: lambda of generalised advantage estimation.
        entropy: weight of the entropy bonus.
        value: weight of the value loss.
        gradient_norm: largest norm of the actor's and of the critic's gradient.
        save_every: updates between two saved states.
        threads: threads of rollouts and of updates.
        network: sizes of the networks.
    """

    steps: int = 10_000_000
    expert_steps: int = 2_000_000
    family_steps: int = 8_000_000
    mutants: int = 120
    distill_steps: int = 15_000_000
    seed: int = 0
    num_sims: int = 16
    horizon: int = 64
    epochs: int = 4
    minibatches: int = 4
    learning_rate: float = 6e-4
    clip: float = 0.2
    kl_limit: float = 0.03
    gae_lambda: float = 0.95
    entropy: float = 0.001
    value: float = 0.5
    gradient_norm: float = 0.5
    save_every: int = 10
    threads: int = 2
    network: NetworkConfig = dataclasses.field(default_factory=NetworkConfig)

    def __post_init__(self) -> None:
        _check_at_least(self, 1, "family_steps", "distill_steps", "num_sims", "horizon", "epochs")
        _check_at_least(self, 1, "minibatches", "save_every", "threads")
        _check_at_least(self, 0, "steps", "expert_steps", "mutants", "seed", "entropy", "value")
        for name in ("learning_rate", "clip", "kl_limit", "gradient_norm"):
            if not 0 < getattr(self, name) < math.inf:
                raise MorphNetError(f"{name} = {getattr(self, name)}: must be above 0 and finite")
        if self.num_sims * self.horizon < 2:
            raise MorphNetError("num_sims x horizon: at least 2 steps are needed to normalise advantages")
        if not 0 <= self.gae_lambda <= 1:
            raise MorphNetError(f"gae_lambda = {self.gae_lambda}: must lie in [0, 1]")

    def to_dict(self) -> dict[str, Any]:
        """Return the values as JSON can hold them."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class DistillConfig:
    """How experts are distilled into a hypernetwork. Every schedule follows environment steps, never the clock.

    Attributes:
        steps: environment steps over all bodies together, those that experts take included.
        seed: seeds the weights, the resets, the exploration and the minibatches.
        num_sims: simulations a body driven by what the hypernetwork emits; as many are driven by the expert.
        horizon: control steps of every simulation a round.
        memory: latest steps a body that are learnt from.
        gradient_steps: gradient steps a round.
        bodies_at_once: most bodies in a gradient step, and in a round; more take turns.
        batch: steps of every body in a gradient step.
        learning_rate: Adam's highest; it rises to it over the first hundredth of the steps, then falls along a cosine.
        value_every: gradient steps between two that teach the critic as well.
        gradient_norm: largest norm of the actor's and of the critic's gradient.
        save_every: rounds between two saved checkpoints.
        threads: threads of rollouts and of gradient steps.
        network: sizes of new networks; those of a checkpoint that is gone on from stay.
    """

    steps: int = 12_000_000
    seed: int = 0
    num_sims: int = 8
    horizon: int = 64
    memory: int = 65_536
    gradient_steps: int = 64
    bodies_at_once: int = 40
    batch: int = 256
    learning_rate: float = 8e-4
    value_every: int = 8
    gradient_norm: float = 0.5
    save_every: int = 25
    threads: int = 2
    network: NetworkConfig = dataclasses.field(default_factory=NetworkConfig)

    def __post_init__(self) -> None:
        _check_at_least(self, 1, "steps", "num_sims", "horizon", "gradient_steps", "batch", "value_every")
        _check_at_least(self, 1, "bodies_at_once", "save_every", "threads")
        _check_at_least(self, 0, "seed")
        for name in ("learning_rate", "gradient_norm"):
            if not 0 < getattr(self, name) < math.inf:
                raise MorphNetError(f"{name} = {getattr(self, name)}: must be above 0 and finite")
        if self.memory < 2 * self.num_sims * self.horizon:
            raise MorphNetError(f"memory = {self.memory}: must hold a round, {2 * self.num_sims * self.horizon} steps")

    def to_dict(self) -> dict[str, Any]:
        """Return the values as JSON can hold them."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class AdaptConfig:
    """What an adaptation to demonstrations may use and spend.

    Attributes:
        offline: use the demonstrations alone; nothing is simulated.
        seconds: wall-clock that it may take; schedules follow it.
        steps: environment steps of imitation, in place of the seconds; an adaptation then repeats bit for bit.
        seed: seeds everything that is drawn.
        threads: threads of fits and of simulations.
    """

    offline: bool = False
    seconds: float = 30.0
    steps: int | None = None
    seed: int = 0
    threads: int = 2

    def __post_init__(self) -> None:
        if not 0 < self.seconds < math.inf:
            raise MorphNetError(f"seconds = {self.seconds}: must be above 0 and finite")
        _check_at_least(self, 1, "threads", *(["steps"] if self.steps is not None else []))
        _check_at_least(self, 0, "seed")


def config_from_dict(values: dict[str, Any], where: str) -> TrainConfig:
    """Build a configuration from JSON values.

    Raises:
        CheckpointError: an unknown key.
    """
    _check_values(values, TrainConfig, where)
    network = values.get("network", {})
    _check_values(network, NetworkConfig, f"{where}: network")
    try:
        return TrainConfig(**{**values, "network": NetworkConfig(**network)})
    except MorphNetError as error:
        raise CheckpointError(f"{where}: {error}") from None


def _check_values(values: Any, kind: type, where: str) -> None:
    if not isinstance(values, dict):
        raise CheckpointError(f"{where}: expected an object of settings, found {values!r}")
    types = {field.name: str(field.type) for field in dataclasses.fields(kind)}
    for key, value in values.items():
        if key not in types:
            raise CheckpointError(f"{where}: unknown key {key!r}; {choices(key, tuple(types))}")
        numbers = (int,) if types[key] == "int" else (int, float)
        is_number = isinstance(value, numbers) and not isinstance(value, bool)
        if types[key] in ("int", "float") and not is_number:
            raise CheckpointError(f"{where}: {key} = {value!r}: expected {types[key]}")


def _check_at_least(config: Any, lowest: int, *names: str) -> None:
    for name in names:
        if not lowest <= getattr(config, name) < math.inf:
            raise MorphNetError(f"{name} = {getattr(config, name)}: must be at least {lowest}")
