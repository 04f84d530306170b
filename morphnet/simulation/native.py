"""MuJoCo's C functions and memory, as compiled loops reach them.

A loop over simulations that goes back to Python for every call gives the interpreter's lock to the other threads and
takes it again, and sweeps the interpreter through caches that physics has just filled. Here machine code calls machine
code, by its address.
"""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic as numba_intrinsic

from morphnet.errors import MorphNetError

FUNCTIONS = ("mj_step", "mj_kinematics", "mj_comPos", "mj_comVel", "mj_resetData", "mj_rnePostConstraint")
"""What compiled loops call, each ``void f(const mjModel*, mjData*)``."""
STEP, KINEMATICS, COM_POS, COM_VEL, RESET, EXTERNAL_FORCES = range(len(FUNCTIONS))

intrinsic: Any = numba_intrinsic  # type checkers count the typing context among the arguments
_WORD, _DOUBLE, _INT = ir.IntType(64), ir.DoubleType(), ir.IntType(32)


@functools.cache
def function_addresses() -> np.ndarray:
    """(functions,) int64 addresses of ``FUNCTIONS`` in the library that ``import mujoco`` has loaded.

    Raises:
        MorphNetError: its package holds no such library, or several.
    """
    folder = Path(mujoco.__file__).parent
    names = ("libmujoco.so*", "libmujoco*.dylib", "mujoco.dll")
    found = [path for name in names for path in folder.glob(name)]
    if len(found) != 1:
        raise MorphNetError(f"{folder}: {len(found)} MuJoCo libraries, of which one was expected; install mujoco anew")
    library = ctypes.CDLL(str(found[0]))
    pointers = [ctypes.cast(getattr(library, name), ctypes.c_void_p).value for name in FUNCTIONS]
    return np.array(pointers, np.int64)


@intrinsic
def call(_: Any, function: Any, model: Any, data: Any) -> Any:
    """Call ``function(model, data)``, all three addresses."""

    def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [_WORD, _WORD])
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), arguments[1:])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@intrinsic
def read(_: Any, address: Any, index: Any) -> Any:
    """The float64 ``index`` places behind ``address``."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.load(_place(builder, arguments, _DOUBLE))

    return types.float64(types.int64, types.int64), generate


@intrinsic
def write(_: Any, address: Any, index: Any, value: Any) -> Any:
    """Put a float64 ``index`` places behind ``address``."""

    def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _place(builder, arguments, _DOUBLE))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.float64), generate


@intrinsic
def read_int(_: Any, address: Any, index: Any) -> Any:
    """The int32 ``index`` places behind ``address``."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.load(_place(builder, arguments, _INT))

    return types.int32(types.int64, types.int64), generate


@intrinsic
def write_int(_: Any, address: Any, index: Any, value: Any) -> Any:
    """Put an int32 ``index`` places behind ``address``."""

    def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _place(builder, arguments, _INT))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int32), generate


def _place(builder: Any, arguments: Any, kind: Any) -> Any:
    return builder.gep(builder.inttoptr(arguments[0], kind.as_pointer()), [arguments[1]])
