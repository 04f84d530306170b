"""Ten seconds of Ant as a film, by MorphNet and by Gymnasium's RecordVideo as it comes, in turns.

pip install "morphnet[benchmark]" && python -m benchmarks.video --out benchmarks/results/video.csv
"""

from __future__ import annotations

import csv
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import tyro

from morphnet.rendering import gl

os.environ["MUJOCO_GL"] = gl.choose_backend()  # RecordVideo's renderer reads it when MuJoCo is imported

import gymnasium
import imageio.v3 as imageio
from gymnasium.wrappers import RecordVideo

from morphnet import Hypernetwork, load_body
from morphnet.console import print_table
from morphnet.doctor import usable_cores
from morphnet.films import film_comparison
from morphnet.look import Look
from morphnet.runs import ZERO_SHOT

BODY, ENVIRONMENT = "gymnasium:ant", "Ant-v5"


def film_with_morphnet(folder: Path, look: Look) -> Path:
    """Load, generate, simulate and film; nothing is left out but Python's imports."""
    path = folder / "film.mp4"
    film_comparison(path, load_body(BODY), (ZERO_SHOT,), None, look, seed=0)
    return path


def film_with_record_video(folder: Path, look: Look) -> Path:
    """Drive Gymnasium's environment with the same policy, for as many control steps as the film has pictures.

    RecordVideo takes one picture a control step. Left to itself it would play Ant's at 20 a second; here it makes the
    same film as the other: as many pictures, as many a second.
    """
    body = load_body(BODY)
    policy = Hypernetwork.load().generate(body)
    plain = gymnasium.make(ENVIRONMENT, render_mode="rgb_array", width=look.width, height=look.height)
    env = RecordVideo(plain, str(folder / "films"), video_length=look.pictures, fps=look.fps)
    env.reset(seed=0)
    while env.recording:
        _, _, terminated, truncated, _ = env.step(policy.act(env.unwrapped.data))
        if terminated or truncated:
            env.reset()
    env.close()
    return next(folder.glob("films/*.mp4"))


CONTENDERS = {"morphnet, fast": film_with_morphnet, "RecordVideo": film_with_record_video}


def measure(rounds: int, look: Look) -> list[dict[str, Any]]:
    """Film in turns, so that what else the machine does hits both alike; one row a film."""
    rows: list[dict[str, Any]] = []
    for number in range(rounds):
        for name, contender in CONTENDERS.items():
            with tempfile.TemporaryDirectory() as folder:
                start, before = time.perf_counter(), sum(os.times()[:4])
                path = contender(Path(folder), look)
                seconds, work = time.perf_counter() - start, sum(os.times()[:4]) - before
                pictures, height, width, _ = imageio.imread(path, plugin="FFMPEG").shape
                size = path.stat().st_size
            rows.append({
                "round": number, "tool": name, "seconds": round(seconds, 3), "cpu_seconds": round(work, 2),
                "pictures": pictures, "width": width, "height": height,
                "kilobytes": size // 1000, "cores": usable_cores(),
                "load": round(os.getloadavg()[0], 2),
            })  # fmt: skip
    return rows


def main(out: Path | None = None, rounds: int = 5, seconds: float = 10.0) -> None:
    """Measure, print a table and write one CSV row a film.

    Args:
        out: the CSV.
        rounds: films of each tool.
        seconds: length of the films.
    """
    film_with_morphnet(Path(tempfile.mkdtemp()), Look(seconds=0.2))  # what only the first film pays: shaders, caches
    rows = measure(rounds, Look(seconds=seconds))
    if out is not None:
        with out.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    best = {name: min(row["seconds"] for row in rows if row["tool"] == name) for name in CONTENDERS}
    per_picture = {row["tool"]: best[row["tool"]] / row["pictures"] * 1e3 for row in rows}
    work = {name: min(row["cpu_seconds"] for row in rows if row["tool"] == name) for name in CONTENDERS}
    table = [(name, best[name], work[name], per_picture[name], best["RecordVideo"] / best[name]) for name in CONTENDERS]
    columns = ("tool", "seconds", "processor seconds", "ms a picture", "times as fast")
    print_table(f"{seconds:g} s of {ENVIRONMENT}", columns, table)


if __name__ == "__main__":
    tyro.cli(main)
