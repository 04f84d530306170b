"""Put films together, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from morphnet.errors import RenderError

LINE = 2  # pixels, dark, where two pictures meet


def side_by_side(films: Sequence[Iterator[np.ndarray]], columns: int | None = None) -> Iterator[np.ndarray]:
    """Play films next to one another; one that ends early stands still until the longest ends.

    Args:
        films: iterators of equally large (height, width, 3) pictures.
        columns: films a row; all in one row when None. A last row that is not full is padded with black.

    Raises:
        RenderError: there are no films, one is empty, or they differ in size.
    """
    if not films:
        raise RenderError("there are no films to put side by side")
    columns = min(columns or len(films), len(films))
    shown = [next(film, None) for film in films]
    running = True
    while running:
        yield _grid(shown, columns)
        running = False
        for index, film in enumerate(films):
            frame = next(film, None)
            if frame is not None:
                shown[index] = frame
                running = True


def _grid(frames: Sequence[np.ndarray | None], columns: int) -> np.ndarray:
    first = frames[0]
    pictures = [frame for frame in frames if frame is not None]
    if first is None or len(pictures) < len(frames):
        raise RenderError("a film has no frames")
    sizes = {frame.shape for frame in pictures}
    if len(sizes) > 1:
        raise RenderError(f"films differ in size: {sorted(sizes)}")
    pictures += [np.zeros_like(first)] * (-len(pictures) % columns)
    rows = [np.hstack(pictures[start : start + columns]) for start in range(0, len(pictures), columns)]
    grid = np.vstack(rows)
    _rule(grid, *first.shape[:2])
    return grid


def _rule(grid: np.ndarray, height: int, width: int) -> None:
    """Draw lines where pictures meet."""
    for column in range(width, grid.shape[1], width):
        grid[:, column - LINE // 2 : column + LINE // 2] = 0
    for row in range(height, grid.shape[0], height):
        grid[row - LINE // 2 : row + LINE // 2] = 0
