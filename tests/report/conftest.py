"""A tiny run to report on, with a held-out body, and the page about it."""

import json
import sys
from types import SimpleNamespace

import pytest

from morphnet import cli
from morphnet.bodies import suite_from_folder
from morphnet.look import Look
from morphnet.report import write

ROBOT = """<mujoco><option timestep="0.02"/><worldbody><body name="cart"><joint name="x" type="slide" axis="1 0 0"/>
  <geom size=".1"/>{flap}</body></worldbody><actuator><motor joint="x"/></actuator></mujoco>"""
FLAP = """<body pos=".2 0 0"><joint name="flap" range="-40 40" damping=".1"/><geom size=".05"/></body>"""
TASKS = """[cart]
max_episode_steps = 6
healthy_reward = 300.0
[flapper]
max_episode_steps = 4
healthy_reward = 2.0
"""
TINY = [
    "--steps=160", "--expert-steps=0", "--num-sims=2", "--horizon=10", "--epochs=1", "--minibatches=2",
    "--save-every=2", "--hidden=16", "--own=4", "--width=16", "--depth=1", "--heads=2",
]  # fmt: skip


@pytest.fixture(scope="session")
def robots(tmp_path_factory):
    """A folder with three robots of two families; one of them is held out."""
    folder = tmp_path_factory.mktemp("report") / "robots"
    folder.mkdir()
    for name, flap in (("cart", ""), ("flapper", FLAP), ("cart_spare", "")):
        (folder / f"{name}.xml").write_text(ROBOT.format(flap=flap))
    (folder / "suite.toml").write_text(TASKS)
    splits = {"train": {"carts": ["cart"], "flappers": ["flapper"]}, "held_out": {"carts": ["cart_spare"]}}
    (folder / "splits.json").write_text(json.dumps(splits))
    return folder


@pytest.fixture(scope="session")
def trained(robots):
    """The folder of a run of four updates on two bodies."""
    folder = robots.parent / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["morphnet", "train", f"--bodies={robots}", f"--out={folder}", *TINY])
        cli.main()
    return folder


@pytest.fixture
def report(monkeypatch, capfd):
    """Return a function that runs ``morphnet report`` in this process."""

    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["morphnet", "report", *map(str, arguments)])
        capfd.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code
        out, err = capfd.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return command


@pytest.fixture(scope="session")
def page(robots, trained):
    """Folder and numbers of a whole report, its videos included where there is OpenGL."""
    out = trained.parent / "page"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write, "LOOK", Look(seconds=0.5, width=96, height=72, fps=10))
        numbers = write.write_report(trained, out, suite_from_folder(robots), episodes=2, videos=1, seed=3)
    return SimpleNamespace(folder=out, numbers=numbers)
