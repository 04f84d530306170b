"""A camera that frames a body of any size and follows it."""

from __future__ import annotations

import math

import mujoco
import numpy as np

from morphnet.bodies import Body
from morphnet.rendering.scene import FIELD_OF_VIEW, bounding_radius

MARGIN = 1.3
POSITION_GAIN = 0.15
VELOCITY_GAIN = POSITION_GAIN**2 / 2  # critical damping of the tracking filter
HEIGHT_GAIN = 0.03
SLACK_RADII = 0.5  # how far from the middle the robot may get
JUMP_RADII = 2.0  # how far it may move between two frames and not count as put elsewhere


def planar_axes(model: mujoco.MjModel, root_body: int) -> list[np.ndarray]:
    """Return the directions (world frame) of the slides that carry ``root_body``, its ancestors' first."""
    chain = {root_body}
    while (body := min(chain)) != 0:  # parents come before their children
        chain.add(int(model.body_parentid[body]))
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    carries = np.isin(model.jnt_bodyid, list(chain)) & (model.jnt_type == mujoco.mjtJoint.mjJNT_SLIDE)
    return list(data.xaxis[carries])


def view_angles(model: mujoco.MjModel, root_body: int, planar: bool) -> tuple[float, float]:
    """Return azimuth and elevation (degrees): +x to the right, a planar body's plane in full view."""
    if not planar:
        return 120.0, -18.0
    axes = planar_axes(model, root_body)
    if not axes:  # stands on a fixed base, and may move in any plane
        return 120.0, -30.0
    level = [axis for axis in axes if abs(axis[2]) < 0.7]
    if len(level) >= 2:  # moves in the ground plane, as a swimmer does
        return 90.0, -60.0
    if not level:
        return 90.0, -8.0
    return math.degrees(math.atan2(level[0][1], level[0][0])) + 90.0, -8.0


class TrackingCamera:
    """Looks at the robot's centre of mass through a filter that ignores its bobbing and does not fall behind.

    The filter estimates the robot's velocity (an alpha-beta filter), so that a fast runner stays in the
    middle. It works frame by frame, and so also for live views.
    """

    def __init__(self, body: Body, aspect: float) -> None:
        """Frame a body, a planar one from the side.

        Args:
            body: the body.
            aspect: width over height of the picture.
        """
        self._root_body = body.graph.root_body
        self._radius = bounding_radius(body.model, self._root_body)
        self.view = mujoco.MjvCamera()
        self.view.type = mujoco.mjtCamera.mjCAMERA_FREE
        self.view.azimuth, self.view.elevation = view_angles(body.model, self._root_body, not body.base.can_yaw)
        half_angle = math.radians(FIELD_OF_VIEW / 2)
        self.view.distance = MARGIN * self._radius / math.sin(half_angle) * max(1.0, 1.0 / aspect)
        self._lookat: np.ndarray | None = None
        self._before = np.zeros(3)
        self._velocity = np.zeros(2)

    def follow(self, data: mujoco.MjData) -> mujoco.MjvCamera:
        """Move on by one frame; ``data`` needs ``subtree_com``."""
        target = data.subtree_com[self._root_body]
        if self._lookat is None or np.linalg.norm(target - self._before) > JUMP_RADII * self._radius:
            # A start, or a reset in the middle of a film: cut, rather than fly over.
            self._lookat = target.copy()
            self._velocity[:] = 0.0
        else:
            self._advance(self._lookat, target)
        self._before = target.copy()
        self.view.lookat = self._lookat
        return self.view

    def _advance(self, lookat: np.ndarray, target: np.ndarray) -> None:
        lookat[:2] += self._velocity
        behind = target[:2] - lookat[:2]
        lookat[:2] += POSITION_GAIN * behind
        self._velocity += VELOCITY_GAIN * behind
        lookat[2] += HEIGHT_GAIN * (target[2] - lookat[2])
        slack = SLACK_RADII * self._radius
        lookat[:] = np.clip(lookat, target - slack, target + slack)
