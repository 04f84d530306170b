"""The simulation behind a live view: a policy drives the body in real time."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import mujoco
import numpy as np
from mujoco.studio import messages, plugin, sim

from morphnet.bodies import Body
from morphnet.simulation import Simulation
from morphnet.simulation.judge import Health

Act = Callable[[mujoco.MjData], np.ndarray]
BEHIND_SECONDS = 0.05
"""What is further behind real time is dropped: a slow machine shows slow motion, and still answers."""
LYING_SECONDS = 2.0
"""How long a robot that has fallen is left to itself before it starts again."""
AFTER_MUJOCO = 0
"""Priority of handlers that run when MuJoCo's own, at 1, have run."""


class Driver(plugin.SimPlugin):
    """Steps the physics and asks the policy exactly once a control step.

    It stands in for MuJoCo's own stepping plugin, which takes as many physics steps at once as real time asks for and
    so cannot keep to control steps.
    """

    def __init__(self, body: Body, act: Act, seed: int) -> None:
        """Drive ``body`` with ``act``; the seed is for the start states."""
        self._body, self._act = body, act
        self._starts, self._health = Simulation(body, 1, np.random.default_rng(seed)), Health(body)
        self._settings = messages.StepControlSnapshot()
        self._single_step = False
        self._step = 0  # physics steps since the start
        self._fallen = 0  # physics steps since the fall, in multiples of a control step
        self._clock: float | None = None  # real time up to which the physics has been run; None where it stood still

    @messages.handler
    def on_settings(self, event: messages.StepControlSnapshot) -> None:
        """Take over pause and speed from the page."""
        self._settings, self._clock = event, None

    @messages.handler
    def on_pause(self, event: messages.RequestPauseEvent) -> None:
        """Pause or go on, and tell the page."""
        self._settings = dataclasses.replace(self._settings, pause_state=event.pause_state)
        self._clock = None
        self.handle.send_to_viewer(self._settings)

    @messages.handler
    def on_single_step(self, event: messages.SingleStepEvent) -> None:
        """Note that one physics step is wanted."""
        self._single_step = True

    @messages.handler(priority=AFTER_MUJOCO)
    def on_model(self, event: messages.PostModelEvent) -> None:
        """Start the first episode."""
        self._start(event.model, event.data)

    @messages.handler(priority=AFTER_MUJOCO)
    def on_reset(self, event: messages.ResetEvent) -> None:
        """Start another episode."""
        if self.handle.model is not None and self.handle.data is not None:
            self._start(self.handle.model, self.handle.data)

    @messages.handler
    def on_step(self, event: messages.StepEvent) -> None:
        """Run the physics up to the present."""
        now = time.perf_counter()
        if self._settings.pause_state != sim.PauseState.UNPAUSED:
            self._clock = None
            if self._single_step:
                self._advance(event.model, event.data)
        elif self._clock is None:
            self._clock = now
        else:
            step = event.model.opt.timestep * 100.0 / self._settings.speed
            self._clock = max(self._clock, now - BEHIND_SECONDS)
            while self._clock + step <= now:
                self._advance(event.model, event.data)
                self._clock += step
        self._single_step = False
        time.sleep(0.001)  # leaves the page's thread its share

    def _advance(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Take one physics step, at a control step's start with a new control."""
        if self._step % self._body.frame_skip == 0:
            if self._has_lain(data):
                self._start(model, data)
            data.ctrl[:] = self._act(data)
        mujoco.mj_step(model, data)
        self._step += 1

    def _has_lain(self, data: mujoco.MjData) -> bool:
        """Whether the robot has been down long enough to start again."""
        healthy = self._health(data)
        self._fallen = 0 if healthy else self._fallen + self._body.frame_skip
        return self._fallen * self._body.model.opt.timestep > LYING_SECONDS

    def _start(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Put ``data`` at a start state of the body's task."""
        self._starts.reset()
        mujoco.mj_resetData(model, data)
        data.qpos[:], data.qvel[:] = self._starts.kinematics.qpos[0], self._starts.kinematics.qvel[0]
        mujoco.mj_forward(model, data)
        self._step = self._fallen = 0
