"""The MJCF bodies of all suites: names, start pose, stability, actuation, splits, families."""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
import warnings
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import pytest

from morphnet.assets import families

ASSETS = families.ASSETS
SUITES = ("planar", "legged", "creatures", "arms")
ROOT_JOINTS = {"planar": 3, "legged": 1, "creatures": 1, "arms": 0}
EVERY = {"creatures": 5}
"""Of a large suite only every so-many-th body is looked at by itself; what all have in common is looked at in all."""
FILES = [path for suite in SUITES for path in sorted((ASSETS / suite).glob("*.xml"))[:: EVERY.get(suite, 1)]]
IDS = [f"{path.parent.name}/{path.stem}" for path in FILES]
OBJECTS = {
    "body": mujoco.mjtObj.mjOBJ_BODY,
    "jnt": mujoco.mjtObj.mjOBJ_JOINT,
    "geom": mujoco.mjtObj.mjOBJ_GEOM,
    "u": mujoco.mjtObj.mjOBJ_ACTUATOR,
}
every_body = pytest.mark.parametrize("path", FILES, ids=IDS)
every_suite = pytest.mark.parametrize("suite", SUITES)


def load(path: Path) -> tuple[mujoco.MjModel, mujoco.MjData]:
    model = mujoco.MjModel.from_xml_path(str(path))
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return model, data


def splits(suite: str) -> dict[str, dict[str, list[str]]]:
    return json.loads((ASSETS / suite / "splits.json").read_text(encoding="utf-8"))


def task(path: Path) -> dict[str, Any]:
    """Return the values of a body's task: its family's section with its own on top."""
    sections = tomllib.loads((path.parent / "suite.toml").read_text(encoding="utf-8"))
    families_of_body = [
        family for split in splits(path.parent.name).values() for family, names in split.items() if path.stem in names
    ]
    assert len(families_of_body) == 1
    return sections[families_of_body[0]] | sections.get(path.stem, {})


def stands(path: Path) -> bool:
    """Whether a body is kept up by its feet alone."""
    return path.parent.name != "arms" and not swims(load(path)[0])


def swims(model: mujoco.MjModel) -> bool:
    return model.opt.density > 0


def physics_hash(path: Path) -> str:
    """Hash what MuJoCo simulates of a body, without names and looks."""
    model, _ = load(path)
    solid = (model.geom_contype | model.geom_conaffinity) > 0
    values = [
        model.body_parentid,
        model.body_mass,
        model.body_inertia,
        model.body_pos,
        model.body_ipos,
        model.jnt_type,
        model.jnt_bodyid,
        model.jnt_axis,
        model.jnt_range,
        model.jnt_stiffness,
        model.dof_damping,
        model.dof_armature,
        model.geom_type[solid],
        model.geom_size[solid],
        model.geom_pos[solid],
        model.actuator_trnid,
        model.actuator_gear,
        model.actuator_ctrlrange,
        np.array([model.opt.timestep, model.opt.density, model.opt.viscosity]),
    ]
    digest = hashlib.sha256()
    for value in values:
        digest.update(np.round(np.asarray(value, float), 5).tobytes())
    return digest.hexdigest()


@every_body
def test_everything_has_a_name(path: Path) -> None:
    spec = mujoco.MjSpec.from_file(str(path))
    model, _ = load(path)
    assert spec.modelname == path.stem
    for count, kind in OBJECTS.items():
        for index in range(getattr(model, f"n{count}")):
            assert mujoco.mj_id2name(model, kind, index), f"{count} {index}"
    camera = model.camera("track")
    assert model.cam_mode[camera.id] == mujoco.mjtCamLight.mjCAMLIGHT_TRACKCOM
    assert model.geom("floor").type == mujoco.mjtGeom.mjGEOM_PLANE
    assert model.nlight >= 1


