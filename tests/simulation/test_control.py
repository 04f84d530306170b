"""Actions in [-1, 1] and ctrl in MuJoCo's units."""

import mujoco
import numpy as np
import pytest

from morphnet.simulation import ControlScale

RANGES = [(-1.0, 1.0), (-0.4, 0.4), (0.0, 1.0), (-0.3, 0.7), (-2.7227, -0.83776), (2.0, 50.0)]


@pytest.fixture
def model():
    motors = "".join(f'<motor joint="j" ctrlrange="{low} {high}"/>' for low, high in RANGES)
    return mujoco.MjModel.from_xml_string(
        f"""<mujoco><worldbody><body><joint name="j"/><geom size=".1"/></body></worldbody>
        <actuator>{motors}<motor joint="j"/></actuator></mujoco>"""
    )


def test_ends_and_middle_of_each_range(model):
    scale = ControlScale(model)
    ends = np.array([*RANGES, (-1.0, 1.0)])  # a motor without a range runs from -1 to 1
    for action, ctrl in [(-1.0, ends[:, 0]), (1.0, ends[:, 1]), (0.0, ends.mean(axis=1))]:
        np.testing.assert_allclose(scale.to_ctrl(np.full(model.nu, action)), ctrl, rtol=1e-15, atol=1e-15)
        np.testing.assert_allclose(scale.to_action(ctrl), action, rtol=0, atol=1e-15)


def test_both_ways_undo_each_other_and_clip(model):
    scale = ControlScale(model)
    action = np.random.default_rng(0).uniform(-1, 1, (50, model.nu))
    np.testing.assert_allclose(scale.to_action(scale.to_ctrl(action)), action, rtol=0, atol=1e-14)
    np.testing.assert_array_equal(scale.to_ctrl(action + 5), scale.to_ctrl(np.ones_like(action)))
    np.testing.assert_array_equal(scale.to_action(np.full(model.nu, -1e9)), -1.0)


def test_ctrl_is_never_outside_the_range(model):
    """Not even by the one unit in the last place that rounding the middle of a range may cost."""
    scale = ControlScale(model)
    for action in (-1.0, 1.0):
        ctrl = scale.to_ctrl(np.full(model.nu, action))
        assert np.array_equal(ctrl[:-1], np.clip(ctrl[:-1], *model.actuator_ctrlrange[:-1].T))


@pytest.mark.parametrize("shape", [(3, 6), (3, 8), (7, 3), (6,), (1,)])
def test_actions_of_another_size_are_refused(model, shape):
    assert model.nu == 7
    with pytest.raises(ValueError, match=r"expected \(\.\.\., 7\)"):
        ControlScale(model).to_ctrl(np.zeros(shape))
