"""A puck that is pushed along x: it learns in seconds, and its best return is known."""

from __future__ import annotations

import numpy as np

from morphnet.bodies import Body
from morphnet.policy import ActorWeights
from morphnet.simulation import Observer

# the arm only adds an actuator that has to be kept still: it costs, and moves nothing forward
PUCK = """<mujoco><option timestep="0.05" gravity="0 0 0"/><worldbody><body name="puck">
  <joint name="x" type="slide" axis="1 0 0" damping="1"/><geom size=".1" mass="1"/>
  <body name="arm"><joint name="spin" axis="1 0 0" damping=".1" armature=".1"/><geom size=".1" mass=".1"/></body>
  </body></worldbody>
  <actuator><motor name="push" joint="x" gear="5"/><motor name="turn" joint="spin"/></actuator></mujoco>"""
TASK = 'frame_skip = 1\nmax_episode_steps = 50\nctrl_cost = 0.5\nqvel_noise = 0.5\nvelocity = "body"\n'


def constant_actor(body: Body, action: list[float], log_std: float = -0.5) -> ActorWeights:
    """An actor that always does the same, whatever it sees."""
    size, nu, hidden = Observer(body).size, body.model.nu, 12
    rng = np.random.default_rng(0)
    weights = tuple(rng.normal(size=shape).astype(np.float32) for shape in ((hidden, size), (hidden, hidden)))
    last = np.zeros((nu, hidden), np.float32)
    biases = (np.zeros(hidden, np.float32), np.zeros(hidden, np.float32), np.array(action, np.float32))
    return ActorWeights((*weights, last), biases, np.full(nu, log_std, np.float32))
