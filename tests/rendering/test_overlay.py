import numpy as np
import pytest

from morphnet.rendering.overlay import overlay


def grey(height: int = 240, width: int = 320) -> np.ndarray:
    return np.full((height, width, 3), 200, dtype=np.uint8)


def test_title_is_light_on_dark_in_the_top_left_corner() -> None:
    frame = grey()
    overlay(frame, ["hopper", "zero-shot"])
    assert frame.max() > 250
    assert frame[:4, :4].max() < 100
    assert (frame[120:] == 200).all()
    assert (frame[:, 160:] == 200).all()


def test_status_is_a_strip_along_the_bottom() -> None:
    frame = grey()
    overlay(frame, [], ["return 123", "1.0 m/s"])
    assert (frame[:200] == 200).all()
    assert frame[-3:].max() < 100
    assert frame[200:].max() > 250


@pytest.mark.parametrize(("height", "width"), [(240, 100), (480, 640), (1080, 1920)])
def test_words_that_do_not_fit_go_to_further_lines(height: int, width: int) -> None:
    """Every word's letters are there, however narrow the picture."""
    words = ["return 1234", "-10.5 m/s", "10.0 s", "episode 12", "played at 0.25x"]
    together, alone = np.zeros((height, width, 3), np.uint8), 0.0
    overlay(together, [], words)
    for word in words:
        frame = np.zeros((height, width, 3), np.uint8)
        overlay(frame, [], [word])
        alone += float(frame.sum())
    assert together.sum() == pytest.approx(alone, rel=0.02)


def test_words_stay_put_while_their_digits_change() -> None:
    narrow, wide = (np.zeros((240, 320, 3), np.uint8) for _ in range(2))
    overlay(narrow, [], ["1.1 m/s", "last"])
    overlay(wide, [], ["8.8 m/s", "last"])
    assert np.array_equal(narrow[:, 90:160], wide[:, 90:160])
    assert not np.array_equal(narrow, wide)


@pytest.mark.parametrize("size", [(40, 50), (8, 8)])
def test_tiny_pictures_are_survived(size: tuple[int, int]) -> None:
    frame = np.zeros((*size, 3), np.uint8)
    overlay(frame, ["a very long line that cannot fit"], ["return 1234567", "12345678.9 m/s"])
    assert frame.shape == (*size, 3)
