import mujoco
import numpy as np
import pytest

from morphnet.bodies import load_body
from morphnet.rendering.camera import TrackingCamera, view_angles
from morphnet.rendering.scene import bounding_radius

SLIDES = "<mujoco><worldbody><body>{joints}<geom size='.1'/></body></worldbody></mujoco>"


@pytest.mark.parametrize(
    ("axes", "azimuth", "from_above"),
    [(("1 0 0", "0 0 1"), 90.0, False), (("0 1 0", "0 0 1"), 180.0, False), (("1 0 0", "0 1 0"), 90.0, True)],
)
def test_planar_body_is_seen_in_full_view(axes: tuple[str, str], azimuth: float, from_above: bool) -> None:
    joints = "".join(f"<joint type='slide' axis='{axis}'/>" for axis in axes)
    model = mujoco.MjModel.from_xml_string(SLIDES.format(joints=joints))
    angles = view_angles(model, 1, planar=True)
    assert angles[0] == pytest.approx(azimuth)
    assert (angles[1] < -45.0) == from_above


def test_a_fixed_base_is_seen_from_above_and_aside() -> None:
    """It may move in any plane, and edge-on nothing would be seen of it."""
    model = mujoco.MjModel.from_xml_string(SLIDES.format(joints="<joint axis='0 0 1'/>"))
    azimuth, elevation = view_angles(model, 1, planar=True)
    assert azimuth % 90.0 > 10.0
    assert -60.0 < elevation < -20.0


def test_fast_runner_stays_in_the_middle() -> None:
    body = load_body("gymnasium:half_cheetah")
    data = mujoco.MjData(body.model)
    camera = TrackingCamera(body, aspect=4 / 3)
    radius = bounding_radius(body.model, body.graph.root_body)
    offsets = []
    for frame in range(200):
        data.subtree_com[body.graph.root_body] = (8.0 * frame / 30, 0.0, 0.5 + 0.1 * np.sin(frame))
        view = camera.follow(data)
        offsets.append(data.subtree_com[body.graph.root_body] - view.lookat)
    assert np.abs(np.array(offsets)[-50:, 0]).max() < 0.05
    assert np.abs(np.array(offsets)[:, 0]).max() <= radius / 2 + 1e-9
