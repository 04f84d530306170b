"""Moments of a stream of numbers: count, mean and variance of two parts merged into those of the whole."""

from __future__ import annotations

import dataclasses

from torch import Tensor


@dataclasses.dataclass(frozen=True, eq=False)
class Moments:
    """How many numbers were seen, their mean and their variance (not the unbiased one); shapes that broadcast.

    Where the count is 0, mean and variance are what is assumed of numbers not seen yet.
    """

    count: Tensor
    mean: Tensor
    variance: Tensor

    def merged(self, other: Moments) -> Moments:
        """Return the moments of both parts together, by the parallel rule of Chan et al. 1983."""
        total = self.count + other.count
        seen = total.clamp_min(1.0)
        shift = other.mean - self.mean
        mean = self.mean + shift * other.count / seen
        spread = self.variance * self.count + other.variance * other.count
        variance = (spread + shift.square() * self.count * other.count / seen) / seen
        return Moments(total, mean, variance)
