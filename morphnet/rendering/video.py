"""Write films to files."""

from __future__ import annotations

import uuid
from pathlib import Path

import numpy as np

from morphnet.errors import RenderError
from morphnet.rendering.encoders import Encoder, GifEncoder, Mp4Encoder

ENCODERS: dict[str, type[Encoder]] = {".mp4": Mp4Encoder, ".gif": GifEncoder}


class VideoWriter:
    """Writes a film frame by frame; the file appears, whole, at the end of the ``with`` block.

    A block that ends in an exception leaves no file, and does not touch one that was there before.
    """

    def __init__(self, path: Path | str, fps: int = 30) -> None:
        """Prepare a film; missing folders are made.

        Args:
            path: ends in ``.mp4`` or ``.gif``.
            fps: frames per second.

        Raises:
            RenderError: another suffix, or a folder that cannot be written to.
        """
        self.path = Path(path)
        self._fps = fps
        self._shape: tuple[int, ...] = ()
        self._encoder: Encoder | None = None
        suffix = self.path.suffix.lower()
        if suffix not in ENCODERS:
            raise RenderError(f"{path}: cannot write {suffix or 'no suffix'!r}; valid: {', '.join(ENCODERS)}")
        if fps < 1:
            raise RenderError(f"fps = {fps}: must be at least 1")
        # Beside the goal, since a rename is atomic only within one file system.
        self._partial = self.path.with_name(f".{self.path.stem}-{uuid.uuid4().hex[:8]}{suffix}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._partial.touch()
        except OSError as error:
            raise RenderError(f"{path}: cannot write there: {error.strerror}") from error

    def add(self, frame: np.ndarray) -> None:
        """Append a uint8 (height, width, 3) picture.

        Raises:
            RenderError: its size differs from the first one's, or it cannot be written.
        """
        try:
            if self._encoder is None:
                self._shape = frame.shape
                size = frame.shape[1], frame.shape[0]
                self._encoder = ENCODERS[self._partial.suffix](self._partial, size, self._fps)
            if frame.shape != self._shape:
                raise RenderError(f"{self.path}: a frame of shape {frame.shape} follows {self._shape}")
            self._encoder.add(frame)
        except OSError as error:
            raise RenderError(f"{self.path}: {error}") from error

    def close(self) -> None:
        """Complete the file and put it in its place.

        Raises:
            RenderError: there was no frame, or the file cannot be written.
        """
        try:
            if self._encoder is None:
                raise RenderError(f"{self.path}: a film needs at least one frame")
            self._encoder.finish()
            self._partial.replace(self.path)
        except OSError as error:
            raise RenderError(f"{self.path}: {error}") from error
        finally:
            self._partial.unlink(missing_ok=True)

    def abort(self) -> None:
        """Drop the film."""
        if self._encoder is not None:
            self._encoder.abort()
        self._partial.unlink(missing_ok=True)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()
