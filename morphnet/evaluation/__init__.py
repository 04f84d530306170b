"""Returns of policies."""

from morphnet.evaluation.evaluate import Controller, Evaluation, PolicyController, RandomController, evaluate

__all__ = ["Controller", "Evaluation", "PolicyController", "RandomController", "evaluate"]
