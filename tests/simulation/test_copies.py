"""A simulation holds addresses of MuJoCo's memory, which a copy must not share."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from morphnet.bodies import load_body
from morphnet.simulation import Simulation


@pytest.mark.parametrize("copied", [copy.deepcopy, pickle.dumps])
def test_a_simulation_is_not_copied(copied):
    simulation = Simulation(load_body("hopper"), 2, np.random.default_rng(0))
    with pytest.raises(TypeError, match="state_dict"):
        copied(simulation)
