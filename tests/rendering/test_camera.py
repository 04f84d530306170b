import mujoco
import numpy as np
import pytest

from morphnet.rendering.camera import TrackingCamera, view_angles

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


def test_fast_runner_stays_in_the_middle() -> None:
    model = mujoco.MjModel.from_xml_string(SLIDES.format(joints="<freejoint/>"))
    data = mujoco.MjData(model)
    camera = TrackingCamera(model, 1, planar=False, radius=0.5, aspect=4 / 3)
    offsets = []
    for frame in range(200):
        data.subtree_com[1] = (8.0 * frame / 30, 0.0, 0.5 + 0.1 * np.sin(frame))
        view = camera.follow(data)
        offsets.append(data.subtree_com[1] - view.lookat)
    assert np.abs(np.array(offsets)[-50:, 0]).max() < 0.05
    assert np.abs(np.array(offsets)[:, 0]).max() <= 0.25 + 1e-9
