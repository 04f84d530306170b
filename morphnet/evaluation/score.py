"""Normalised scores: 0 is the random policy, 1 the body's reference policy."""

from __future__ import annotations

from morphnet.evaluation.evaluate import Evaluation

LOWEST, HIGHEST = 0.0, 1.2
CLEAR = 5.0
"""A reference must lie this many episode standard deviations above random, or scores would be noise."""


def normalised_score(value: float, random: Evaluation, reference: Evaluation) -> float | None:
    """Score a return.

    Args:
        value: mean return of the policy.
        random: episodes of the random policy.
        reference: episodes of the reference policy.

    Returns:
        (value - random) / (reference - random), clipped to [0, 1.2]; None where the reference is not clearly
        better than random.
    """
    gap = float(reference.returns.mean() - random.returns.mean())
    if gap <= CLEAR * max(float(random.returns.std()), float(reference.returns.std())):
        return None
    return min(max((value - float(random.returns.mean())) / gap, LOWEST), HIGHEST)
