"""Distillation: one hypernetwork learns what experts of single bodies do."""

from morphnet.distillation.distiller import Before, Distiller

__all__ = ["Before", "Distiller"]
