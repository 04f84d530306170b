"""Observations: what an actor reads, as a function of state, last control and task alone.

An observation is a flat vector; ``ObservationLayout`` says what its entries are. Slots that cannot vary on a
body (the sideways velocity of a planar robot) are left out, so that a policy has exactly the inputs its robot
needs.
"""

from __future__ import annotations

import mujoco
import numpy as np

from morphnet.bodies import Body, Task
from morphnet.morphology.membership import among
from morphnet.morphology.transmission import control_owners
from morphnet.simulation.compiled import compiled
from morphnet.simulation.control import ControlScale
from morphnet.simulation.kinematics import FIELDS, Kinematics, update_kinematics
from morphnet.simulation.layout import full_layout
from morphnet.simulation.observation_kernel import (
    ACTUATOR,
    BALL,
    BODY,
    FIRST_SLOT,
    JOINT,
    RANGED,
    SIGNATURE,
    SPEED,
    TIP,
    TURN,
    TURNING,
    Senses,
    room_for_slots,
    write_observations,
)

_STATES = 12
"""At so many random states it is tried which slots vary."""


class Observer:
    """Turns states of one body into observations.

    Attributes:
        layout: which entry of an observation is what.
        size: number of entries.
        senses: the same, for compiled loops.
    """

    def __init__(self, body: Body) -> None:
        """Fix the layout of ``body``; costs a dozen evaluations of its kinematics."""
        graph, model = body.graph, body.model
        moving = np.flatnonzero((model.body_dofnum[graph.body_ids] > 0) & (graph.body_ids != graph.root_body))
        observed = ~among(graph.joint_ids, graph.root_joint_ids)
        free = model.jnt_type[graph.joint_ids] == mujoco.mjtJoint.mjJNT_FREE
        joints = np.flatnonzero(observed & ~free)
        full = full_layout(body, moving, joints)
        self._write = compiled(write_observations, *SIGNATURE)
        self._told = 3 if body.task.kind == "reach" else 2
        data = mujoco.MjData(model)
        mujoco.mj_kinematics(model, data)
        self.senses = Senses(
            bodies=_body_table(model, np.concatenate([[graph.root_body], graph.body_ids[moving]])),
            joints=_joint_table(model, graph.joint_ids[joints]),
            actuators=_actuator_table(model),
            tips=tip_table(body),
            can_yaw=bool(body.base.can_yaw),
            start_height=float(data.xpos[graph.root_body, 2]),
            keep=np.arange(full.size) + FIRST_SLOT,
        )
        keep = self.senses.keep[self._varying(body, data)]
        self.senses = self.senses._replace(keep=keep)
        self.layout = full.select(keep - FIRST_SLOT)
        self.size = self.layout.size

    def observe(
        self,
        kinematics: Kinematics,
        command: np.ndarray,
        out: np.ndarray | None = None,
        sims: np.ndarray | None = None,
    ) -> np.ndarray:
        """Observe n simulations.

        Args:
            kinematics: their states; all fields at the same instant.
            command: (n, 2) or (2,) unit vector in the world in which to run, or of a body that reaches (n, 3) or (3,)
                the point to reach (m).
            out: (n, size) float32 to write to; a new array when None.
            sims: (m,) int64, the simulations whose rows are to be written; all when None.

        Returns:
            ``out``.

        Raises:
            ValueError: commands of another shape.
        """
        k, n = kinematics, len(kinematics.qpos)
        out = np.empty((n, len(self.senses.keep)), np.float32) if out is None else out
        sims = np.arange(n) if sims is None else sims
        if command.ndim == 1:
            command = np.broadcast_to(command, (n, len(command)))
        if command.shape != (n, self._told):  # the compiled loop checks nothing
            raise ValueError(f"commands of shape {command.shape}: expected ({n}, {self._told})")
        fields = (k.qpos, k.qvel, k.act, k.ctrl, k.xipos, k.xmat, k.xpos, k.cvel, k.subtree_com)
        self._write(self.senses, *fields, command, sims, room_for_slots(self.senses), out)
        return out

    def _varying(self, body: Body, data: mujoco.MjData) -> np.ndarray:
        """Which slots can vary at all, judged at random states, controls and commands; (slots,) bool."""
        model, rng, controls = body.model, np.random.default_rng(0), ControlScale(body.model)
        seen = Kinematics(*(np.empty((_STATES, *getattr(data, name).shape)) for name in FIELDS))
        command = np.empty((_STATES, self._told))
        for state in range(_STATES):
            _randomise(model, data, rng)
            update_kinematics(model, data)
            for name in FIELDS:
                getattr(seen, name)[state] = getattr(data, name)
            command[state] = _random_command(body.task, rng)
        seen.ctrl[:] = controls.to_ctrl(seen.ctrl)
        return np.ptp(self.observe(seen, command), axis=0) > 1e-6


def tip_table(body: Body) -> np.ndarray:
    """What reaches for the goal, as one record; none where the body runs."""
    table = np.zeros(int(body.task.kind == "reach"), TIP)
    for tip in table:
        tip["body"], tip["offset"] = body.end_effector
    return table


def _random_command(task: Task, rng: np.random.Generator) -> np.ndarray:
    if task.kind == "reach":
        return rng.normal(size=3)
    angle = rng.uniform(-np.pi, np.pi)
    return np.array([np.cos(angle), np.sin(angle)])


def _body_table(model: mujoco.MjModel, bodies: np.ndarray) -> np.ndarray:
    table = np.zeros(len(bodies), BODY)
    table["body"], table["tree"] = bodies, model.body_rootid[bodies]
    return table


def _joint_table(model: mujoco.MjModel, joints: np.ndarray) -> np.ndarray:
    kind, limited = model.jnt_type[joints], model.jnt_limited[joints].astype(bool)
    ball, slide = kind == mujoco.mjtJoint.mjJNT_BALL, kind == mujoco.mjtJoint.mjJNT_SLIDE
    low, high = np.where(limited[:, None], model.jnt_range[joints], [-1.0, 1.0]).T
    table = np.zeros(len(joints), JOINT)
    table["seen_as"] = np.where(ball, BALL, np.where(limited | slide, RANGED, TURNING))
    table["qpos"], table["dof"] = model.jnt_qposadr[joints], model.jnt_dofadr[joints]
    table["centre"], table["half"] = (low + high) / 2, np.maximum((high - low) / 2, 1e-6)
    table["rate"] = np.where(slide, SPEED, TURN)
    return table


def _actuator_table(model: mujoco.MjModel) -> np.ndarray:
    controls, owners = ControlScale(model), control_owners(model)
    count = model.actuator_actnum[owners]
    table = np.zeros(model.nu, ACTUATOR)
    table["centre"], table["half"] = controls.centre, controls.half
    table["act"] = np.where(count > 0, model.actuator_actadr[owners] + count - 1, -1)
    return table


def _randomise(model: mujoco.MjModel, data: mujoco.MjData, rng: np.random.Generator) -> None:
    """Put ``data`` at a random state; its ctrl are actions, from -1 to 1."""
    data.qpos[:] = model.qpos0
    # a velocity integrated for a second moves every joint within its own kind of space (quaternions too)
    mujoco.mj_integratePos(model, data.qpos, rng.normal(size=model.nv), 1.0)
    data.qvel[:] = rng.normal(size=model.nv)
    data.ctrl[:] = rng.uniform(-1, 1, model.nu)
    data.act[:] = rng.uniform(0, 1, model.na)
