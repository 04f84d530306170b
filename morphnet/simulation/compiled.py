"""Compilation: loops over simulations and bodies run as machine code, with the interpreter's lock released.

Every kernel is compiled for one signature alone. Were there one version for contiguous and one for strided
arrays, the compiler might vectorise them differently, and a batch of one could differ in its last bits.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mujoco
import numba
import numpy as np
from numba import types

# counting references to arrays cost more than judging and observing did: 1.6 us a simulation against 0.5; without the
# counts a loop cannot allocate, and is given all the room that it needs
_BORROWS: dict[str, Any] = {"_nrt": False}

helper = numba.njit(**_BORROWS)
"""For functions that only compiled code calls. Like all compiled code here it owns no memory: no new arrays."""
inlined = numba.njit(inline="always", **_BORROWS)
"""The same for functions that become part of what calls them, and are compiled like it."""
arithmetic = numba.njit(fastmath={"contract", "reassoc"}, error_model="numpy", **_BORROWS)
"""The same for a network's arithmetic: products and sums may be fused and sums reordered, and a division by zero is no
error. Loops are vectorised so; last bits may differ from one kind of processor to another."""


@functools.cache
def compiled(function: Callable[..., Any], *signature: types.Type) -> Callable[..., Any]:
    """Compile ``function`` for arguments of the types ``signature``, or load what an earlier process compiled.

    The result is called like the function, with positional arguments.
    """
    if not function.__qualname__.endswith(_sources()):
        function.__qualname__ += _sources()
    compile_kept, compile_anew = (numba.njit([signature], nogil=True, cache=keep, **_BORROWS) for keep in (True, False))
    try:
        kernel: Callable[..., Any] = compile_kept(function)
    except (RuntimeError, OSError):  # no folder that a cache could be written to, or no room in it
        kernel = compile_anew(function)
    return kernel


@functools.cache
def _sources() -> str:
    """Digest of what machine code is made of, to go into the names under which it is kept.

    numba itself looks at the file of the outer function alone, and would go on with the old code of its helpers.
    """
    digest = hashlib.sha256(mujoco.__version__.encode())
    for path in sorted(Path(__file__).parents[1].glob("*/*.py")):
        if path.parent.name == "simulation" or path.stem.endswith(("_kernel", "perceptron")):
            digest.update(path.read_bytes())
    return f"_{digest.hexdigest()[:12]}"


def reads(dimensions: int, kind: types.Type | np.dtype = types.float64) -> types.Array:
    """Type of an array that is only read; it may be strided."""
    return _array(dimensions, kind, readonly=True)


def writes(dimensions: int, kind: types.Type = types.float64) -> types.Array:
    """Type of an array that is written; it may be strided."""
    return _array(dimensions, kind, readonly=False)


def owns(dimensions: int, kind: types.Type | np.dtype = types.float64) -> types.Array:
    """Type of a contiguous array that is part of a named tuple, whose members must be of exactly their type."""
    element = numba.from_dtype(kind) if isinstance(kind, np.dtype) else kind
    return types.Array(element, dimensions, "C")


def _array(dimensions: int, kind: types.Type | np.dtype, *, readonly: bool) -> types.Array:
    element = numba.from_dtype(kind) if isinstance(kind, np.dtype) else kind
    return types.Array(element, dimensions, "A", readonly=readonly)
