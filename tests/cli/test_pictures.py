"""What render, inspect --image and demo draw."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest

from morphnet import demo, hypernetwork, references
from morphnet.bodies import load_body
from morphnet.look import Look
from morphnet.references import add_reference, rounded


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_render(needs_gl, morphnet_command, small_suite, tmp_path, suffix):
    film = tmp_path / f"film{suffix}"
    size = ["--seconds=0.5", "--width=96", "--height=64", "--fps=10"]
    outcome = morphnet_command("render", small_suite / "puck.xml", "--policy=random", "--out", film, *size)
    assert outcome.code == 0, outcome
    assert str(film) in outcome.out
    frames = imageio.imread(film, index=None)
    assert frames.shape[:3] == (5, 64, 96)
    assert frames.std() > 5, "a picture, not one colour"


def test_render_several_policies_side_by_side(needs_gl, morphnet_command, run, small_suite, tmp_path):
    policy, film = tmp_path / "mine", tmp_path / "film.mp4"
    assert morphnet_command("generate", small_suite / "puck.xml", "--checkpoint", run[0], "--out", policy).code == 0
    size = ["--seconds=0.5", "--width=240", "--height=180", "--fps=10", "--speed=0.5", "--checkpoint", run[0]]
    outcome = morphnet_command(
        "render", small_suite / "puck.xml", "--policy", "zero-shot", "random", policy, "--out", film, *size
    )
    assert outcome.code == 0, outcome
    frames = imageio.imread(film, index=None).astype(int)
    assert frames.shape[:3] == (5, 180, 3 * 240)
    zero_shot, random, folder = np.split(frames[-1, 50:130], 3, axis=1)  # between title and numbers
    assert np.abs(zero_shot - random).max() > 30, "random moves otherwise"
    assert np.abs(zero_shot - folder).mean() < 3, "the same policy from a folder"


def test_render_a_mosaic_of_a_folder(needs_gl, morphnet_command, run, small_suite, tmp_path):
    film = tmp_path / "film.mp4"
    size = ["--seconds=0.3", "--width=96", "--height=64", "--fps=10", "--checkpoint", run[0], "--split=train"]
    outcome = morphnet_command("render", "--bodies", small_suite, "--out", film, *size)
    assert outcome.code == 0, outcome
    assert imageio.imread(film, index=None).shape[:3] == (3, 128, 192)


def test_inspect_draws_the_robot_and_its_graph(needs_gl, morphnet_command, small_suite, tmp_path):
    outcome = morphnet_command("inspect", small_suite / "puck.xml", "--image", tmp_path / "puck.png")
    assert outcome.code == 0, outcome
    picture = imageio.imread(tmp_path / "puck.png")
    assert picture.shape[0] > 100
    assert picture[..., :3].std() > 5


def test_demo_on_a_tiny_checkpoint(needs_gl, morphnet_command, run, small_suite, tmp_path, monkeypatch):
    """The first body has a reference, to whose demonstration the emitted policy is adapted."""
    policy = rounded(hypernetwork.Hypernetwork.load(run[0]).generate(load_body(small_suite / "puck.xml")))
    measured = {"return_mean": 3.0, "return_std": 0.1, "length_mean": 20.0, "episodes": 9, "seed": 1}
    add_reference(tmp_path / "references", policy, {**measured, "random_mean": 0.0, "random_std": 0.1})
    monkeypatch.setattr(references, "SHIPPED", tmp_path / "references")
    monkeypatch.setattr(demo, "ADAPT_SECONDS", 1.0)
    monkeypatch.setattr(hypernetwork, "SHIPPED", run[0])
    monkeypatch.setattr(demo, "BODIES", tuple(str(small_suite / f"{name}.xml") for name in ("puck", "slider")))
    monkeypatch.setattr(demo, "Look", lambda **_: Look(0.2, 96, 64, 10))
    outcome = morphnet_command("demo", "--out", tmp_path / "demo", "--json=-")
    assert outcome.code == 0, outcome
    report = outcome.json
    assert [row["body"] for row in report["bodies"]] == ["puck", "slider"]
    assert [row["seen"] for row in report["bodies"]] == ["yes", "no"]
    puck, slider = report["bodies"]
    assert puck["demonstrator"] == 3.0
    assert puck["scores"]["adapted"] == pytest.approx(min(max(puck["adapted"] / 3.0, 0.0), 1.2))
    assert not {"adapted", "demonstrator", "scores"} & set(slider)
    assert len(report["films"]) == 2
    for film, policies in zip(report["films"], (3, 2), strict=True):
        frames = imageio.imread(film, index=None)
        assert frames.shape[:3] == (2, 64, 96 * policies), "random, zero-shot and adapted side by side"
        assert film in outcome.err, "it says where they are; standard output is for JSON"
    assert Path(report["report"]).read_text().startswith("<!doctype html>")
    assert report["report"] in outcome.err
