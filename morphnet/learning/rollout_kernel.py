"""The compiled rollout: a body's whole horizon without going back to Python."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import types

from morphnet.learning.actor_kernel import PERCEPTRON, Perceptron, act
from morphnet.simulation.compiled import helper, owns, reads, writes
from morphnet.simulation.judge_kernel import total_reward
from morphnet.simulation.observation_kernel import room_for_slots
from morphnet.simulation.simulation import MAX_FAILURES, Simulation
from morphnet.simulation.start_kernel import num_waiting
from morphnet.simulation.step_kernel import SETTING, Setting, count_failures, observe, restart, step


class Room(NamedTuple):
    """Room to work in.

    Attributes:
        sims: (n,) all simulations.
        done: (n,) those whose episodes have ended.
        slots: from ``room_for_slots``.
        terms: (5, n) terms of the reward.
        ends: (2, n) terminated and truncated.
    """

    sims: np.ndarray
    done: np.ndarray
    slots: np.ndarray
    terms: np.ndarray
    ends: np.ndarray

    @classmethod
    def for_rollouts(cls, simulation: Simulation) -> Room:
        """Make room for a simulation's rollouts."""
        n, senses = simulation.num_sims, simulation.observer.senses
        ends = np.empty((2, n), np.bool_)
        return cls(np.arange(n), np.empty(n, np.int64), room_for_slots(senses), np.empty((5, n)), ends)


ROOM = types.NamedTuple(
    [owns(1, types.int64), owns(1, types.int64), owns(1), owns(2), owns(2, types.boolean)],
    Room,
)
SIGNATURE = (
    SETTING,
    PERCEPTRON,
    ROOM,
    owns(1, types.int64),
    owns(1, types.int64),
    reads(3, types.float32),
    *(writes(3, types.float32) for _ in ("observation", "action")),
    *(writes(2, types.float32) for _ in ("reward", "ended")),
    writes(1, types.int64),
    writes(1),
    writes(2, types.int64),
    writes(2, types.float32),
)


def roll(
    setting: Setting,
    actor: Perceptron,
    room: Room,
    tally: np.ndarray,
    progress: np.ndarray,
    drift: np.ndarray,
    observation: np.ndarray,
    action: np.ndarray,
    reward: np.ndarray,
    ended: np.ndarray,
    lengths: np.ndarray,
    returns: np.ndarray,
    cuts: np.ndarray,
    finals: np.ndarray,
) -> None:
    """Run n simulations to control step T, or until start states run low or the physics has diverged too often.

    Args:
        setting: the simulations.
        actor: what drives them.
        room: to work in.
        tally: the simulations' own.
        progress: (3,) control steps made, episodes ended and episodes truncated before; brought up to date.
        drift: (T, n, nu) what is added to the actor's output: its last bias and the exploration.
        observation: (T + 1, n, at least the observation's size); the first is given, the others are written.
        action: (T, n, nu) to write to.
        reward: (T, n) to write to.
        ended: (T, n) to write 1 to where an episode ends, else 0.
        lengths: (T * n,) to write the lengths of the episodes that end to.
        returns: (T * n,) to write the sums of their rewards to.
        cuts: (truncations, 2) to write the control step and the simulation of every truncation to.
        finals: (truncations, the observation's size) to write what was observed then to.
    """
    num_sims, size = action.shape[1], finals.shape[1]
    terms, ends = room.terms, room.ends
    num_episodes, num_cuts = progress[1], progress[2]
    for t in range(progress[0], len(action)):
        if num_waiting(setting.waiting) < num_sims or tally[1] >= MAX_FAILURES:
            break
        act(actor, observation[t], drift[t], action[t])
        num_done, diverged = _step(setting, room.sims, action[t], room.slots, observation[t + 1], terms, ends)
        _count_failures(tally, diverged, num_sims)
        row = 0
        for sim in range(num_sims):
            reward[t, sim], ended[t, sim] = total_reward(terms, sim), ends[0, sim] or ends[1, sim]
            if ends[1, sim]:
                cuts[num_cuts, 0], cuts[num_cuts, 1] = t, sim
                for entry in range(size):
                    finals[num_cuts, entry] = observation[t + 1, sim, entry]
                num_cuts += 1
            if ends[0, sim] or ends[1, sim]:
                room.done[row], row = sim, row + 1
                lengths[num_episodes] = setting.episodes.age[sim]
                returns[num_episodes] = setting.episodes.returns[sim]
                num_episodes += 1
        if num_done > 0:
            done = room.done[:num_done]
            _restart(setting, done)
            observe(setting, done, room.slots, observation[t + 1])
        progress[0], progress[1], progress[2] = t + 1, num_episodes, num_cuts


_step, _restart, _count_failures = helper(step), helper(restart), helper(count_failures)
