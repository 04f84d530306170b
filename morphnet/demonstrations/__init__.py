"""Demonstrations: recording, writing and reading what drove a body, and how."""

from morphnet.demonstrations.demonstration import Demonstration
from morphnet.demonstrations.observing import observations_of, pairs
from morphnet.demonstrations.reading import read_demonstrations
from morphnet.demonstrations.recording import record
from morphnet.demonstrations.writing import write_demonstrations

__all__ = ["Demonstration", "observations_of", "pairs", "read_demonstrations", "record", "write_demonstrations"]
