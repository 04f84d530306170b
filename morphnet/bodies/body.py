"""Body: a robot that is ready to run, and how one is named."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path
from typing import Any

import gymnasium
import mujoco
import numpy as np

from morphnet import assets
from morphnet.bodies.change import Change
from morphnet.bodies.mjcf import Source, read_mjcf
from morphnet.bodies.task import Task, read_tasks, task_from_dict
from morphnet.errors import BodyError, TaskError, choices
from morphnet.morphology import Base, MorphologyGraph, base_from_graph, graph_from_model

ASSETS = Path(assets.__file__).parent
GYMNASIUM_ASSETS = Path(gymnasium.__file__).parent / "envs" / "mujoco" / "assets"
ROBOSUITE_ROBOTS = {"robosuite_models": "assets/robots", "robosuite": "models/assets/robots"}
"""Package -> its folder of robots, each a folder with a ``robot.xml``."""
SUITE_FILE = "suite.toml"
CONTROL_STEP = 0.02
"""Seconds a control step where nothing says otherwise: 50 Hz is common on real legged robots."""


@dataclasses.dataclass(frozen=True, eq=False)
class Body:
    """A robot: compiled model, morphology and task.

    Attributes:
        name: how the user named it (``hopper``, ``gymnasium:ant``, ``robosuite:go2``, or a file's stem).
        model: the compiled ``MjModel``; shared, so treat it as read-only.
        graph: its morphology.
        base: where its root's motion lies in qpos.
        task: how it is run.
        source: what it was compiled from.
        change: what of the model differs from the source, hidden from the graph; mostly None.
    """

    name: str
    model: mujoco.MjModel
    graph: MorphologyGraph
    base: Base
    task: Task
    source: Source
    change: Change | None = None

    @property
    def frame_skip(self) -> int:
        """Physics steps a control step."""
        return self.task.frame_skip

    @property
    def control_step(self) -> float:
        """Seconds a control step."""
        return float(self.model.opt.timestep) * self.task.frame_skip

    @property
    def identity(self) -> list[Any]:
        """Name, sha256 of the source, and task: what files that belong to the body compare, as JSON gives it back."""
        return [self.name, self.source.sha256, self.task.to_dict()]

    @property
    def end_effector(self) -> tuple[int, np.ndarray]:
        """Of a body that reaches: the MjModel id of the body that carries it, and (3,) its place in that frame (m)."""
        return find_end_effector(self.model, self.task.end_effector)

    def with_episodes_of(self, seconds: float) -> Body:
        """Return the same robot with episodes cut off after so many simulated seconds, where its task's are longer."""
        steps = min(self.task.max_episode_steps, seconds / self.control_step)
        return self.with_task(self.task.replace(max_episode_steps=max(1, int(steps))))

    def with_task(self, task: Task) -> Body:
        """Return the same robot with another task.

        Raises:
            TaskError: its end effector is not on this robot.
        """
        if task.kind == "reach":
            find_end_effector(self.model, task.end_effector)
        return dataclasses.replace(self, task=task)

    def with_change(self, change: Change) -> Body:
        """Return the same robot with a hidden change: other physics, the same source and graph.

        Raises:
            BodyError: the change does not fit, or the body is changed already.
            TaskError: its direction is no unit vector.
        """
        if self.change is not None:
            raise BodyError(f"{self.name}: already changed ({self.change.name})")
        if change.direction and self.task.kind != "run":
            raise BodyError(f"change {change.name!r}: direction: {self.name} does not run, it reaches")
        model = change.applied_to(self.model, tuple(self.graph.actuator_names))
        task = self.task.replace(direction=change.direction) if change.direction else self.task
        return dataclasses.replace(self, model=model, task=task, change=change)


def load_body(name: str | Path, task: Task | None = None) -> Body:
    """Load a body by its name.

    Args:
        name: a suite body (``hopper``), ``gymnasium:NAME``, ``robosuite:NAME``, or the path of an MJCF file.
        task: how to run it; by default from the TOML beside the file, else derived from the model.

    Raises:
        BodyError: no such body, or a file that does not compile or has nothing to control.
        TaskError: the TOML beside it is wrong.
    """
    path = body_path(str(name))
    gymnasium_file = path.parent == GYMNASIUM_ASSETS
    model, source = read_mjcf(path, add_floor=not gymnasium_file)
    return make_body(_display_name(str(name), path), model, source, task or read_task(path))


def make_body(name: str, model: mujoco.MjModel, source: Source, task: Task | None = None) -> Body:
    """Put a body together from a compiled model; ``task`` is derived from the model when None."""
    try:
        graph = graph_from_model(model)
    except BodyError as error:
        raise BodyError(f"{name}: {error}") from None
    base = base_from_graph(model, graph)
    body = Body(name, model, graph, base, default_task(model, base), source)
    if task is None:
        return body
    try:
        return body.with_task(task)
    except TaskError as error:
        raise TaskError(f"{name}: {error}") from None


def find_end_effector(model: mujoco.MjModel, name: str | None) -> tuple[int, np.ndarray]:
    """Find a site, or else a body, by its name: the id of the body that carries it, and (3,) its place there (m).

    Raises:
        TaskError: there is none.
    """
    sites, bodies = ([model.site(i).name for i in range(model.nsite)], [model.body(i).name for i in range(model.nbody)])
    if name in sites:
        return int(model.site_bodyid[sites.index(name)]), np.array(model.site_pos[sites.index(name)])
    if name in bodies[1:]:
        return bodies.index(name), np.zeros(3)
    valid = [valid for valid in (*sites, *bodies[1:]) if valid]
    raise TaskError(f"end_effector = {name!r}: no site or body of that name; {choices(str(name), valid)}")


def body_path(name: str) -> Path:
    """Return the MJCF file that ``name`` stands for.

    Raises:
        BodyError: nothing has that name; the message lists near or valid names.
    """
    prefix, _, rest = name.partition(":")
    if rest and prefix == "gymnasium":
        return _named(GYMNASIUM_ASSETS, rest, name)
    if rest and prefix == "robosuite":
        return _robosuite_path(rest, name)
    if name.endswith((".xml", ".mjcf", ".zip")) or "/" in name:
        return Path(name).expanduser()
    found = [folder / f"{name}.xml" for folder in suite_folders() if (folder / f"{name}.xml").is_file()]
    if not found:
        stems = sorted(path.stem for folder in suite_folders() for path in folder.glob("*.xml"))
        numbered = [stem for stem in stems if stem[-3:].isdigit()]  # a hundred of them would hide all others
        valid = [*(stem for stem in stems if stem not in numbered), f"{numbered[0]} to {numbered[-1]}"]
        raise BodyError(f"unknown body {name!r}; {choices(name, valid)} (or gymnasium:NAME, or a path to an MJCF)")
    return found[0]


def suite_folders() -> list[Path]:
    """Return the folders of the shipped suites."""
    return sorted(path.parent for path in ASSETS.glob("*/splits.json"))


def read_task(path: Path) -> Task | None:
    """Read the task of an MJCF file from the TOML beside it, or None where there is none."""
    if path.parent == GYMNASIUM_ASSETS:
        return task_in_file(ASSETS / "gymnasium.toml", path.stem)
    own = path.with_suffix(".toml")
    if own.is_file():
        values = read_tasks(own)
        sections = [section for section in values if section]
        if sections:
            raise TaskError(f"{own}: the TOML of one body has no sections; found [{sections[0]}]")
        return task_from_dict(values[""], str(own))
    shared = path.parent / SUITE_FILE
    return task_in_file(shared, path.stem) if shared.is_file() else None


def task_in_file(path: Path, stem: str) -> Task | None:
    """Read a body's task from a file with a section a family.

    Every section that is a leading part of the name applies, the longest last: ``walker_short`` takes
    ``[walker]`` and then ``[walker_short]``.
    """
    sections = read_tasks(path)
    if sections[""]:
        raise TaskError(f"{path}: {next(iter(sections['']))!r} is outside of any section; put it under [family]")
    matching = sorted((s for s in sections if s and (stem == s or stem.startswith(f"{s}_"))), key=len)
    task: Task | None = None
    for section in matching:
        task = task_from_dict(sections[section], f"{path} [{section}]", task)
    return task


def default_task(model: mujoco.MjModel, base: Base) -> Task:
    """Derive a task for a model without one: run along +x, staying above half the start height."""
    # where no root joint carries x (a driven slide, a fixed base), the root body's own place counts
    velocity = "root" if base.x_qpos is not None else "body"
    frame_skip = max(1, round(CONTROL_STEP / model.opt.timestep))
    height = 0.0 if base.z_qpos is None else float(model.qpos0[base.z_qpos])
    if height <= 0.0 or model.opt.gravity[2] == 0:
        return Task(frame_skip=frame_skip, velocity=velocity)
    limits = (0.5 * height, 3.0 * height)
    return Task(frame_skip=frame_skip, velocity=velocity, healthy_reward=1.0, height=limits)


def _named(folder: Path, stem: str, name: str) -> Path:
    path = folder / f"{stem}.xml"
    if not path.is_file():
        raise BodyError(f"unknown body {name!r}; {choices(stem, [p.stem for p in folder.glob('*.xml')])}")
    return path


def _robosuite_path(robot: str, name: str) -> Path:
    """Find a robot's file without importing robosuite, which only its files are wanted of."""
    found = {package: importlib.util.find_spec(package) for package in ROBOSUITE_ROBOTS}
    folders = [
        Path(place) / ROBOSUITE_ROBOTS[package]
        for package, spec in found.items()
        for place in (spec.submodule_search_locations if spec else None) or ()
    ]
    if not folders:
        raise BodyError(f'{name}: robosuite\'s robots are not installed; pip install "morphnet[robots]"')
    files = {path.parent.name: path for folder in folders for path in folder.glob("*/robot.xml")}
    if robot not in files:
        raise BodyError(f"unknown body {name!r}; {choices(robot, list(files))}")
    return files[robot]


def _display_name(name: str, path: Path) -> str:
    return name if name.startswith(("gymnasium:", "robosuite:")) else path.stem
