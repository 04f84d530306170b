"""Compiled gradient steps of PPO on the plain weights of one actor and one critic.

A body's own networks are so small that what a library of tensors does around a product takes four times as long as
the product: here all gradient steps on a batch are one call, back-propagation and Adam included.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import types

from morphnet.learning.actor_kernel import layer, squash
from morphnet.simulation.compiled import arithmetic, owns
from morphnet.specialists.perceptron import FlatPerceptron, Layers

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-5
"""Adam's (Kingma & Ba 2015), epsilon as PPO's implementations have it."""
HALF_LOG_TAU = 0.5 * math.log(2.0 * math.pi)
NOT_FINITE = -1


class Learner(NamedTuple):
    """A perceptron that learns by Adam.

    Attributes:
        values, gradient: (P,) its numbers, and the loss's gradient there.
        first_moment, second_moment: (P,) Adam's moments.
        steps: (1,) Adam's steps so far.
        layers, gradients: values and gradient as layers.
    """

    values: np.ndarray
    gradient: np.ndarray
    first_moment: np.ndarray
    second_moment: np.ndarray
    steps: np.ndarray
    layers: Layers
    gradients: Layers

    @classmethod
    def of(cls, perceptron: FlatPerceptron) -> Learner:
        """Begin with a perceptron; its own numbers are what changes."""
        gradient, first, second = (np.zeros_like(perceptron.values) for _ in range(3))
        split = perceptron.split
        return cls(
            perceptron.values,
            gradient,
            first,
            second,
            np.zeros(1, np.int64),
            perceptron.layers,
            split(gradient),
        )


class Room(NamedTuple):
    """Room for n rows to go through a perceptron and back.

    Attributes:
        inputs: (n, D). outputs: (n, A), then the loss's gradient there.
        first, second: (n, H) hidden layers. at_first, at_second: (n, H) the loss's gradient there.
        inputs_transposed, first_transposed, outputs_transposed: what they say.
        weights_transposed: (H, H) the second layer's.
        sums: (4, H) to work in. zeros: (H,).
    """

    inputs: np.ndarray
    outputs: np.ndarray
    first: np.ndarray
    second: np.ndarray
    at_first: np.ndarray
    at_second: np.ndarray
    inputs_transposed: np.ndarray
    first_transposed: np.ndarray
    outputs_transposed: np.ndarray
    weights_transposed: np.ndarray
    sums: np.ndarray
    zeros: np.ndarray

    @classmethod
    def of(cls, rows: int, sizes: tuple[int, int, int]) -> Room:
        """Make room for ``rows`` rows and a perceptron of D, H and A units."""
        inputs, outputs = (np.zeros((rows, width), np.float32) for width in (sizes[0], sizes[2]))
        hidden = [np.zeros((rows, sizes[1]), np.float32) for _ in range(4)]
        transposed = [np.zeros_like(matrix.T, order="C") for matrix in (inputs, hidden[0], outputs)]
        second_weights = np.zeros((sizes[1], sizes[1]), np.float32)
        sums, zeros = np.zeros((4, sizes[1]), np.float32), np.zeros(sizes[1], np.float32)
        return cls._make([inputs, outputs, *hidden, *transposed, second_weights, sums, zeros])


class PolicyBatch(NamedTuple):
    """What an actor learns from: S samples, and M actions to imitate beside them.

    Attributes:
        observation: (S, D) normalised. action: (S, A). log_prob: (S,). advantage: (S,).
        order: (steps, n) samples of every gradient step.
        shown: (M, D) normalised observations. wanted: (M, A) actions there.
        shown_order: (steps, m) which of them a gradient step imitates.
    """

    observation: np.ndarray
    action: np.ndarray
    log_prob: np.ndarray
    advantage: np.ndarray
    order: np.ndarray
    shown: np.ndarray
    wanted: np.ndarray
    shown_order: np.ndarray


class ValueBatch(NamedTuple):
    """What a critic learns from.

    Attributes:
        observation: (S, D) normalised. target: (S,).
        order: (steps, n) samples of every gradient step.
    """

    observation: np.ndarray
    target: np.ndarray
    order: np.ndarray


class Settings(NamedTuple):
    """Numbers of PPO's; ``anchor`` is the weight of imitating, ``value`` that of the critic's loss."""

    learning_rate: float
    clip: float
    entropy: float
    kl_limit: float
    gradient_norm: float
    value: float
    anchor: float


_VECTOR, _MATRIX = owns(1, types.float32), owns(2, types.float32)
_INDEX, _ORDER = owns(1, types.int64), owns(2, types.int64)
_LAYERS = types.NamedTuple([*[_MATRIX] * 3, *[_VECTOR] * 4], Layers)
_LEARNER = types.NamedTuple([*[_VECTOR] * 4, _INDEX, _LAYERS, _LAYERS], Learner)
_ROOM = types.NamedTuple([*[_MATRIX] * 11, _VECTOR], Room)
_POLICY_BATCH = types.NamedTuple([_MATRIX, _MATRIX, _VECTOR, _VECTOR, _ORDER, _MATRIX, _MATRIX, _ORDER], PolicyBatch)
_VALUE_BATCH = types.NamedTuple([_MATRIX, _VECTOR, _ORDER], ValueBatch)
_SETTINGS = types.NamedUniTuple(types.float64, 7, Settings)
POLICY_SIGNATURE = (_LEARNER, _ROOM, _POLICY_BATCH, _SETTINGS)
VALUE_SIGNATURE = (_LEARNER, _ROOM, _VALUE_BATCH, _SETTINGS)


def ascend_policy(learner: Learner, room: Room, batch: PolicyBatch, settings: Settings) -> int:
    """Take the actor's gradient steps, until the divergence from the actor that collected is beyond the limit.

    Returns:
        How many were taken, or ``NOT_FINITE``.
    """
    count, shown = batch.order.shape[1], batch.shown_order.shape[1]
    for step in range(batch.order.shape[0]):
        for row in range(count):
            _copy(batch.observation, batch.order[step, row], room.inputs, row)
        for row in range(shown):
            _copy(batch.shown, batch.shown_order[step, row], room.inputs, count + row)
        _forward(learner.layers, room)
        divergence = _surrogate(learner, room, batch, step, settings)
        _imitation(learner.layers, room, batch, step, settings.anchor)
        _backward(learner.layers, learner.gradients, room)
        if not _adam(learner, settings):
            return NOT_FINITE
        if divergence > settings.kl_limit:
            return step + 1
    return batch.order.shape[0]


def descend_error(learner: Learner, room: Room, batch: ValueBatch, settings: Settings) -> int:
    """Take the critic's gradient steps on half the mean squared error.

    Returns:
        How many were taken, or ``NOT_FINITE``.
    """
    count = batch.order.shape[1]
    for step in range(batch.order.shape[0]):
        for row in range(count):
            _copy(batch.observation, batch.order[step, row], room.inputs, row)
        _forward(learner.layers, room)
        for row in range(count):
            error = room.outputs[row, 0] - batch.target[batch.order[step, row]]
            room.outputs[row, 0] = error * settings.value / count
        _backward(learner.layers, learner.gradients, room)
        if not _adam(learner, settings):
            return NOT_FINITE
    return batch.order.shape[0]


@arithmetic
def _copy(source: np.ndarray, index: int, target: np.ndarray, row: int) -> None:
    for column in range(source.shape[1]):
        target[row, column] = source[index, column]


@arithmetic
def _product(inputs: np.ndarray, weight: np.ndarray, bias: np.ndarray, sums: np.ndarray, out: np.ndarray) -> None:
    layer(inputs, weight, bias, sums, out)


@arithmetic
def _forward(layers: Layers, room: Room) -> None:
    """Write hidden layers and outputs."""
    _product(room.inputs, layers.first, layers.one, room.sums, room.first)
    squash(room.first)
    _product(room.first, layers.second, layers.two, room.sums, room.second)
    squash(room.second)
    for row in range(room.outputs.shape[0]):
        for column in range(room.outputs.shape[1]):
            total = layers.three[column]
            for unit in range(layers.third.shape[1]):
                total += room.second[row, unit] * layers.third[column, unit]
            room.outputs[row, column] = total


@arithmetic
def _backward(layers: Layers, gradients: Layers, room: Room) -> None:
    """Write the loss's gradient at all layers, from that at the outputs."""
    _transpose(room.outputs, room.outputs_transposed)
    _product(room.outputs_transposed, room.second, room.zeros, room.sums, gradients.third)
    _sum_rows(room.outputs, gradients.three)
    _product(room.outputs, layers.third, room.zeros, room.sums, room.at_second)
    _through_tanh(room.second, room.at_second)
    _transpose(room.first, room.first_transposed)
    _product(room.first_transposed, room.at_second, room.zeros, room.sums, gradients.second)
    _sum_rows(room.at_second, gradients.two)
    _transpose(layers.second, room.weights_transposed)
    _product(room.at_second, room.weights_transposed, room.zeros, room.sums, room.at_first)
    _through_tanh(room.first, room.at_first)
    _transpose(room.inputs, room.inputs_transposed)
    _product(room.inputs_transposed, room.at_first, room.zeros, room.sums, gradients.first)
    _sum_rows(room.at_first, gradients.one)


