"""The generated network: a dense multilayer perceptron a robot, many of them run as one.

Losses are differentiated to its weights by hand, and from there by autograd to whatever generated them: a gradient step
of one robot's own weights is mostly autograd's bookkeeping otherwise.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor


@dataclasses.dataclass(frozen=True, eq=False)
class StackedMLP:
    """B multilayer perceptrons with two hidden tanh layers, padded to common sizes.

    Attributes:
        weights: three tensors (B, inputs, outputs): observation to hidden, hidden to hidden, hidden to output.
        biases: three tensors (B, 1, outputs).
    """

    weights: tuple[Tensor, Tensor, Tensor]
    biases: tuple[Tensor, Tensor, Tensor]

    def __call__(self, inputs: Tensor) -> Tensor:
        """Run perceptron b on inputs[b]: (B, n, inputs) to (B, n, outputs)."""
        hidden = torch.tanh(torch.baddbmm(self.biases[0], inputs, self.weights[0]))
        hidden = torch.tanh(torch.baddbmm(self.biases[1], hidden, self.weights[1]))
        return torch.baddbmm(self.biases[2], hidden, self.weights[2])

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """Weights and biases, layer by layer."""
        return tuple(tensor for layer in zip(self.weights, self.biases, strict=True) for tensor in layer)

    @torch.no_grad()
    def run(self, inputs: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return what a call does, without a graph, and what both hidden layers (B, n, hidden) gave."""
        first = torch.baddbmm(self.biases[0], inputs, self.weights[0]).tanh_()
        second = torch.baddbmm(self.biases[1], first, self.weights[1]).tanh_()
        return torch.baddbmm(self.biases[2], second, self.weights[2]), (first, second)

    @torch.no_grad()
    def gradients(self, inputs: Tensor, hidden: tuple[Tensor, Tensor], outputs: Tensor) -> tuple[Tensor, ...]:
        """Back-propagate: the gradient of a loss at ``outputs`` (B, n, outputs) to that at ``tensors``, in their order.

        Args:
            inputs: what ``run`` was given.
            hidden: what ``run`` returned beside the outputs; overwritten.
            outputs: the loss's gradient at the outputs.
        """
        found: list[Tensor] = []
        gradient = outputs
        for layer, seen in ((2, hidden[1]), (1, hidden[0]), (0, inputs)):
            found = [torch.bmm(seen.transpose(1, 2), gradient), gradient.sum(dim=1, keepdim=True), *found]
            if layer:
                slope = seen.square_().neg_().add_(1.0)  # of tanh
                gradient = torch.bmm(gradient, self.weights[layer].transpose(1, 2)).mul_(slope)
        return tuple(found)

    def select(self, robots: slice) -> StackedMLP:
        """Return some of the perceptrons; a view."""
        first, second, third = (w[robots] for w in self.weights)
        one, two, three = (b[robots] for b in self.biases)
        return StackedMLP((first, second, third), (one, two, three))


@dataclasses.dataclass(frozen=True, eq=False)
class StackedActor:
    """B actors: Gaussian policies over actions in [-1, 1].

    Attributes:
        mean: the perceptrons that give the mean action.
        log_std: (B, 1, A) logarithm of the standard deviation of each actuator's exploration.
        action_mask: (B, 1, A) 1 for real actuators, 0 for padding.
    """

    mean: StackedMLP
    log_std: Tensor
    action_mask: Tensor

    def without_noise(self) -> StackedActor:
        """Return the actors that do their mean actions."""
        return dataclasses.replace(self, log_std=torch.full_like(self.log_std, -torch.inf))

    def log_prob(self, mean: Tensor, action: Tensor) -> Tensor:
        """Log-density of actions (B, n, A) over the real actuators, (B, n)."""
        scaled = (action - mean) * torch.exp(-self.log_std)
        density = -0.5 * scaled.square() - self.log_std - 0.9189385332046727
        return (density * self.action_mask).sum(dim=-1)

    def entropy(self) -> Tensor:
        """(B,) entropy of each actor's exploration."""
        return ((self.log_std + 1.4189385332046727) * self.action_mask).sum(dim=-1).squeeze(-1)


def exploration_shift(control_step: Tensor) -> Tensor:
    """Return what to add to a log standard deviation that is meant for actions held for 20 ms.

    White noise moves a body as the square root of the time for which a draw is held: a cheetah that draws every
    50 ms is thrown about by what a hopper that draws every 8 ms hardly feels.

    Args:
        control_step: seconds for which an action is held, any shape.
    """
    return -0.5 * torch.log(control_step / 0.02)


def differentiate(pairs: Sequence[tuple[Tensor, Tensor]], parameters: Sequence[Tensor]) -> tuple[Tensor | None, ...]:
    """Take a loss's gradient from generated tensors to the parameters that generated them.

    Args:
        pairs: generated tensors, each with the loss's gradient there; those without a graph are held still.
        parameters: to which; None is returned for those that nothing reaches.
    """
    live = [(tensor, gradient) for tensor, gradient in pairs if tensor.requires_grad]
    tensors, gradients = zip(*live, strict=True)
    return torch.autograd.grad(tensors, parameters, gradients, allow_unused=True)
