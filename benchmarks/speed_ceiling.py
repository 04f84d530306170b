"""The ceiling of rollouts: the same physics replayed by bare ``mj_step`` on every core."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

import mujoco
import numpy as np
from numba import types

from benchmarks.speed_rollouts import Rollouts
from morphnet.bodies import Body
from morphnet.learning.group import Workers
from morphnet.simulation import ControlScale, Simulation
from morphnet.simulation.compiled import compiled, owns
from morphnet.simulation.native import RESET, STEP, call, function_addresses, write


@dataclasses.dataclass(frozen=True)
class Recording:
    """What one simulation was told: enough to repeat its physics without us.

    Attributes:
        start: its data before the first step.
        ctrl: (T, nu).
        resets: step after which it was reset -> (qpos, qvel) it was put at.
        final: qpos after the last step, to prove that the replay is one.
    """

    start: mujoco.MjData
    ctrl: np.ndarray
    resets: dict[int, tuple[np.ndarray, np.ndarray]]
    final: np.ndarray


def record(rollouts: Rollouts) -> list[tuple[Body, list[Recording]]]:
    """Run the rollouts once, then once more step by step, and note what every simulation was told."""
    rollouts.rewind()
    actions = [rollout.action.numpy().copy() for rollout in rollouts.collect()]
    rollouts.rewind()
    return [
        _record_body(simulation, action[:, index, :, : simulation.body.model.nu])
        for collector, action in zip(rollouts.collectors, actions, strict=True)
        for index, simulation in enumerate(collector.group.simulations)
    ]


def _record_body(simulation: Simulation, actions: np.ndarray) -> tuple[Body, list[Recording]]:
    sims, kinematics = range(simulation.num_sims), simulation.kinematics
    starts = [simulation.get_data(sim) for sim in sims]
    resets: list[dict[int, tuple[np.ndarray, np.ndarray]]] = [{} for _ in sims]
    for t, action in enumerate(actions):
        for sim in simulation.step(action).done_ids:
            resets[sim][t] = kinematics.qpos[sim].copy(), kinematics.qvel[sim].copy()
    ctrl = ControlScale(simulation.body.model).to_ctrl(actions)
    finals = kinematics.qpos.copy()
    return simulation.body, [Recording(starts[s], ctrl[:, s].copy(), resets[s], finals[s]) for s in sims]


class Ceiling:
    """Replays recordings: ``mj_step(model, data, nstep)``, and ``mj_resetData`` where there was a reset."""

    def __init__(self, recordings: Sequence[tuple[Body, list[Recording]]], steps: int, threads: int, workers: Workers):
        """Share every body's simulations among the threads."""
        self._steps, self._workers = steps, workers
        self._jobs = [(body, found[part::threads]) for body, found in recordings for part in range(threads)]
        self._data = [[mujoco.MjData(body.model) for _ in found] for body, found in self._jobs]

    def run(self) -> float:
        """Replay everything; return environment steps a second."""
        for (body, found), datas in zip(self._jobs, self._data, strict=True):
            for recording, data in zip(found, datas, strict=True):
                mujoco.mj_copyData(data, body.model, recording.start)
        start = time.perf_counter()
        self._workers.map(self._replay, range(len(self._jobs)))
        return self._steps / (time.perf_counter() - start)

    def check(self) -> None:
        """Fail unless the last run ended where the recorded one did."""
        for (_, found), datas in zip(self._jobs, self._data, strict=True):
            for recording, data in zip(found, datas, strict=True):
                np.testing.assert_array_equal(data.qpos, recording.final)

    def _replay(self, job: int) -> None:
        (body, found), datas = self._jobs[job], self._data[job]
        model, skip = body.model, body.frame_skip
        simulations = [(data, data.ctrl, r.ctrl, r.resets) for data, r in zip(datas, found, strict=True)]
        for t in range(len(found[0].ctrl)):
            for data, ctrl, controls, resets in simulations:
                ctrl[:] = controls[t]
                mujoco.mj_step(model, data, skip)
                if t in resets:
                    mujoco.mj_resetData(model, data)
                    data.qpos[:], data.qvel[:] = resets[t]


class CompiledCeiling(Ceiling):
    """The same without Python between the steps: nothing on this machine can step faster."""

    def __init__(self, recordings: Sequence[tuple[Body, list[Recording]]], steps: int, threads: int, workers: Workers):
        """Lay the recordings out as arrays."""
        super().__init__(recordings, steps, threads, workers)
        self._arrays = [
            _arrays(body, found, datas) for (body, found), datas in zip(self._jobs, self._data, strict=True)
        ]
        self._compiled = compiled(_replay, *_SIGNATURE)

    def _replay(self, job: int) -> None:
        self._compiled(function_addresses(), *self._arrays[job])


_SIGNATURE = (
    owns(1, types.int64),
    types.int64,
    owns(2, types.int64),
    owns(3),
    types.int64,
    owns(2, types.int64),
    owns(2),
    owns(2),
)


def _arrays(body: Body, found: list[Recording], datas: list[mujoco.MjData]) -> tuple[object, ...]:
    """What ``_replay`` reads, but for the functions."""
    handles = [(data._address, data.ctrl.ctypes.data, data.qpos.ctypes.data, data.qvel.ctypes.data) for data in datas]
    row = np.full((len(found[0].ctrl), len(found)), -1)
    resets = [(t, sim, state) for sim, recording in enumerate(found) for t, state in recording.resets.items()]
    for index, (t, sim, _) in enumerate(resets):
        row[t, sim] = index
    model = body.model
    qpos = np.array([state[0] for *_, state in resets]).reshape(-1, model.nq)
    qvel = np.array([state[1] for *_, state in resets]).reshape(-1, model.nv)
    ctrl = np.stack([recording.ctrl for recording in found], axis=1)
    return model._address, np.array(handles), ctrl, body.frame_skip, row, qpos, qvel


def _replay(
    functions: np.ndarray,
    model: int,
    handles: np.ndarray,
    ctrl: np.ndarray,
    skip: int,
    row: np.ndarray,
    qpos: np.ndarray,
    qvel: np.ndarray,
) -> None:
    for t in range(ctrl.shape[0]):
        for sim in range(ctrl.shape[1]):
            for index in range(ctrl.shape[2]):
                write(handles[sim, 1], index, ctrl[t, sim, index])
            for _ in range(skip):
                call(functions[STEP], model, handles[sim, 0])
            reset = row[t, sim]
            if reset >= 0:
                call(functions[RESET], model, handles[sim, 0])
                for index in range(qpos.shape[1]):
                    write(handles[sim, 2], index, qpos[reset, index])
                for index in range(qvel.shape[1]):
                    write(handles[sim, 3], index, qvel[reset, index])
