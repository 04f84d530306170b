"""Policies of bodies with two equal limbs: the exchange of the limbs, by physics itself and by what actors do."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
import torch
from robots import load_text, random_state

from morphnet.bodies import Body, load_body
from morphnet.morphology.twins import has_twins, swap_of_twins
from morphnet.policy import Policy
from morphnet.simulation import Observer
from morphnet.specialists import train_expert
from morphnet.specialists.direct import DirectActor
from morphnet.specialists.symmetry import Symmetry, symmetry_of

STATE = np.r_[0:3, 6:9, 3:6]
"""Walker2d's qpos and qvel are three of the torso, three of the right leg and three of the left leg."""
CONTROLS = np.r_[3:6, 0:3]


@pytest.fixture(scope="module")
def walker() -> Body:
    return load_body("gymnasium:walker2d_v5")


@pytest.fixture(scope="module")
def symmetry(walker: Body) -> Symmetry:
    found = symmetry_of(walker, Observer(walker).layout)
    assert found is not None
    return found


def exchanged(body: Body, seed: int) -> tuple[mujoco.MjData, mujoco.MjData]:
    """A random state of motion, and the same with the legs exchanged."""
    data = random_state(body.model, seed)
    data.ctrl[:] = np.random.default_rng(seed).uniform(-1, 1, body.model.nu)
    other = mujoco.MjData(body.model)
    other.qpos[:], other.qvel[:], other.ctrl[:] = data.qpos[STATE], data.qvel[STATE], data.ctrl[CONTROLS]
    return data, other


def random_policy(body: Body, symmetry: Symmetry | None) -> Policy:
    actor = DirectActor(Observer(body).size, body.model.nu, 24, -1.0, torch.Generator().manual_seed(1), symmetry)
    values = actor.perceptron.values
    moved = values + 0.3 * np.random.default_rng(2).normal(size=values.shape).astype(np.float32)
    values[:] = moved if symmetry is None else 0.5 * (moved + moved[actor.partner])
    return Policy(body, actor.emitted(), {})


def largest_difference(policy: Policy) -> float:
    """How far actions are from changing places when the legs do."""
    pairs = [exchanged(policy.body, seed) for seed in range(5)]
    return max(float(np.abs(policy.act(one)[CONTROLS] - policy.act(other)).max()) for one, other in pairs)


def test_the_legs_are_equal_to_physics(walker: Body) -> None:
    one, other = exchanged(walker, 0)
    for data in (one, other):
        mujoco.mj_step(walker.model, data, 3)
    np.testing.assert_allclose(one.qpos[STATE], other.qpos, atol=1e-9)


def test_actions_change_places_when_the_legs_do(walker: Body, symmetry: Symmetry) -> None:
    assert largest_difference(random_policy(walker, symmetry)) < 1e-5
    assert largest_difference(random_policy(walker, None)) > 0.1
    assert symmetry.actions.tolist() == CONTROLS.tolist()


def test_experts_treat_the_legs_alike(walker: Body) -> None:
    expert = train_expert(walker, 4096, 0, 1, symmetric=True)
    assert largest_difference(expert) < 1e-5


def test_halves_need_an_even_width(walker: Body, symmetry: Symmetry) -> None:
    with pytest.raises(ValueError, match="23"):
        DirectActor(Observer(walker).size, walker.model.nu, 23, -1.0, symmetry=symmetry)


def test_both_legs_can_act_apart(walker: Body, symmetry: Symmetry) -> None:
    """Alike does not mean the same: what a leg does depends on which of the two it is."""
    policy = random_policy(walker, symmetry)
    action = policy.act(exchanged(walker, 0)[0])
    assert np.abs(action[:3] - action[3:]).max() > 0.05


@pytest.mark.parametrize(
    ("name", "twins"),
    [
        ("gymnasium:walker2d_v5", True),
        ("gymnasium:half_cheetah", False),
        ("gymnasium:ant", False),
        ("gymnasium:swimmer", False),
        ("walker", False),  # its legs stand a little apart
    ],
)
def test_only_limbs_that_coincide_are_twins(name: str, twins: bool) -> None:
    graph = load_body(name).graph
    assert has_twins(graph) is twins
    assert (swap_of_twins(graph) is not None) is twins


def limbs(*places: int) -> str:
    """A slider with hinged limbs that hang at given places of it."""
    limb = (
        '<body name="l{0}" pos="{1} 0 0"><joint name="l{0}" axis="0 1 0"/>'
        '<geom type="capsule" size=".05" fromto="0 0 0 0 0 -.4"/></body>'
    )
    bodies = "".join(limb.format(index, place) for index, place in enumerate(places))
    motors = "".join(f'<motor name="l{index}" joint="l{index}"/>' for index in range(len(places)))
    return (
        '<mujoco><worldbody><body name="torso" pos="0 0 1"><joint name="x" type="slide" axis="1 0 0"/>'
        f'<geom size=".1"/>{bodies}</body></worldbody><actuator>{motors}</actuator></mujoco>'
    )


@pytest.mark.parametrize("places", [(0, 0), (0, 0, 1), (1, 0, 1)])
def test_one_pair_of_limbs_is_exchanged(tmp_path, places: tuple[int, ...]) -> None:
    swap = swap_of_twins(load_text(tmp_path, limbs(*places)).graph)
    assert swap is not None
    assert np.flatnonzero(swap != np.arange(len(swap))).size == 2 * 3  # body, joint and actuator
    np.testing.assert_array_equal(swap[swap], np.arange(len(swap)))


@pytest.mark.parametrize("places", [(0, 1), (0, 0, 0), (0, 0, 1, 1)])
def test_no_or_more_than_one_pair_is_left_alone(tmp_path, places: tuple[int, ...]) -> None:
    assert swap_of_twins(load_text(tmp_path, limbs(*places)).graph) is None
