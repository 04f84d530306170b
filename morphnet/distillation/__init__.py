"""Distillation: one hypernetwork learns what experts do."""

from morphnet.distillation.distiller import Before, Distiller
from morphnet.distillation.shift import Teacher

__all__ = ["Before", "Distiller", "Teacher"]
