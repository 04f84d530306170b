"""Turn a stream of pictures into the bytes of a film file."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Protocol

import imageio_ffmpeg
import numpy as np
from PIL import Image

from morphnet.errors import RenderError


class Encoder(Protocol):
    """Writes one film to one file."""

    def __init__(self, path: Path, size: tuple[int, int], fps: int) -> None:
        """Open ``path`` for pictures of ``size`` (width, height)."""

    def add(self, frame: np.ndarray) -> None:
        """Append a picture; OSError when it cannot be written."""

    def finish(self) -> None:
        """Complete the file; OSError when it is not whole."""

    def abort(self) -> None:
        """Stop, and leave the file as it is."""


class Mp4Encoder:
    """H.264 through the ffmpeg that imageio-ffmpeg brings.

    Not through ``imageio_ffmpeg.write_frames``: that does not notice when ffmpeg fails (a full disk), and
    stretches pictures of odd size.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: int) -> None:
        """Start ffmpeg.

        Raises:
            RenderError: there is no ffmpeg.
        """
        try:
            ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
        except RuntimeError as error:
            raise RenderError(f"no ffmpeg for .mp4: {error}; reinstall imageio-ffmpeg or write .gif") from None
        source = [
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
            "-s",
            f"{size[0]}x{size[1]}",
            "-r",
            str(fps),
            "-i",
            "-",
        ]
        # Browsers play yuv420p only; it needs even sizes. faststart lets them begin before all is there. Preset
        # veryfast takes half of the work of x264's default, for files of the same size.
        goal = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p"]
        goal += ["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2"]
        command = [ffmpeg, "-y", "-v", "error", *source, *goal, "-movflags", "+faststart", str(path)]
        # A pipe that nobody reads could fill up and block ffmpeg; closed together with the encoder.
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=self._messages)

    def add(self, frame: np.ndarray) -> None:
        """Append a picture."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(np.ascontiguousarray(frame).data)
        except BrokenPipeError:
            self.finish()  # ffmpeg ended: its own message says why
            raise

    def finish(self) -> None:
        """Wait for ffmpeg to complete the file."""
        self._process.communicate()
        if self._process.returncode:
            self._messages.seek(0)
            lines = self._messages.read().decode(errors="replace").strip().splitlines()
            raise OSError(f"ffmpeg failed: {lines[-1] if lines else self._process.returncode}")

    def abort(self) -> None:
        """Stop ffmpeg."""
        self._process.kill()
        self._process.communicate()


class GifEncoder:
    """Keeps the pictures, reduced to 256 colours each, until the end."""

    def __init__(self, path: Path, size: tuple[int, int], fps: int) -> None:
        """Prepare a film; Pillow takes the size from the pictures."""
        self._path, self._fps = path, fps
        self._frames: list[Image.Image] = []

    def add(self, frame: np.ndarray) -> None:
        """Append a picture."""
        self._frames.append(Image.fromarray(frame).quantize(256, dither=Image.Dither.NONE))

    def finish(self) -> None:
        """Write the file. Equal pictures in a row become one that stays longer."""
        # GIF counts in 1/100 s: spread the rounding, or 30 frames/s would play as 33.
        ends = np.rint(100.0 * np.arange(len(self._frames) + 1) / self._fps).astype(int)
        durations = (10 * np.diff(ends)).tolist()
        first, *rest = self._frames
        first.save(self._path, format="GIF", save_all=True, append_images=rest, duration=durations, loop=0)

    def abort(self) -> None:
        """Forget the pictures."""
        self._frames.clear()
