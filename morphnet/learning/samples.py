"""Samples: what PPO learns from."""

from __future__ import annotations

import dataclasses

from torch import Tensor


@dataclasses.dataclass
class Samples:
    """A group's samples of one update, body first: (B, S, ...) with S = horizon x simulations."""

    observation: Tensor
    action: Tensor
    log_prob: Tensor
    advantage: Tensor
    value_target: Tensor

    def select(self, index: Tensor) -> Samples:
        """Return some of every body's samples."""
        return Samples(*(getattr(self, field.name)[:, index] for field in dataclasses.fields(self)))