@arithmetic
def _through_tanh(hidden: np.ndarray, gradient: np.ndarray) -> None:
    for row in range(hidden.shape[0]):
        for unit in range(hidden.shape[1]):
            gradient[row, unit] *= np.float32(1.0) - hidden[row, unit] * hidden[row, unit]


@arithmetic
def _transpose(matrix: np.ndarray, out: np.ndarray) -> None:
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            out[row, column] = matrix[column, row]


@arithmetic
def _sum_rows(matrix: np.ndarray, out: np.ndarray) -> None:
    for column in range(out.shape[0]):
        out[column] = np.float32(0.0)
    for row in range(matrix.shape[0]):
        for column in range(out.shape[0]):
            out[column] += matrix[row, column]


@arithmetic
def _surrogate(learner: Learner, room: Room, batch: PolicyBatch, step: int, settings: Settings) -> float:
    """Turn mean actions into the gradient of PPO's clipped loss there (Schulman et al. 2017, eq. 7).

    Returns:
        The approximate divergence from the actor that collected.
    """
    log_std, at_log_std = learner.layers.log_std, learner.gradients.log_std
    count, divergence = batch.order.shape[1], 0.0
    for action in range(log_std.shape[0]):
        at_log_std[action] = np.float32(-settings.entropy)
    for row in range(count):
        sample = batch.order[step, row]
        log_ratio = -batch.log_prob[sample]
        for action in range(log_std.shape[0]):
            deviation = (batch.action[sample, action] - room.outputs[row, action]) * math.exp(-log_std[action])
            log_ratio -= 0.5 * deviation * deviation + log_std[action] + HALF_LOG_TAU
        ratio = math.exp(log_ratio)
        divergence += (ratio - 1.0 - log_ratio) / count
        surrogate = ratio * batch.advantage[sample]
        bounded = min(max(ratio, 1.0 - settings.clip), 1.0 + settings.clip) * batch.advantage[sample]
        # a clipped ratio gives no gradient; another one that of the surrogate, whose derivative is itself
        weight = -surrogate / count if surrogate <= bounded else 0.0
        for action in range(log_std.shape[0]):
            inverse = math.exp(-log_std[action])
            deviation = (batch.action[sample, action] - room.outputs[row, action]) * inverse
            room.outputs[row, action] = weight * deviation * inverse
            at_log_std[action] += np.float32(weight * (deviation * deviation - 1.0))
    return divergence