@every_body
def test_root_is_free_to_move_or_fixed(path: Path) -> None:
    model, data = load(path)
    roots = ROOT_JOINTS[path.parent.name]
    if roots == 0:
        assert model.body("base").weldid == 0
        assert model.jnt_bodyid.min() > model.body("base").id
    elif roots == 1:
        assert model.jnt_type[0] == mujoco.mjtJoint.mjJNT_FREE
        assert (model.qpos0[3:7] == [1, 0, 0, 0]).all()
    else:
        kinds = [mujoco.mjtJoint.mjJNT_SLIDE] * 2 + [mujoco.mjtJoint.mjJNT_HINGE]
        assert model.jnt_type[:3].tolist() == kinds
        assert (model.jnt_bodyid[:3] == 1).all()
        if not swims(model):
            names = [model.joint(index).name for index in range(3)]
            assert names == ["rootx", "rootz", "rooty"]
            assert model.qpos0[1] == data.xpos[1][2]
    dofs = model.jnt_bodyid[model.dof_jntid] == 1
    root_dofs = np.flatnonzero(dofs & (model.dof_jntid < roots))
    assert not model.dof_damping[root_dofs].any()
    assert not model.dof_armature[root_dofs].any()
    assert not np.isin(model.actuator_trnid[:, 0], np.arange(roots)).any()


@every_body
def test_start_pose_is_inside_joint_ranges_and_limbs_differ(path: Path) -> None:
    model, data = load(path)
    limited = model.jnt_limited.astype(bool)
    assert (model.jnt_range[limited, 0] <= 0).all()
    assert (model.jnt_range[limited, 1] >= 0).all()
    positions = data.xpos[1:]
    gaps = np.linalg.norm(positions[:, None] - positions[None], axis=-1) + np.eye(len(positions))
    assert gaps.min() > 0.03


@every_body
def test_start_pose_stands_on_the_floor(path: Path) -> None:
    model, data = load(path)
    own = task(path)
    if not stands(path):
        assert "height" not in own
        assert not len(data.contact)
        return
    lowest = families.lowest_point(model)
    assert -1e-3 <= lowest <= 0.015
    assert all(contact.dist > -1e-3 for contact in data.contact)
    low, high = own.get("height", [-math.inf, math.inf])
    assert low < data.xpos[1][2] < high


@every_body
def test_limbs_touch_only_the_floor(path: Path) -> None:
    model, _ = load(path)
    limbs = np.arange(model.ngeom) != model.geom("floor").id
    assert not model.geom_conaffinity[limbs].any()
    assert (model.geom_contype[limbs] == (0 if swims(model) else 1)).all()


@every_body
def test_stays_finite_under_random_control(path: Path) -> None:
    model, data = load(path)
    rng = np.random.default_rng(7)
    frame_skip = task(path)["frame_skip"]
    for _ in range(1000):
        data.ctrl[:] = rng.uniform(-1.0, 1.0, model.nu)
        mujoco.mj_step(model, data, frame_skip)
    assert np.isfinite(data.qpos).all()
    assert np.isfinite(data.qvel).all()
    assert np.abs(data.qvel).max() < 200
    assert not any(warning.number for warning in data.warning)


@every_body
def test_every_actuator_moves_its_joint(path: Path) -> None:
    model, _ = load(path)
    assert model.nu == model.njnt - ROOT_JOINTS[path.parent.name]
    assert sorted(model.actuator_trnid[:, 0]) == list(range(model.njnt - model.nu, model.njnt))
    assert (model.actuator_ctrlrange == [-1, 1]).all()

    def velocities(control: np.ndarray) -> np.ndarray:
        data = mujoco.MjData(model)
        data.ctrl[:] = control
        mujoco.mj_step(model, data, 3)
        return data.qvel.copy()

    rest = velocities(np.zeros(model.nu))
    for index in range(model.nu):
        dof = model.jnt_dofadr[model.actuator_trnid[index, 0]]
        change = velocities(0.5 * np.eye(model.nu)[index])[dof] - rest[dof]
        assert abs(change) > 0.02, model.actuator(index).name


