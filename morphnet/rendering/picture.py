"""Put pictures together: side by side, and with a caption."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from morphnet.errors import RenderError

PADDING = 6
BOX_OPACITY = 0.55


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
    return np.vstack(rows)


def caption(frame: np.ndarray, lines: Sequence[str]) -> np.ndarray:
    """Return a copy of ``frame`` with white text on a dark box in its top left corner.

    Text that is too long for the picture is cut off at its edge.
    """
    box = _text_box(tuple(lines), max(12, frame.shape[0] // 28))
    height, width = min(box.shape[0], frame.shape[0]), min(box.shape[1], frame.shape[1])
    text = box[:height, :width, None]
    result = frame.copy()
    corner = frame[:height, :width] * (1.0 - BOX_OPACITY)
    result[:height, :width] = (corner * (1.0 - text) + 255.0 * text).astype(np.uint8)
    return result


@functools.lru_cache(maxsize=64)  # drawing text is slow, and a caption mostly stays for the whole film
def _text_box(lines: tuple[str, ...], size: int) -> np.ndarray:
    """Draw text; return its opacity (0 to 1) as a (height, width) array."""
    text, font = "\n".join(lines), ImageFont.load_default(size)
    _, _, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox((0, 0), text, font=font)
    box = Image.new("L", (int(right) + 2 * PADDING, int(bottom) + 2 * PADDING))
    ImageDraw.Draw(box).multiline_text((PADDING, PADDING), text, fill=255, font=font)
    return np.asarray(box, dtype=np.float32) / 255.0
