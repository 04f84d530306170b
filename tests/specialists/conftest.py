"""A puck that is pushed along x: it learns in seconds, and its best return is known."""

from __future__ import annotations

from pathlib import Path

import pytest
from pucks import constant_actor

from morphnet.bodies import Body, load_body
from morphnet.config import NetworkConfig, TrainConfig
from morphnet.policy import Policy

# the arm only adds an actuator that has to be kept still: it costs, and moves nothing forward
PUCK = """<mujoco><option timestep="0.05" gravity="0 0 0"/><worldbody><body name="puck">
  <joint name="x" type="slide" axis="1 0 0" damping="1"/><geom size=".1" mass="1"/>
  <body name="arm"><joint name="spin" axis="1 0 0" damping=".1" armature=".1"/><geom size=".1" mass=".1"/></body>
  </body></worldbody>
  <actuator><motor name="push" joint="x" gear="5"/><motor name="turn" joint="spin"/></actuator></mujoco>"""
TASK = 'frame_skip = 1\nmax_episode_steps = 50\nctrl_cost = 0.5\nqvel_noise = 0.5\nvelocity = "body"\n'


@pytest.fixture(scope="session")
def puck_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("puck") / "puck.xml"
    path.write_text(PUCK)
    path.with_suffix(".toml").write_text(TASK)
    return path


@pytest.fixture(scope="session")
def puck(puck_path: Path) -> Body:
    return load_body(puck_path)


@pytest.fixture
def pushing(puck: Body) -> Policy:
    """Return the best policy there is: full push, arm still."""
    return Policy(puck, constant_actor(puck, [1.0, 0.0]), {"kind": "test"})


@pytest.fixture
def lazy(puck: Body) -> Policy:
    return Policy(puck, constant_actor(puck, [0.1, 0.3]), {"kind": "test"})


@pytest.fixture
def tiny() -> TrainConfig:
    network = NetworkConfig(hidden=16, own=4, initial_log_std=-0.2)  # at 50 ms: -0.66
    return TrainConfig(steps=1500, num_sims=4, horizon=16, epochs=4, minibatches=2, threads=1, network=network)