@every_suite
def test_splits_hold_every_file_once(suite: str) -> None:
    names = [name for split in splits(suite).values() for members in split.values() for name in members]
    own = [name for name in names if not name.startswith("gymnasium:")]
    assert len(set(names)) == len(names)
    assert sorted(own) == sorted(path.stem for path in (ASSETS / suite).glob("*.xml"))
    sections = tomllib.loads((ASSETS / suite / "suite.toml").read_text(encoding="utf-8"))
    family_names = set(splits(suite)["train"])
    assert set(sections) <= family_names | set(own)
    assert family_names <= set(sections)


@every_suite
def test_split_sizes(suite: str) -> None:
    train, held_out = splits(suite)["train"], splits(suite)["held_out"]
    assert set(train) == set(held_out)
    sizes = {"planar": (30, 9), "legged": (27, 10), "creatures": (100, 50), "arms": (12, 4)}
    assert (sum(map(len, train.values())), sum(map(len, held_out.values()))) == sizes[suite]
    assert not any(name.startswith("gymnasium:") for names in held_out.values() for name in names)


@every_suite
def test_gymnasium_files_of_the_splits_are_installed(suite: str) -> None:
    import gymnasium.envs.mujoco

    folder = Path(str(gymnasium.envs.mujoco.__file__)).parent / "assets"
    for names in splits(suite)["train"].values():
        for name in names:
            if name.startswith("gymnasium:"):
                assert (folder / f"{name.partition(':')[2]}.xml").is_file()


@every_suite
def test_no_two_bodies_are_the_same(suite: str) -> None:
    hashes: dict[str, str] = {}
    for path in sorted((ASSETS / suite).glob("*.xml")):
        other = hashes.setdefault(physics_hash(path), path.stem)
        assert other == path.stem


def mirror_signature(path: Path) -> str:
    """The same for a body and its mirror image: parts by size and place, the sign of y left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = mujoco.MjSpec.from_file(str(path)).compile()
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    place = data.xipos[1:].copy()
    place[:, 1] = np.abs(place[:, 1])
    parts = np.column_stack([model.body_mass[1:], model.body_inertia[1:], place, model.body_dofnum[1:]])
    rows = sorted(map(tuple, np.round(parts, 4) + 0.0))
    return repr((rows, sorted(np.round(model.actuator_gear[:, 0], 4))))


@every_suite
def test_no_held_out_body_is_a_training_body_or_its_mirror_image(suite: str) -> None:
    import gymnasium.envs.mujoco

    shipped = Path(str(gymnasium.envs.mujoco.__file__)).parent / "assets"

    def signatures(split: str) -> dict[str, str]:
        names = [name for members in splits(suite)[split].values() for name in members]
        folder = {True: shipped, False: ASSETS / suite}
        files = [folder[":" in name] / f"{name.rpartition(':')[2]}.xml" for name in names]
        return {mirror_signature(file): file.stem for file in files}

    train, held_out = signatures("train"), signatures("held_out")
    assert not {held_out[key] for key in set(train) & set(held_out)}


@pytest.mark.parametrize("variant", families.VARIANTS, ids=[v.name for v in families.VARIANTS])
def test_families_reproduce_the_committed_file(variant: families.Variant, tmp_path: Path) -> None:
    again = tmp_path / f"{variant.name}.xml"
    again.write_text(families.build(variant), encoding="utf-8")
    assert physics_hash(again) == physics_hash(variant.path)


def test_variant_names_nothing_unknown() -> None:
    base = {"suite": "planar", "name": "walker_odd", "base": "walker", "about": ""}
    with pytest.raises(KeyError):
        families.build(families.Variant(**base, remove=("tail",)))
    with pytest.raises(KeyError):
        families.build(families.Variant(**base, length={"tail*": 2.0}))
