"""The compiled control step: physics, rewards, ends, observations and resets, one simulation after the other.

Each simulation is judged and observed while what its physics has just written is still in the caches.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import types

from morphnet.simulation.compiled import helper, inlined, owns, reads, writes
from morphnet.simulation.control import CONTROLS, scaled
from morphnet.simulation.judge_kernel import (
    EPISODES,
    Episodes,
    begin_episode,
    contact_cost,
    find_place,
    judge,
    reads_stale,
)
from morphnet.simulation.observation_kernel import SENSES, Senses, write_observations
from morphnet.simulation.physics_kernel import CTRL, WORLD, World, advance, copy_out, derive, put
from morphnet.simulation.start_kernel import WAITING, Waiting, take


class Setting(NamedTuple):
    """All that a control step needs to know of n simulations."""

    world: World
    episodes: Episodes
    senses: Senses
    waiting: Waiting
    controls: np.ndarray


SETTING = types.NamedTuple([WORLD, EPISODES, SENSES, WAITING, CONTROLS], Setting)
_SIMS = reads(1, types.int64)

STEP_SIGNATURE = (SETTING, _SIMS, reads(2), owns(1), writes(2, types.float32), writes(2), writes(2, types.boolean))


def step(
    setting: Setting,
    sims: np.ndarray,
    action: np.ndarray,
    slots: np.ndarray,
    out: np.ndarray,
    terms: np.ndarray,
    ends: np.ndarray,
) -> tuple[int, int]:
    """Advance simulations by one control step.

    Args:
        setting: the simulations.
        sims: which of them.
        action: (n, nu) in [-1, 1] over the control range; clipped.
        slots: room to work in, from ``room_for_slots``.
        out: (n, at least the observation's size) float32 to write their observations to.
        terms: (5, n) to write the reward's terms to.
        ends: (2, n) to write terminated and truncated to.

    Returns:
        How many of the episodes have ended, and how many simulations have diverged.
    """
    world, episodes = setting.world, setting.episodes
    num_ended = num_diverged = 0
    stale = reads_stale(episodes)
    for index in range(len(sims)):
        sim = sims[index]
        for control in range(len(setting.controls)):
            put(world, sim, CTRL, control, scaled(setting.controls, control, action[sim, control]))
        advance(world, sim)
        contact = 0.0
        if stale:
            copy_out(world, sim)
            find_place(world, episodes, sim)
            contact = contact_cost(world, episodes, sim)
        derive(world, sim)
        copy_out(world, sim)
        if not stale:
            find_place(world, episodes, sim)
        ended, diverged = judge(world, episodes, setting.senses.tips, sim, contact, terms, ends)
        observe(setting, sims[index : index + 1], slots, out)
        num_ended += ended
        num_diverged += diverged
    return num_ended, num_diverged


RESTART_SIGNATURE = (SETTING, _SIMS)


def restart(setting: Setting, sims: np.ndarray) -> None:
    """Begin new episodes of ``sims`` at the start states that wait; they are yet to be observed."""
    world, episodes = setting.world, setting.episodes
    for sim in sims:
        take(setting.waiting, world, episodes.command, sim)
        derive(world, sim)
        copy_out(world, sim)
        begin_episode(world, episodes, sim)


BEGIN_SIGNATURE = (SETTING, _SIMS)


def begin(setting: Setting, sims: np.ndarray) -> None:
    """Begin new episodes of ``sims`` where they are."""
    for sim in sims:
        begin_episode(setting.world, setting.episodes, sim)


def count_failures(tally: np.ndarray, diverged: int, num_sims: int) -> None:
    """Take in how many simulations have diverged in a control step.

    Args:
        tally: (2,) how many have so far, and for how many control steps in a row all of them have.
        diverged: how many have now.
        num_sims: out of how many.
    """
    tally[0] += diverged
    tally[1] = tally[1] + 1 if diverged == num_sims else 0


@inlined
def observe(setting: Setting, sims: np.ndarray, slots: np.ndarray, out: np.ndarray) -> None:
    """Write the observations of ``sims`` to their rows of ``out``."""
    world = setting.world
    qpos, qvel, act, ctrl = world.fields[0], world.fields[1], world.fields[2], world.fields[3]
    poses, velocities = (world.xipos, world.xmat, world.xpos), (world.cvel, world.subtree_com)
    _write(setting.senses, qpos, qvel, act, ctrl, *poses, *velocities, setting.episodes.command, sims, slots, out)


_write = helper(write_observations)
