"""Returns and normalised scores."""

from morphnet.evaluation.evaluate import Controller, Evaluation, PolicyController, RandomController, evaluate
from morphnet.evaluation.score import normalised_score

__all__ = ["Controller", "Evaluation", "PolicyController", "RandomController", "evaluate", "normalised_score"]
