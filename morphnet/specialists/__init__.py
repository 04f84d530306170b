"""Single bodies: training one policy directly by PPO, from nothing or from a given policy."""

from morphnet.specialists.recipes import finetune, train_expert, train_for

__all__ = ["finetune", "train_expert", "train_for"]
