"""Training policies directly by PPO: of one body, from nothing or from a given policy, and of all kin at once."""

from morphnet.specialists.fleet import expert_folder, train_experts
from morphnet.specialists.kin import kin_of
from morphnet.specialists.recipes import finetune, train_expert, train_for

__all__ = ["expert_folder", "finetune", "kin_of", "train_expert", "train_experts", "train_for"]
