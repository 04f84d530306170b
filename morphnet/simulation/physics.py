"""Physics: n simulations of one model, each with an ``MjData`` of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import mujoco
import numpy as np
from numba import types

from morphnet.simulation.compiled import compiled, reads
from morphnet.simulation.kinematics import FIELDS, Kinematics
from morphnet.simulation.native import function_addresses
from morphnet.simulation.physics_kernel import WORLD, World, copy_out, derive, silence

_STATE = int(mujoco.mjtState.mjSTATE_INTEGRATION)
_DIVERGING = np.array(
    [
        int(warning)
        for warning in (
            mujoco.mjtWarning.mjWARN_BADQPOS,
            mujoco.mjtWarning.mjWARN_BADQVEL,
            mujoco.mjtWarning.mjWARN_BADQACC,
        )
    ]
)


class Physics:
    """Simulations that compiled loops step, by ``mj_step``'s own address.

    Attributes:
        world: they, for compiled loops.
        kinematics: their states and derived fields; what ``read`` and the compiled loops have last copied out.
    """

    def __init__(self, model: mujoco.MjModel, num_sims: int, frame_skip: int) -> None:
        """Allocate ``num_sims`` simulations of ``model`` in its start state, ``frame_skip`` steps a control step."""
        self._model = model
        self._datas = [mujoco.MjData(model) for _ in range(num_sims)]
        arrays = [np.zeros((num_sims, *getattr(self._datas[0], name).shape)) for name in FIELDS]
        self.kinematics = Kinematics(*arrays)
        self.world = World(
            functions=function_addresses(),
            handles=np.array([_handles(model, data) for data in self._datas]),
            fields=tuple(array.reshape(num_sims, array[0].size) for array in arrays),
            xipos=self.kinematics.xipos,
            xmat=self.kinematics.xmat,
            xpos=self.kinematics.xpos,
            cvel=self.kinematics.cvel,
            subtree_com=self.kinematics.subtree_com,
            diverging=_DIVERGING,
            frame_skip=frame_skip,
        )
        self._read = compiled(_read, WORLD, reads(1, types.int64))

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied: a copy would hold the addresses of this one's memory."""
        raise TypeError("simulations hold MuJoCo's memory and cannot be copied; make others, and load_state_dict")

    def get_data(self, sim: int) -> mujoco.MjData:
        """Return a copy of one simulation."""
        data = mujoco.MjData(self._model)
        mujoco.mj_copyData(data, self._model, self._datas[sim])
        data.warning.number[:] = 0
        return data

    def put(
        self,
        sim: int,
        qpos: np.ndarray,
        qvel: np.ndarray,
        act: np.ndarray | None = None,
        ctrl: np.ndarray | None = None,
    ) -> None:
        """Put one simulation at a state; act and ctrl are those of a reset where None. ``read`` it afterwards."""
        data = self._datas[sim]
        mujoco.mj_resetData(self._model, data)
        data.qpos[:], data.qvel[:] = qpos, qvel
        for field, given in ((data.act, act), (data.ctrl, ctrl)):
            if given is not None:
                field[:] = given

    def read(self, sims: Sequence[int] | np.ndarray) -> None:
        """Compute the derived fields of some simulations, whose states may have been set, and copy all fields out."""
        self._read(self.world, np.asarray(sims, np.int64))

    @property
    def state(self) -> np.ndarray:
        """(n, size) copy of what physics continues from, ``mjSTATE_INTEGRATION``."""
        rows = np.empty((len(self._datas), mujoco.mj_stateSize(self._model, _STATE)))
        for row, data in zip(rows, self._datas, strict=True):
            mujoco.mj_getState(self._model, data, row, _STATE)
        return rows

    @state.setter
    def state(self, rows: np.ndarray) -> None:
        for row, data in zip(rows, self._datas, strict=True):
            mujoco.mj_setState(self._model, data, row, _STATE)
        self.read(np.arange(len(rows)))


def _read(world: World, sims: np.ndarray) -> None:
    for sim in sims:
        silence(world, sim)
        derive(world, sim)
        copy_out(world, sim)


def _handles(model: mujoco.MjModel, data: mujoco.MjData) -> list[int]:
    """The row of ``World.handles`` of one simulation."""
    arrays = (data.warning.number, data.cfrc_ext, *(getattr(data, name) for name in FIELDS))
    return [model._address, data._address, *(array.ctypes.data for array in arrays)]
