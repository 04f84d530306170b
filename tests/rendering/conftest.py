import numpy as np
import pytest


@pytest.fixture
def moving_frames() -> list[np.ndarray]:
    """A white square that travels over a grey picture."""
    frames = []
    for start in range(0, 60, 5):
        frame = np.full((48, 64, 3), 90, dtype=np.uint8)
        frame[20:30, start : start + 10] = 255
        frames.append(frame)
    return frames
