import numpy as np
import pytest

from morphnet.errors import RenderError
from morphnet.rendering.grid import side_by_side


def film(value: int, length: int) -> list[np.ndarray]:
    return [np.full((4, 6, 3), value + index, dtype=np.uint8) for index in range(length)]


def test_short_film_holds_its_last_picture() -> None:
    frames = list(side_by_side([iter(film(10, 2)), iter(film(100, 4))]))
    assert [frame.shape for frame in frames] == [(4, 12, 3)] * 4
    assert [int(frame[0, 0, 0]) for frame in frames] == [10, 11, 11, 11]
    assert [int(frame[0, 8, 0]) for frame in frames] == [100, 101, 102, 103]


def test_grid_is_padded_with_black() -> None:
    (frame,) = side_by_side([iter(film(value, 1)) for value in (10, 20, 30)], columns=2)
    assert frame.shape == (8, 12, 3)
    assert frame[6, 0, 0] == 30
    assert not frame[4:, 6:].any()


@pytest.mark.parametrize("films", [[], [iter([])], [iter(film(1, 1)), iter([np.zeros((2, 2, 3), np.uint8)])]])
def test_films_that_do_not_fit_are_refused(films: list) -> None:
    with pytest.raises(RenderError):
        list(side_by_side(films))


def test_a_dark_line_is_where_pictures_meet_and_nowhere_else() -> None:
    (grid,) = side_by_side([iter(film(value, 1)) for value in (10, 20, 30, 40)], columns=2)
    dark = (grid == 0).all(axis=-1)
    assert np.array_equal(np.flatnonzero(dark.all(axis=0)), [5, 6])
    assert np.array_equal(np.flatnonzero(dark.all(axis=1)), [3, 4])
    assert dark.sum() == 2 * 8 + 2 * 12 - 4
    (alone,) = side_by_side([iter(film(10, 1))])
    assert (alone == 10).all()
