"""What this machine has, and what to do about what is missing.

Everything is looked up without importing ``mujoco``: with a bad ``MUJOCO_GL`` that import fails, and to
say so is this module's business.
"""

from __future__ import annotations

import dataclasses
import enum
import importlib.metadata
import importlib.resources
import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path

from morphnet.errors import RenderError
from morphnet.rendering import gl

CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")


class Status(enum.Enum):
    """How a finding is to be taken."""

    OK = "ok"
    WARN = "warn"
    MISSING = "missing"


@dataclasses.dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        name: what was looked at.
        status: whether something is to be done about it.
        value: what was found.
        advice: what to do; empty when all is well.
    """

    name: str
    status: Status
    value: str
    advice: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return the finding as JSON can hold it."""
        return {**dataclasses.asdict(self), "status": self.status.value}


def examine() -> list[Finding]:
    """Look at everything; takes some seconds, since OpenGL is tried out in a subprocess."""
    return [
        *_machine(),
        *_dependencies(),
        *_torch(),
        _opengl(),
        _ffmpeg(),
        _checkpoint(),
    ]


def usable_cores() -> int:
    """Return how many cores this process may use, by its affinity and its container's quota."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = CPU_QUOTA.read_text(encoding="ascii").split()
        return max(1, min(cores, round(int(quota) / int(period))))
    except (OSError, ValueError):  # no control groups, or no limit ("max")
        return cores


def _machine() -> Iterator[Finding]:
    yield Finding("python", Status.OK, platform.python_version())
    yield Finding("platform", Status.OK, platform.platform())
    yield Finding("cores", Status.OK, f"{usable_cores()} usable of {os.cpu_count()}")


def _dependencies() -> Iterator[Finding]:
    """Yield the version of each requirement of the installed package, extras included."""
    for requirement in importlib.metadata.requires("morphnet") or []:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)", requirement)
        label = f"{name} (extra {extra[1]})" if extra else name
        try:
            yield Finding(label, Status.OK, importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            if extra:
                advice = f'pip install "morphnet[{extra[1]}]", if you need it'
                yield Finding(label, Status.WARN, "not installed", advice)
            else:
                yield Finding(label, Status.MISSING, "not installed", f'pip install "{requirement}"')


def _torch() -> Iterator[Finding]:
    try:
        import torch
    except (ImportError, OSError) as error:  # OSError: a shared library of its own is missing
        yield Finding("torch import", Status.MISSING, str(error), "reinstall torch")
        return
    threads, cores = torch.get_num_threads(), usable_cores()
    if threads > cores:
        advice = f"more threads than cores slow training down: set OMP_NUM_THREADS={cores}"
        yield Finding("torch threads", Status.WARN, str(threads), advice)
    else:
        yield Finding("torch threads", Status.OK, str(threads))
    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none (not needed)"
    yield Finding("gpu", Status.OK, gpu)


def _opengl() -> Finding:
    try:
        backend = gl.choose_backend()
        requested = gl.requested_backend()
    except RenderError as error:
        return Finding("opengl", Status.MISSING, "no pictures or videos", str(error))
    if requested not in ("", backend):
        advice = f"MUJOCO_GL={requested} does not work ({gl.probe(requested)}); unset it"
        return Finding("opengl", Status.WARN, backend, advice)
    return Finding("opengl", Status.OK, backend)


def _ffmpeg() -> Finding:
    try:
        import imageio_ffmpeg

        return Finding("ffmpeg", Status.OK, imageio_ffmpeg.get_ffmpeg_version())
    except (ImportError, RuntimeError, OSError) as error:
        advice = "pip install --force-reinstall imageio-ffmpeg; until then, write .gif"
        return Finding("ffmpeg", Status.MISSING, str(error).splitlines()[0], advice)


def _checkpoint() -> Finding:
    name = "shipped checkpoint"
    folder = importlib.resources.files("morphnet.assets") / "checkpoint"
    if (folder / "hypernetwork.safetensors").is_file():
        return Finding(name, Status.OK, str(folder))
    advice = "reinstall morphnet, or train one (morphnet train) and name it with --checkpoint"
    return Finding(name, Status.MISSING, f"no hypernetwork.safetensors in {folder}", advice)
