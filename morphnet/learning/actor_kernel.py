"""The generated actor, compiled: a small dense network on a handful of observations at a time.

Calls into a library of linear algebra cost as much here as the arithmetic, and would give the interpreter's lock away
at every control step.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import types

from morphnet.networks import StackedMLP
from morphnet.simulation.compiled import arithmetic, inlined, owns

_ROWS = 4
"""Observations that go through a layer together, so that each weight is loaded once for all of them."""
_TERMS = 4
"""Inputs that are summed up before a sum is stored again."""


class Perceptron(NamedTuple):
    """One body's perceptron, H hidden units, but for the last layer's bias; float32.

    Attributes:
        weights: (D, H), (H, H), (A, H).
        biases: (H,), (H,).
        hidden: (n, H) twice, to work in.
        sums: (4, H), to work in.
    """

    weights: tuple[np.ndarray, np.ndarray, np.ndarray]
    biases: tuple[np.ndarray, np.ndarray]
    hidden: tuple[np.ndarray, np.ndarray]
    sums: np.ndarray


PERCEPTRON = types.NamedTuple(
    [
        types.UniTuple(owns(2, types.float32), 3),
        types.UniTuple(owns(1, types.float32), 2),
        types.UniTuple(owns(2, types.float32), 2),
        owns(2, types.float32),
    ],
    Perceptron,
)


def cut_out(stack: StackedMLP, body: int, sims: int, inputs: int, outputs: int) -> tuple[Perceptron, np.ndarray]:
    """Cut one body's perceptron, to run on ``sims`` observations, out of its stack.

    Returns:
        The perceptron, and the bias (outputs,) of its last layer.
    """
    first, second, third = (weight[body].numpy() for weight in stack.weights)
    one, two, three = (bias[body, 0].numpy() for bias in stack.biases)
    weights = (first[:inputs], second, third[:, :outputs].T)
    hidden = (np.empty((sims, first.shape[1]), np.float32), np.empty((sims, second.shape[1]), np.float32))
    return Perceptron(
        weights=(_own(weights[0]), _own(weights[1]), _own(weights[2])),
        biases=(_own(one), _own(two)),
        hidden=hidden,
        sums=np.empty((_ROWS, max(first.shape[1], second.shape[1])), np.float32),
    ), three[:outputs]


def _own(array: np.ndarray) -> np.ndarray:
    return np.array(array, np.float32, order="C")


@arithmetic
def act(actor: Perceptron, observation: np.ndarray, drift: np.ndarray, action: np.ndarray) -> None:
    """Choose actions.

    Args:
        actor: the perceptron.
        observation: (n, at least D).
        drift: (n, A) what is added to the perceptron's output: the last bias and the exploration.
        action: (n, A) to write to.
    """
    first, second = actor.hidden
    layer(observation, actor.weights[0], actor.biases[0], actor.sums, first)
    squash(first)
    layer(first, actor.weights[1], actor.biases[1], actor.sums, second)
    squash(second)
    third = actor.weights[2]
    for row in range(action.shape[0]):
        for column in range(action.shape[1]):
            mean = np.float32(0.0)
            for unit in range(third.shape[1]):
                mean += second[row, unit] * third[column, unit]
            action[row, column] = mean + drift[row, column]


@inlined
def layer(inputs: np.ndarray, weight: np.ndarray, bias: np.ndarray, sums: np.ndarray, out: np.ndarray) -> None:
    """Write ``inputs @ weight + bias``; the rows of the last few inputs may be computed twice over."""
    count, last = weight.shape[0], out.shape[0] - 1
    for start in range(0, out.shape[0], _ROWS):
        for row in range(_ROWS):
            for column in range(weight.shape[1]):
                sums[row, column] = bias[column]
        rows = (start, min(start + 1, last), min(start + 2, last), min(start + 3, last))
        whole = count - count % _TERMS
        for term in range(0, whole, _TERMS):
            _add_four(inputs, rows, term, weight, sums)
        for term in range(whole, count):
            _add_one(inputs, rows, term, weight, sums)
        for row in range(_ROWS):
            for column in range(weight.shape[1]):
                out[rows[row], column] = sums[row, column]


@inlined
def _add_four(
    inputs: np.ndarray, rows: tuple[int, int, int, int], term: int, weight: np.ndarray, sums: np.ndarray
) -> None:
    """Add four inputs' share to four rows of sums, written out so that the sixteen numbers stay in registers."""
    a0, a1, a2, a3 = _four(inputs, rows[0], term)
    b0, b1, b2, b3 = _four(inputs, rows[1], term)
    c0, c1, c2, c3 = _four(inputs, rows[2], term)
    d0, d1, d2, d3 = _four(inputs, rows[3], term)
    for column in range(weight.shape[1]):
        w0, w1, w2, w3 = (
            weight[term, column],
            weight[term + 1, column],
            weight[term + 2, column],
            weight[term + 3, column],
        )
        sums[0, column] += a0 * w0 + a1 * w1 + a2 * w2 + a3 * w3
        sums[1, column] += b0 * w0 + b1 * w1 + b2 * w2 + b3 * w3
        sums[2, column] += c0 * w0 + c1 * w1 + c2 * w2 + c3 * w3
        sums[3, column] += d0 * w0 + d1 * w1 + d2 * w2 + d3 * w3


