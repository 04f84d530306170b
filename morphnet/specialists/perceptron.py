"""A perceptron of two hidden tanh layers whose numbers lie in one array, so that an optimiser's step is one loop."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import nn


class Layers(NamedTuple):
    """Views of one array: a perceptron of D inputs, H hidden units twice and A outputs.

    Attributes:
        first: (D, H). second: (H, H). third: (A, H), transposed for the sake of memory's order.
        one, two: (H,) biases. three: (A,).
        log_std: (A,) of an actor's exploration; empty in a critic.
    """

    first: np.ndarray
    second: np.ndarray
    third: np.ndarray
    one: np.ndarray
    two: np.ndarray
    three: np.ndarray
    log_std: np.ndarray


class FlatPerceptron:
    """Layers, and the array they are views of.

    Attributes:
        sizes: D, H and A.
        values: (P,) float32, all numbers.
        layers: the same as layers.
    """

    def __init__(
        self, sizes: tuple[int, int, int], last_gain: float, explores: bool, generator: torch.Generator | None = None
    ) -> None:
        """Draw orthogonal weights (Andrychowicz et al. 2021: a small last layer matters); the rest is 0.

        Args:
            sizes: D, H and A.
            last_gain: gain of the last layer's weights.
            explores: whether there is a log standard deviation.
            generator: draws the weights.
        """
        self.sizes, self._explores = sizes, explores
        inputs, hidden, outputs = sizes
        count = hidden * (inputs + hidden + outputs + 2) + outputs * (2 if explores else 1)
        self.values = np.zeros(count, np.float32)
        self.layers = self.split(self.values)
        weights = (self.layers.first.T, self.layers.second.T, self.layers.third)
        for weight, gain in zip(weights, (math.sqrt(2), math.sqrt(2), last_gain), strict=True):
            drawn = torch.empty(weight.shape)
            nn.init.orthogonal_(drawn, gain, generator)
            weight[:] = drawn.numpy()

    def split(self, values: np.ndarray) -> Layers:
        """Return views of an array (P,) of any kind as layers."""
        inputs, hidden, outputs = self.sizes
        matrices = [(inputs, hidden), (hidden, hidden), (outputs, hidden)]
        vectors = [(hidden,), (hidden,), (outputs,), (outputs if self._explores else 0,)]
        shapes: list[tuple[int, ...]] = [*matrices, *vectors]
        ends = np.cumsum([math.prod(shape) for shape in shapes])
        parts = np.split(values, ends[:-1])
        return Layers(*(part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)))
