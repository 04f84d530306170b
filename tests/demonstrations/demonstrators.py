"""What drives robots in these tests."""

import numpy as np


def wobble(observation: np.ndarray) -> np.ndarray:
    """Actions that depend on what is observed."""
    return 0.2 * np.sin(3.0 * observation[:, :3] + np.arange(3.0))
