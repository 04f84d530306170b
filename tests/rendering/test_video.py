from collections.abc import Iterable
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from morphnet.errors import RenderError
from morphnet.rendering.video import VideoWriter

Frames = list[np.ndarray]


def write_video(path: Path, frames: Iterable[np.ndarray], fps: int = 30) -> Path:
    with VideoWriter(path, fps) as writer:
        for frame in frames:
            writer.add(frame)
    return path


def test_mp4_can_be_read_back(tmp_path: Path, moving_frames: Frames) -> None:
    path = write_video(tmp_path / "new" / "film.mp4", iter(moving_frames), fps=25)
    meta = iio.immeta(path, plugin="FFMPEG")
    film = iio.imread(path, plugin="FFMPEG")
    assert film.shape == (12, 48, 64, 3)
    assert meta["fps"] == pytest.approx(25)
    assert meta["codec"] == "h264"
    assert meta["pix_fmt"].startswith("yuv420p")
    assert film[6, 25, 35].min() > 200
    assert [entry.name for entry in path.parent.iterdir()] == ["film.mp4"]


def test_gif_can_be_read_back(tmp_path: Path, moving_frames: Frames) -> None:
    path = write_video(tmp_path / "film.gif", moving_frames, fps=30)
    film = iio.imread(path)
    assert film.shape == (12, 48, 64, 3)
    durations = [iio.immeta(path, index=index)["duration"] for index in range(12)]
    assert sum(durations) == pytest.approx(12 * 1000 / 30, abs=10)


def test_odd_sizes_are_padded_to_even(tmp_path: Path, moving_frames: Frames) -> None:
    path = write_video(tmp_path / "film.mp4", [frame[:47, :63] for frame in moving_frames])
    assert iio.imread(path, plugin="FFMPEG").shape == (12, 48, 64, 3)


@pytest.mark.parametrize("name", ["film.avi", "film"])
def test_other_suffixes_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RenderError, match=r"valid: \.mp4, \.gif"):
        VideoWriter(tmp_path / name)


def test_unwritable_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RenderError, match="cannot write there"):
        VideoWriter(tmp_path / "file" / "film.mp4")


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_nothing_is_left_of_a_film_that_fails(tmp_path: Path, moving_frames: Frames, suffix: str) -> None:
    path = tmp_path / f"film{suffix}"
    path.write_text("old")
    with pytest.raises(RenderError, match="follows"):
        write_video(path, [*moving_frames, moving_frames[0][:10]])
    with pytest.raises(RenderError, match="at least one frame"):
        write_video(path, [])
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
