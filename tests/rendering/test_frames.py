import copy
import dataclasses

import numpy as np
import pytest

from morphnet.bodies import Body, load_body
from morphnet.errors import RenderError
from morphnet.look import Preset
from morphnet.rendering.frames import Filmer
from morphnet.rendering.scene import subtree_bodies

BODIES = [f"gymnasium:{name}" for name in ("hopper", "half_cheetah", "swimmer", "ant", "humanoid")]
pytestmark = pytest.mark.usefixtures("needs_gl")


def film(body: Body, states: np.ndarray, width: int = 160, height: int = 120) -> list[np.ndarray]:
    with Filmer(body, width, height) as filmer:
        return [filmer.picture(state) for state in states]


def hidden_robot(body: Body) -> Body:
    """The same body with an invisible robot: what is left is the background."""
    hidden = copy.copy(body.model)
    geoms = np.isin(hidden.geom_bodyid, subtree_bodies(hidden, body.graph.root_body))
    hidden.geom_matid[geoms] = -1
    hidden.geom_rgba[geoms, 3] = 0.0
    return dataclasses.replace(body, model=hidden)


def robot_mask(body: Body, states: np.ndarray) -> np.ndarray:
    """Which pixels of the last picture show the robot."""
    return np.any(difference(film(body, states)[-1], film(hidden_robot(body), states)[-1]) > 2, axis=-1)


def difference(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.abs(first.astype(int) - second)


def same(first: np.ndarray, second: np.ndarray) -> bool:
    """Software rendering may round a pixel differently in its first picture."""
    return difference(first, second).max() <= 2


def travelling(body: Body, metres: float, frames: int) -> np.ndarray:
    states = np.tile(body.model.qpos0, (frames, 1))
    states[:, 0] = np.linspace(0.0, metres, frames)
    return states


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("metres", [0.0, 30.0])
def test_robot_is_framed_wherever_it_is(name: str, metres: float) -> None:
    body = load_body(name)
    mask = robot_mask(body, travelling(body, metres, 120 if metres else 1))
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    assert 0.005 < mask.mean() < 0.3
    assert rows.min() > 2
    assert rows.max() < 117
    assert columns.min() > 2
    assert columns.max() < 157
    assert max(np.ptp(rows) / 120, np.ptp(columns) / 160) > 0.35


def test_reset_cuts_back_to_the_robot() -> None:
    body = load_body("gymnasium:half_cheetah")
    assert robot_mask(body, np.vstack([travelling(body, 30.0, 60), body.model.qpos0[None]])).mean() > 0.005


def test_pictures_differ_when_the_robot_moves() -> None:
    body = load_body("gymnasium:ant")
    states = np.tile(body.model.qpos0, (3, 1))
    states[2, 7:] += 0.4
    first, second, third = film(body, states)
    assert first.shape == (120, 160, 3)
    assert first.dtype == np.uint8
    assert same(first, second)
    assert not same(first, third)


@pytest.mark.parametrize("name", ["hopper", "bare"])
def test_floor_has_no_edge_and_stands_still_in_the_world(name: str, tmp_path) -> None:
    """A camera that jumps by whole tiles sees the same floor; one that jumps by less sees another."""
    body = load_body(name) if name == "hopper" else bare_body(tmp_path)
    here, far, between = (film(body, placed(body, x)[None])[0] for x in (0.0, 800.0, 800.3))
    assert np.mean(difference(here, far) > 12) < 0.002
    assert np.mean(difference(here, between) > 12) > 0.005


def test_a_bare_body_has_a_sky_and_a_floor_that_shows_motion(tmp_path) -> None:
    body = bare_body(tmp_path)
    picture = film(body, body.model.qpos0[None])[0]
    assert picture[2].min() > 120, "a light sky"
    assert picture[-20:].std() > 3, "lines on the floor"


def placed(body: Body, x: float) -> np.ndarray:
    qpos = body.model.qpos0.copy()
    qpos[0] = x
    return qpos


def bare_body(folder) -> Body:
    path = folder / "bare.xml"
    path.write_text(
        "<mujoco><worldbody><geom type='plane' size='5 5 1' rgba='.5 .5 .5 1'/><body pos='0 0 1'><freejoint/>"
        "<geom size='.5'/><body pos='.6 0 0'><joint name='j' axis='0 1 0'/><geom size='.1'/></body></body>"
        "</worldbody><actuator><motor joint='j'/></actuator></mujoco>"
    )
    return load_body(path)


def test_pictures_may_be_larger_than_the_models_buffer_and_leave_the_model_alone() -> None:
    body = load_body("hopper")
    before = body.model.geom_size.copy()
    with Filmer(body, 1280, 720, Preset.QUALITY) as filmer:
        assert filmer.picture(body.model.qpos0).shape == (720, 1280, 3)
    assert np.array_equal(body.model.geom_size, before)


def test_a_body_without_lights_is_lit(tmp_path) -> None:
    body = bare_body(tmp_path)
    picture = film(body, body.model.qpos0[None])[0]
    assert picture[60, 80].min() > 50


def test_interleaved_films_do_not_disturb_each_other() -> None:
    body = load_body("hopper")
    states = travelling(body, 1.0, 4)
    alone = film(body, states)
    with Filmer(body, 160, 120) as one, Filmer(body, 160, 120) as other:
        pairs = [(one.picture(a), other.picture(b)) for a, b in zip(states, states[::-1], strict=True)]
    assert all(same(frame, pair[0]) for frame, pair in zip(alone, pairs, strict=True))


def test_states_of_another_body_are_refused() -> None:
    with pytest.raises(RenderError, match=r"qpos has shape \(3,\)"), Filmer(load_body("hopper"), 32, 32) as filmer:
        filmer.picture(np.zeros(3))
