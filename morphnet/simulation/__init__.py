"""Batched physics: states in, observations and rewards out."""

from morphnet.simulation.control import ControlScale
from morphnet.simulation.goals import GoalSampler
from morphnet.simulation.kinematics import Kinematics, update_kinematics
from morphnet.simulation.layout import KINDS, SLOTS, ObservationLayout
from morphnet.simulation.observation import Observer
from morphnet.simulation.simulation import Simulation, Step
from morphnet.simulation.starts import Starts, StartStates, TaskStarts

__all__ = [
    "KINDS",
    "SLOTS",
    "ControlScale",
    "GoalSampler",
    "Kinematics",
    "ObservationLayout",
    "Observer",
    "Simulation",
    "StartStates",
    "Starts",
    "Step",
    "TaskStarts",
    "update_kinematics",
]
