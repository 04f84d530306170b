"""Distillation: one hypernetwork learns what experts of single bodies do."""

from morphnet.distillation.distiller import Distiller

__all__ = ["Distiller"]