@inlined
def _add_one(
    inputs: np.ndarray, rows: tuple[int, int, int, int], term: int, weight: np.ndarray, sums: np.ndarray
) -> None:
    for row in range(_ROWS):
        value = inputs[rows[row], term]
        for column in range(weight.shape[1]):
            sums[row, column] += value * weight[term, column]


@inlined
def _four(inputs: np.ndarray, row: int, term: int) -> tuple[float, float, float, float]:
    return inputs[row, term], inputs[row, term + 1], inputs[row, term + 2], inputs[row, term + 3]


def _lambert(levels: int) -> tuple[tuple[np.float32, ...], tuple[np.float32, ...]]:
    """Lambert's continued fraction tanh x = x / (1 + x^2 / (3 + x^2 / (5 + ...))) after ``levels`` levels.

    Returns:
        Coefficients of x^2 in numerator (but for its factor x) and denominator, the constant terms last, and 1.
    """
    square = np.polynomial.Polynomial([0.0, 1.0])
    above, below = np.polynomial.Polynomial([1.0]), np.polynomial.Polynomial([2.0 * levels - 1.0])
    for odd in range(2 * levels - 3, 0, -2):
        above, below = below, below * odd + square * above
    numerator, denominator = (tuple(np.float32(c / below.coef[0]) for c in part.coef[::-1]) for part in (above, below))
    return numerator, denominator


_LIMIT = np.float32(8.3)
"""From here on tanh is 1 to within what float32 tells apart."""
_NUMERATOR, _DENOMINATOR = _lambert(12)
_TERMS_ABOVE, _TERMS_BELOW = len(_NUMERATOR), len(_DENOMINATOR)


@inlined
def squash(values: np.ndarray) -> None:
    """Replace numbers by their tanh."""
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            values[row, column] = tanh(values[row, column])


@inlined
def tanh(value: Any) -> Any:
    """Hyperbolic tangent to within 5e-7 as a quotient of polynomials: vectorised, as ``math.tanh`` would not be."""
    value = _LIMIT if value > _LIMIT else value
    value = -_LIMIT if value < -_LIMIT else value
    square = value * value
    above, below = _NUMERATOR[0], _DENOMINATOR[0]
    for index in range(1, _TERMS_ABOVE):
        above = above * square + _NUMERATOR[index]
    for index in range(1, _TERMS_BELOW):
        below = below * square + _DENOMINATOR[index]
    return value * above / below
