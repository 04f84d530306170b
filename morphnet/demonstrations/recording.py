"""Recording: driving a body and keeping its states."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from morphnet.bodies import Body
from morphnet.demonstrations.demonstration import Demonstration
from morphnet.simulation import Kinematics, Simulation

_STATE = ("qpos", "qvel", "act", "ctrl")
Frame = tuple[np.ndarray, ...]


def record(
    body: Body,
    actions: Callable[[np.ndarray], np.ndarray],
    episodes: int,
    seed: int,
    *,
    steps: int | None = None,
    noise: float = 0.0,
) -> list[Demonstration]:
    """Record whole episodes, or their first part; the same episodes as ``evaluate`` runs with that seed.

    Args:
        body: the body.
        actions: (n, nu) actions in [-1, 1] for observations (n, D).
        episodes: how many; all run at the same time.
        seed: seeds the start states and the noise.
        steps: control steps after which each is cut off; None for whole episodes.
        noise: standard deviation of Gaussian noise on the actions, which span [-1, 1].
    """
    simulation = Simulation(body, episodes, np.random.default_rng(seed), exact=True, nthread=2)
    rng = np.random.default_rng([seed, 1])
    reaches = body.task.kind == "reach"
    goals = [goal.copy() if reaches else None for goal in simulation.command]
    frames = [[_frame(simulation.kinematics, sim)] for sim in range(episodes)]
    rewards: list[list[float]] = [[] for _ in range(episodes)]
    terminated = np.zeros(episodes, bool)
    running = np.ones(episodes, bool)
    while running.any():
        action = np.asarray(actions(simulation.observation), np.float64)
        step = simulation.step(action + noise * rng.standard_normal(action.shape) if noise else action)
        ended = {int(sim): row for row, sim in enumerate(step.done_ids)}
        for sim in np.flatnonzero(running).tolist():
            # an episode that ended has been reset: its last state is in the step
            state, row = (step.final_state, ended[sim]) if sim in ended else (simulation.kinematics, sim)
            frames[sim].append(_frame(state, row))
            rewards[sim].append(float(step.reward.total[sim]))
            terminated[sim] = step.terminated[sim]
            running[sim] = sim not in ended and len(rewards[sim]) != steps
    parts = zip(frames, rewards, terminated.tolist(), goals, strict=True)
    return [_demonstration(*part) for part in parts]


def _frame(state: Kinematics | None, row: int) -> Frame:
    assert state is not None
    return tuple(np.array(getattr(state, name)[row]) for name in _STATE)


def _demonstration(
    frames: list[Frame], rewards: list[float], terminated: bool, goal: np.ndarray | None
) -> Demonstration:
    qpos, qvel, act, ctrl = (np.array(column) for column in zip(*frames, strict=True))
    return Demonstration(qpos, qvel, act, ctrl, np.array(rewards), terminated, goal)
