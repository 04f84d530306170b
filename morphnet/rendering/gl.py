"""Choose an OpenGL backend that works on this machine, and make its contexts.

``import mujoco`` fixes its backend from ``MUJOCO_GL`` once and for all, and raises or aborts where that
backend's library is missing. So backends are tried out in a subprocess, and contexts are made from
``mujoco.<backend>`` directly: that also works when ``mujoco`` was imported long before. This module must
therefore not import ``mujoco`` at its top.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import subprocess
import sys
import threading
from typing import Any

from morphnet.errors import RenderError, choices

PACKAGES = "apt-get install libegl1 libgl1-mesa-dri (or libosmesa6)"
PROBE_TIMEOUT_S = 60.0

_choosing = threading.Lock()
_AUTOMATIC = ("", "enable", "enabled", "on", "true", "1")
_DISABLED = ("disable", "disabled", "off", "false", "0")
_MODULES = {"egl": "egl", "osmesa": "osmesa", "glfw": "glfw", "glx": "glfw", "cgl": "cgl", "wgl": "glfw"}
_PROBE = """
import importlib, sys, mujoco
context = importlib.import_module("mujoco." + sys.argv[1]).GLContext(32, 32)
context.make_current()
model = mujoco.MjModel.from_xml_string("<mujoco/>")
mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100).free()
context.free()
"""


def requested_backend() -> str:
    """Return the backend that ``MUJOCO_GL`` asks for, or ``""`` for MorphNet's choice.

    Raises:
        RenderError: the value is unknown, or switches rendering off.
    """
    value = os.environ.get("MUJOCO_GL", "").strip().lower()
    if value in _AUTOMATIC:
        return ""
    if value in _DISABLED:
        raise RenderError(f"MUJOCO_GL={value} switches rendering off; unset it to make videos")
    if value not in _MODULES:
        raise RenderError(f"MUJOCO_GL={value}: no such backend; unset it, or {choices(value, tuple(_MODULES))}")
    return value


def candidates() -> tuple[str, ...]:
    """Return the backends worth a try on this platform, best first."""
    if sys.platform == "darwin":
        return ("cgl", "glfw")
    if sys.platform == "win32":
        return ("glfw",)
    # EGL needs no display and is as fast as any; GLFW only works where a display is.
    display = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return ("egl", "glfw", "osmesa") if display else ("egl", "osmesa")


@functools.cache
def probe(backend: str) -> str:
    """Try a backend in a subprocess; return ``""`` when it works, else the reason in one line."""
    command = [sys.executable, "-c", _PROBE, _MODULES[backend]]
    environment = os.environ | {"MUJOCO_GL": backend}
    try:
        result = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=PROBE_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {PROBE_TIMEOUT_S:.0f} s"
    except OSError as error:
        return str(error)
    if result.returncode == 0:
        return ""
    lines = result.stderr.strip().splitlines()
    return lines[-1] if lines else f"ended with code {result.returncode}"


def choose_backend() -> str:
    """Return the backend to use: the one in ``MUJOCO_GL`` if it works, else any that does.

    Raises:
        RenderError: no backend works; the line names the system packages that would help.
    """
    with _choosing:
        requested = requested_backend()
        names = tuple(dict.fromkeys((requested, *candidates()))) if requested else candidates()
        for name in names:
            if not probe(name):
                return name
        reasons = "; ".join(f"{name}: {probe(name)}" for name in names)
        raise RenderError(f"no OpenGL found, so no pictures can be made; try {PACKAGES} [{reasons}]")


def look_ahead() -> None:
    """Begin to try backends in the background, while slow imports go on; ``choose_backend`` then waits for the rest."""

    def choose() -> None:
        with contextlib.suppress(RenderError):  # whoever needs a picture will hear of it
            choose_backend()

    threading.Thread(target=choose, daemon=True).start()


def new_context(width: int, height: int) -> Any:
    """Make an offscreen OpenGL context (a ``mujoco.<backend>.GLContext``).

    Raises:
        RenderError: no backend works.
    """
    backend = choose_backend()
    try:
        return importlib.import_module(f"mujoco.{_MODULES[backend]}").GLContext(width, height)
    # PyOpenGL fails in ways of its own (AttributeError, GLError) when somebody fixed its platform before.
    except Exception as error:
        raise RenderError(f"OpenGL backend {backend} works alone but not in this process: {error}") from error
