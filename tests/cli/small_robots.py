"""A suite of two robots that are simulated in no time, and flags with which training on it takes a second."""

from __future__ import annotations

PUCK = """<mujoco><option timestep="0.02"/><worldbody><body name="puck"><joint name="x" type="slide" axis="1 0 0"/>
  <geom size=".1"/><body pos=".2 0 0"><joint name="flap" range="-40 40" damping=".1"/><geom size=".05"/></body></body>
  </worldbody><actuator><motor joint="flap"/></actuator></mujoco>"""
SLIDER = """<mujoco><option timestep="0.02"/><worldbody><body name="cart"><joint name="x" type="slide" axis="1 0 0"/>
  <geom size=".1"/></body></worldbody><actuator><motor joint="x"/></actuator></mujoco>"""
TASKS = "[puck]\nframe_skip = 1\nmax_episode_steps = 20\n[slider]\nframe_skip = 2\nmax_episode_steps = 10\n"
SPLITS = {"train": {"pucks": ["puck"]}, "held_out": {"carts": ["slider"]}}
TINY = [
    "--steps=64", "--expert-steps=0", "--num-sims=2", "--horizon=16", "--epochs=1", "--minibatches=2",
    "--hidden=16", "--own=4", "--width=16", "--depth=1", "--heads=2",
]  # fmt: skip
