"""From a compiled MuJoCo model to the typed graph of its bodies, joints and actuators."""

from morphnet.morphology.base import Base, base_from_graph
from morphnet.morphology.graph import EdgeKind, MorphologyGraph, graph_from_model

__all__ = ["Base", "EdgeKind", "MorphologyGraph", "base_from_graph", "graph_from_model"]
