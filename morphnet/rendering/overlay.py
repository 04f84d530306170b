"""Words on a picture."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

GAP = 1.4  # between two words of the status, in heights of a letter
DARKENING = 0.6  # of the picture behind the words


def overlay(frame: np.ndarray, title: Sequence[str], status: Sequence[str] = ()) -> None:
    """Write on a uint8 (height, width, 3) picture, in place.

    Args:
        frame: the picture.
        title: lines in the top left corner.
        status: words along the bottom, in as many lines as they need.
    """
    height, width = frame.shape[:2]
    size = max(11, min(height // 24, width // 30))
    if title:
        _blend(frame, _title_box(tuple(title), size), bottom=False)
    if status:
        _blend(frame, _status_box(tuple(status), size, width), bottom=True)


def _blend(frame: np.ndarray, box: np.ndarray, bottom: bool) -> None:
    """Darken a corner of ``frame`` and brighten it where ``box`` (0 to 255) has letters."""
    height, width = min(box.shape[0], frame.shape[0]), min(box.shape[1], frame.shape[1])
    corner = frame[frame.shape[0] - height :, :width] if bottom else frame[:height, :width]
    letters = box[:height, :width, None]
    kept = (255 - letters) * round(256 * (1.0 - DARKENING)) >> 8
    corner[:] = (corner * kept >> 8) + letters


@functools.lru_cache(maxsize=256)  # drawing letters is slow, and films change their words a few times a second
def _title_box(lines: tuple[str, ...], size: int) -> np.ndarray:
    """Draw lines below one another; return how bright each pixel is, uint16 (height, width)."""
    font, pad = ImageFont.load_default(size), size // 2
    step = round(1.3 * size)
    width = max(int(font.getlength(line)) for line in lines)
    image = Image.new("L", (width + 2 * pad, step * len(lines) + pad))
    for row, line in enumerate(lines):
        # all but the first are less important
        ImageDraw.Draw(image).text((pad, pad // 2 + row * step), line, fill=255 if row == 0 else 205, font=font)
    return np.asarray(image, dtype=np.uint16)


@functools.lru_cache(maxsize=256)
def _status_box(words: tuple[str, ...], size: int, width: int) -> np.ndarray:
    """Draw words in lines no wider than ``width``, where they stay put while their digits change."""
    font, pad = ImageFont.load_default(size), size // 2
    step, gap = round(1.3 * size), GAP * size
    places: list[tuple[float, float]] = []
    x, line = float(pad), 0
    for word in words:
        length = font.getlength(re.sub(r"\d", "0", word))
        if places and x + length + pad > width:
            x, line = float(pad), line + 1
        places.append((x, pad // 2 + line * step))
        x += length + gap
    image = Image.new("L", (width, step * (line + 1) + pad))
    for word, place in zip(words, places, strict=True):
        ImageDraw.Draw(image).text(place, word, fill=255, font=font)
    return np.asarray(image, dtype=np.uint16)