@arithmetic
def _imitation(layers: Layers, room: Room, batch: PolicyBatch, step: int, weight: float) -> None:
    """Turn mean actions into the gradient of their squared error, in standard deviations, from those wanted."""
    count, shown = batch.order.shape[1], batch.shown_order.shape[1]
    for row in range(shown):
        sample = batch.shown_order[step, row]
        for action in range(layers.log_std.shape[0]):
            error = room.outputs[count + row, action] - batch.wanted[sample, action]
            room.outputs[count + row, action] = weight / shown * error * math.exp(-2.0 * layers.log_std[action])


@arithmetic
def _adam(learner: Learner, settings: Settings) -> bool:
    """Take a step along a gradient of bounded norm; return whether that is finite."""
    values, gradient = learner.values, learner.gradient
    first, second = learner.first_moment, learner.second_moment
    total = np.float32(0.0)
    for index in range(gradient.shape[0]):
        total += gradient[index] * gradient[index]
    norm = math.sqrt(total)
    if not math.isfinite(norm):
        return False
    learner.steps[0] += 1
    scale = np.float32(min(settings.gradient_norm / (norm + 1e-6), 1.0))
    first_weight, second_weight = np.float32(1.0 - BETA1), np.float32(1.0 - BETA2)
    rate = np.float32(settings.learning_rate / (1.0 - BETA1 ** learner.steps[0]))
    unbias = np.float32(1.0 / math.sqrt(1.0 - BETA2 ** learner.steps[0]))
    for index in range(values.shape[0]):
        slope = scale * gradient[index]
        first[index] += first_weight * (slope - first[index])
        second[index] += second_weight * (slope * slope - second[index])
        values[index] -= rate * first[index] / (np.sqrt(second[index]) * unbias + np.float32(EPSILON))
    return True
