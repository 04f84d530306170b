"""Meta-training: PPO through the hypernetwork, checkpoints, metrics."""

from morphnet.config import TrainConfig
from morphnet.learning.checkpoint import load_checkpoint, save_checkpoint
from morphnet.learning.trainer import Progress, Trainer

__all__ = ["Progress", "TrainConfig", "Trainer", "load_checkpoint", "save_checkpoint"]
