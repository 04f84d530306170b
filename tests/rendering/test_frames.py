import copy
from collections.abc import Callable

import mujoco
import numpy as np
import pytest

from morphnet.errors import RenderError
from morphnet.rendering.frames import render_frames
from morphnet.rendering.scene import Preset, subtree_bodies

BODIES = [("hopper", True), ("half_cheetah", True), ("swimmer", True), ("ant", False), ("humanoid", False)]
Load = Callable[[str], mujoco.MjModel]
pytestmark = pytest.mark.usefixtures("needs_gl")


def hidden_robot(model: mujoco.MjModel) -> mujoco.MjModel:
    """The same model with an invisible robot: what is left is the background."""
    hidden = copy.copy(model)
    geoms = np.isin(hidden.geom_bodyid, subtree_bodies(hidden, 1))
    hidden.geom_matid[geoms] = -1
    hidden.geom_rgba[geoms, 3] = 0.0
    return hidden


def robot_mask(model: mujoco.MjModel, states: np.ndarray, planar: bool) -> np.ndarray:
    """Which pixels of the last picture show the robot."""
    size = {"width": 160, "height": 120, "root_body": 1, "planar": planar}
    *_, shown = render_frames(model, states, **size)
    *_, background = render_frames(hidden_robot(model), states, **size)
    return np.any(difference(shown, background) > 2, axis=-1)


def difference(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.abs(first.astype(int) - second)


def same(first: np.ndarray, second: np.ndarray) -> bool:
    """Software rendering may round a pixel differently in its first picture."""
    return difference(first, second).max() <= 2


def travelling(model: mujoco.MjModel, metres: float, frames: int) -> np.ndarray:
    states = np.tile(model.qpos0, (frames, 1))
    states[:, 0] = np.linspace(0.0, metres, frames)
    return states


@pytest.mark.parametrize(("name", "planar"), BODIES)
@pytest.mark.parametrize("metres", [0.0, 30.0])
def test_robot_is_framed_wherever_it_is(load: Load, name: str, planar: bool, metres: float) -> None:
    mask = robot_mask(load(name), travelling(load(name), metres, 120 if metres else 1), planar)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    assert 0.005 < mask.mean() < 0.3
    assert rows.min() > 2
    assert rows.max() < 117
    assert columns.min() > 2
    assert columns.max() < 157
    assert max(np.ptp(rows) / 120, np.ptp(columns) / 160) > 0.35


def test_reset_cuts_back_to_the_robot(load: Load) -> None:
    model = load("half_cheetah")
    states = np.vstack([travelling(model, 30.0, 60), model.qpos0[None]])
    assert robot_mask(model, states, True).mean() > 0.005


def test_pictures_differ_when_the_robot_moves(load: Load) -> None:
    model = load("ant")
    states = np.tile(model.qpos0, (3, 1))
    states[2, 7:] += 0.4
    first, second, third = render_frames(model, states, width=160, height=120, root_body=1, planar=False)
    assert first.shape == (120, 160, 3)
    assert first.dtype == np.uint8
    assert same(first, second)
    assert not same(first, third)


def test_full_states_and_positions_give_the_same_pictures(load: Load) -> None:
    model = load("hopper")
    data = mujoco.MjData(model)
    data.qpos[2] += 0.1
    state = np.empty(mujoco.mj_stateSize(model, mujoco.mjtState.mjSTATE_FULLPHYSICS))
    mujoco.mj_getState(model, data, state, mujoco.mjtState.mjSTATE_FULLPHYSICS)
    size = {"width": 160, "height": 120, "root_body": 1, "planar": True}
    (full,) = render_frames(model, state[None], **size)
    (positions,) = render_frames(model, data.qpos[None].copy(), **size)
    assert same(full, positions)


def test_pictures_may_be_larger_than_the_models_buffer_and_leave_the_model_alone(load: Load) -> None:
    model = load("hopper")
    before = model.geom_size.copy()
    (frame,) = render_frames(
        model, model.qpos0[None], width=1280, height=720, preset=Preset.QUALITY, root_body=1, planar=True
    )
    assert frame.shape == (720, 1280, 3)
    assert np.array_equal(model.geom_size, before)


def test_a_body_without_lights_is_lit() -> None:
    xml = "<mujoco><worldbody><body><freejoint/><geom size='.1' rgba='1 1 1 1'/></body></worldbody></mujoco>"
    model = mujoco.MjModel.from_xml_string(xml)
    (frame,) = render_frames(model, model.qpos0[None], width=160, height=120, root_body=1, planar=False)
    assert frame[60, 80].min() > 120


def test_interleaved_films_do_not_disturb_each_other(load: Load) -> None:
    model = load("hopper")
    size = {"width": 160, "height": 120, "root_body": 1, "planar": True}
    states = travelling(model, 1.0, 4)
    alone = list(render_frames(model, states, **size))
    pairs = list(zip(render_frames(model, states, **size), render_frames(model, states[::-1], **size), strict=True))
    assert all(same(frame, pair[0]) for frame, pair in zip(alone, pairs, strict=True))


def test_states_of_another_body_are_refused(load: Load) -> None:
    with pytest.raises(RenderError, match=r"states have shape \(2, 3\)"):
        render_frames(load("hopper"), np.zeros((2, 3)), root_body=1, planar=True)
