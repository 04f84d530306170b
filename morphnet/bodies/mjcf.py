"""Reading MJCF: a path in, a compiled model and self-contained source out."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import mujoco
import numpy as np

from morphnet.errors import BodyError

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
    """What a body is made of: enough to compile it again on another machine.

    Attributes:
        data: the MJCF text (UTF-8), or a zip that holds it with the files it refers to.
        suffix: ".xml" or ".zip".
    """

    data: bytes
    suffix: str

    @property
    def sha256(self) -> str:
        """Hash of the source, which names the body in policies and demonstrations."""
        return hashlib.sha256(self.data).hexdigest()


def read_mjcf(path: Path, add_floor: bool = True) -> tuple[mujoco.MjModel, Source]:
    """Compile an MJCF file; a robot that can fall and has no floor gets one.

    Args:
        path: an MJCF file, or the ``.zip`` that a policy folder carries.
        add_floor: whether a missing floor is added.

    Raises:
        BodyError: the file is missing or does not compile; MuJoCo's reason is in the message.
    """
    if not path.is_file():
        raise BodyError(f"{path}: no such MJCF file")
    spec, model = _compile(path)
    changed = add_floor and _needs_floor(model)
    if changed:
        _add_floor(spec, model)
    source = _source(path, spec, changed)
    # what is kept must be what is used: MuJoCo writes numbers to six digits
    return (model if source.data == path.read_bytes() else _in_a_file(source, path.stem)[1]), source


def open_source(source: Source) -> mujoco.MjSpec:
    """Return a source as a specification that can be changed, compiled once so that its elements have ids."""
    return _in_a_file(source, "body")[0]


def close_spec(spec: mujoco.MjSpec) -> tuple[mujoco.MjModel, Source]:
    """Compile a changed specification; what is compiled is what the source says, digit by digit.

    Raises:
        BodyError: it does not compile; MuJoCo's reason is in the message.
    """
    try:
        _quiet(spec.compile)
        source = Source(_zip(spec), ".zip") if _file_assets(spec) else Source(spec.to_xml().encode(), ".xml")
    except (ValueError, RuntimeError, mujoco.FatalError) as error:
        raise BodyError(f"{spec.modelname}: a change that does not compile: {' '.join(str(error).split())}") from None
    return _in_a_file(source, "body")[1], source


def _in_a_file(source: Source, stem: str) -> tuple[mujoco.MjSpec, mujoco.MjModel]:
    """Compile a source by way of a file, as MuJoCo reads zips and what they hold from there."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"{stem}{source.suffix}"
        copy.write_bytes(source.data)
        return _compile(copy)


def _compile(path: Path) -> tuple[mujoco.MjSpec, mujoco.MjModel]:
    try:
        spec = mujoco.MjSpec.from_zip(str(path)) if path.suffix == ".zip" else _quiet(_parse, path)
        return spec, _quiet(spec.compile)
    except (ValueError, OSError, RuntimeError, mujoco.FatalError) as error:
        reason = " ".join(str(error).split())
        raise BodyError(f"{path}: not an MJCF that MuJoCo compiles: {reason}") from None


def _parse(path: Path) -> mujoco.MjSpec:
    return mujoco.MjSpec.from_file(str(path))


def _quiet(function: Callable[..., T], *arguments: Any) -> T:
    """Call MuJoCo without its deprecation warnings, which it gives for old but valid files."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments)


def _needs_floor(model: mujoco.MjModel) -> bool:
    """Whether something can fall and nothing in the world would catch it."""
    static = model.body_weldid[model.geom_bodyid] == 0
    flat = np.isin(model.geom_type, (mujoco.mjtGeom.mjGEOM_PLANE, mujoco.mjtGeom.mjGEOM_HFIELD))
    has_floor = bool(np.any(static & flat))
    falls = bool(np.any(model.jnt_type == mujoco.mjtJoint.mjJNT_FREE)) and model.opt.gravity[2] < 0
    return falls and not has_floor


def _add_floor(spec: mujoco.MjSpec, model: mujoco.MjModel) -> None:
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    lowest = min((data.geom_xpos[g, 2] - model.geom_rbound[g] for g in range(model.ngeom)), default=0.0)
    spec.worldbody.add_geom(
        name="morphnet_floor",
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=[0, 0, 1],
        pos=[0, 0, min(0.0, float(lowest))],
        rgba=[0.75, 0.8, 0.85, 1],
    )


def _source(path: Path, spec: mujoco.MjSpec, changed: bool) -> Source:
    raw = path.read_bytes()
    if path.suffix == ".zip" and not changed:
        return Source(raw, ".zip")
    if _file_assets(spec):
        return Source(_zip(spec), ".zip")
    elsewhere = any(tag in raw for tag in (b"<include", b"<attach", b"<model"))
    if changed or elsewhere:
        return Source(spec.to_xml().encode(), ".xml")
    return Source(raw, ".xml")


def _file_assets(spec: mujoco.MjSpec) -> list[tuple[Any, str]]:
    """Assets that are read from files, each with the compiler's folder for its kind."""
    kinds = (
        (spec.meshes, spec.meshdir),
        (spec.skins, spec.meshdir),
        (spec.hfields, spec.meshdir),
        (spec.textures, spec.texturedir),
    )
    return [(asset, folder) for assets, folder in kinds for asset in assets if asset.file]


def _zip(spec: mujoco.MjSpec) -> bytes:
    """Zip a spec with the files it reads, flat and under names that cannot clash.

    Entries get a fixed date, so that equal bodies have equal hashes.
    """
    carried = dict(spec.assets)
    for index, (asset, folder) in enumerate(_file_assets(spec)):
        file = Path(spec.modelfiledir) / folder / asset.file
        content = file.read_bytes() if file.is_file() else carried[asset.file]
        asset.file = f"{index}_{Path(asset.file).name}"
        carried[asset.file] = content
    spec.meshdir = spec.texturedir = ""
    spec.assets = {asset.file: carried[asset.file] for asset, _ in _file_assets(spec)}
    buffer, packed = io.BytesIO(), io.BytesIO()
    spec.to_zip(buffer)
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(source.namelist()):
            target.writestr(zipfile.ZipInfo(name), source.read(name), zipfile.ZIP_DEFLATED)
    return packed.getvalue()
