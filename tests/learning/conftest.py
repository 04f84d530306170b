"""Three small robots, a folder that holds them, and a configuration that trains them in seconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from morphnet.bodies import Body, load_body
from morphnet.config import NetworkConfig, TrainConfig
from morphnet.learning import group as grouping
from morphnet.simulation import Simulation

# a puck that is pushed along x
SLIDER = """<mujoco><option timestep="0.02" gravity="0 0 0"/><worldbody><body name="puck">
  <joint name="x" type="slide" axis="1 0 0" damping="1"/><geom size=".1" mass="1"/></body></worldbody>
  <actuator><motor joint="x" gear="5"/></actuator></mujoco>"""

# a planar body that tips over (it is terminated), with two driven arms
TIPPER = """<mujoco><option timestep="0.01"/><worldbody><geom type="plane" size="0 0 1"/>
  <body name="trunk" pos="0 0 .5"><joint name="x" type="slide" axis="1 0 0"/><joint name="z" type="slide" axis="0 0 1"/>
  <joint name="pitch" axis="0 1 0"/><geom type="capsule" size=".05 .2"/>
  <body name="front" pos=".05 0 -.2"><joint name="front" axis="0 1 0" range="-60 60" damping=".1"/>
    <geom type="capsule" size=".03" fromto="0 0 0 .1 0 -.25"/></body>
  <body name="back" pos="-.05 0 -.2"><joint name="back" axis="0 1 0" range="-40 70" damping=".1"/>
    <geom type="capsule" size=".03" fromto="0 0 0 -.1 0 -.2"/></body></body></worldbody>
  <actuator><motor joint="front" gear="4"/><motor joint="back" gear="4"/></actuator></mujoco>"""

# a free body that lies on the floor and crawls; its velocity is read from the derived field xpos
CRAWLER = """<mujoco><option timestep="0.005"/><worldbody><body name="trunk" pos="0 0 .11"><freejoint/>
  <geom type="box" size=".2 .1 .05"/>
  <body name="arm" pos=".2 0 0"><joint name="lift" axis="0 1 0" range="-60 60" damping=".2"/>
    <joint name="turn" axis="0 0 1" range="-40 40" damping=".2"/>
    <geom type="capsule" size=".04" fromto="0 0 0 .3 0 0"/></body></body></worldbody>
  <actuator><motor joint="lift" gear="6"/><motor joint="turn" gear="3"/></actuator></mujoco>"""

TASKS = """
[slider]
frame_skip = 1
max_episode_steps = 11
qvel_noise = 0.5
[tipper]
frame_skip = 2
max_episode_steps = 60
height = [0.2, 2.0]
angle = [-0.5, 0.5]
qpos_noise = 0.1
healthy_reward = 1.0
[crawler]
frame_skip = 4
max_episode_steps = 25
velocity = "body"
"""

TINY = TrainConfig(
    steps=4000,
    num_sims=4,
    horizon=16,
    epochs=2,
    minibatches=2,
    save_every=2,
    network=NetworkConfig(hidden=16, own=4, width=16, depth=1, heads=2),
)


@pytest.fixture(scope="session")
def small_bodies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the three robots and their tasks."""
    folder = tmp_path_factory.mktemp("small")
    for name, xml in (("slider", SLIDER), ("tipper", TIPPER), ("crawler", CRAWLER)):
        (folder / f"{name}.xml").write_text(xml)
    (folder / "suite.toml").write_text(TASKS)
    return folder


@pytest.fixture(scope="session")
def robots(small_bodies: Path) -> list[Body]:
    return [load_body(small_bodies / f"{name}.xml") for name in ("slider", "tipper", "crawler")]


@pytest.fixture
def tiny() -> TrainConfig:
    return TINY


@pytest.fixture
def simulate(robots: list[Body]) -> Callable[..., list[Simulation]]:
    """Return a function that makes one simulation a robot, seeded."""

    def make(num_sims: int = 3, seed: int = 0) -> list[Simulation]:
        return [Simulation(body, num_sims, np.random.default_rng([seed, i])) for i, body in enumerate(robots)]

    return make


@pytest.fixture
def make_group(simulate: Callable[..., list[Simulation]]) -> Callable[..., grouping.BodyGroup]:
    """Return a function that puts all three robots into one group: slider, tipper, crawler."""

    def make(num_sims: int = 3, seed: int = 0) -> grouping.BodyGroup:
        rngs = [np.random.default_rng([seed, 100 + i]) for i in range(3)]
        pairs = [(simulation.body.name, simulation) for simulation in simulate(num_sims, seed)]
        (group,) = grouping.make_groups(pairs, rngs, threads=1)
        return group

    return make
