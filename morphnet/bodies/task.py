"""Task: what a body is to do. Read from TOML, one section a family."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from pathlib import Path
from typing import Any

from morphnet.errors import TaskError, choices

KINDS = ("run", "reach")
VELOCITIES = ("root", "body", "center_of_mass")
NOISES = ("uniform", "normal")


@dataclasses.dataclass(frozen=True)
class Task:
    """Reward, termination, reset and discount of a body; one Gymnasium v5 environment fits in it.

    reward = progress + healthy_reward * healthy - ctrl_cost * sum(ctrl^2) - contact cost, with
    progress = forward_weight * v for "run", v the velocity along ``direction`` (m/s), and
    progress = goal_reward * (d < goal_tolerance) - distance_cost * d for "reach", d the distance from the end effector
    to the goal (m). An episode is terminated when it is not healthy.

    Attributes:
        kind: "run" along ``direction``, or "reach" a goal with the end effector.
        frame_skip: physics steps a control step.
        max_episode_steps: control steps after which an episode is truncated.
        discount: discount factor of the return that training maximises.
        direction: unit vector (x, y) in the world in which to run.
        forward_weight: reward a metre a second along ``direction``.
        healthy_reward: reward a step while healthy.
        ctrl_cost: cost of the summed squares of ctrl, in MuJoCo's units.
        contact_cost: cost of the summed squares of ``cfrc_ext``; 0 where it is not part of the task.
        contact_force_limit: each entry of ``cfrc_ext`` is clipped to +- this before squaring.
        contact_cost_limit: largest contact cost a step.
        velocity: what moves: "root" (the root's qpos), "body" (the root body's xpos as ``mj_step`` leaves
            it) or "center_of_mass" (of the whole model, as ``mj_step`` leaves it).
        height: healthy range of the root's vertical coordinate in qpos (m), or None.
        angle: healthy range of a planar root's hinge (rad), or None.
        tilt: healthy angle of the root's axis that starts upright against the vertical (rad), or None.
        state_limit: healthy absolute value of qpos (past the first two entries) and of qvel.
        qpos_noise: half width of the uniform noise on qpos at reset.
        qvel_noise: scale of the noise on qvel at reset.
        qvel_noise_kind: "uniform" (half width ``qvel_noise``) or "normal" (standard deviation).
        end_effector: name of the site, or of the body, that is to reach the goal; None for "run".
        goal: point to reach (m, in the world); None draws one within reach at every reset.
        goal_tolerance: distance (m) below which the goal counts as reached.
        goal_reward: reward a step while the goal is reached.
        distance_cost: cost a metre from the goal, a step.
    """

    kind: str = "run"
    frame_skip: int = 4
    max_episode_steps: int = 1000
    discount: float = 0.99
    direction: tuple[float, float] = (1.0, 0.0)
    forward_weight: float = 1.0
    healthy_reward: float = 0.0
    ctrl_cost: float = 1e-3
    contact_cost: float = 0.0
    contact_force_limit: float = math.inf
    contact_cost_limit: float = math.inf
    velocity: str = "root"
    height: tuple[float, float] | None = None
    angle: tuple[float, float] | None = None
    tilt: float | None = None
    state_limit: float = math.inf
    qpos_noise: float = 0.005
    qvel_noise: float = 0.005
    qvel_noise_kind: str = "uniform"
    end_effector: str | None = None
    goal: tuple[float, float, float] | None = None
    goal_tolerance: float = 0.05
    goal_reward: float = 1.0
    distance_cost: float = 1.0

    def __post_init__(self) -> None:
        _check_numbers(self)
        x, y = self.direction
        object.__setattr__(self, "direction", (float(x), float(y)))  # compiled loops read floats alone
        if self.goal is not None:
            object.__setattr__(self, "goal", tuple(float(part) for part in self.goal))
        _check_kind(self)
        if self.velocity not in VELOCITIES:
            raise TaskError(f"velocity = {self.velocity!r}: {choices(self.velocity, VELOCITIES)}")
        if self.qvel_noise_kind not in NOISES:
            raise TaskError(f"qvel_noise_kind = {self.qvel_noise_kind!r}: {choices(self.qvel_noise_kind, NOISES)}")

    @property
    def command(self) -> tuple[float, ...] | None:
        """What is wanted now, in the world: the direction (x, y), or the goal (x, y, z); None where it is drawn."""
        return self.direction if self.kind == "run" else self.goal

    def replace(self, **changes: Any) -> Task:
        """Return this task with some values changed."""
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return the values that differ from the defaults, as JSON can hold them; no limit is "inf"."""
        defaults = Task()
        pairs = ((f.name, getattr(self, f.name)) for f in dataclasses.fields(self))
        return {name: _to_json(value) for name, value in pairs if value != getattr(defaults, name)}


def _check_kind(task: Task) -> None:
    if task.kind not in KINDS:
        raise TaskError(f"kind = {task.kind!r}: {choices(task.kind, KINDS)}")
    if task.kind == "run" and (task.goal is not None or task.end_effector is not None):
        name = "goal" if task.goal is not None else "end_effector"
        raise TaskError(f'{name} = {getattr(task, name)!r}: goes with kind = "reach"')
    if task.kind == "reach" and task.end_effector is None:
        raise TaskError('kind = "reach": needs end_effector, the name of a site or body of the MJCF')
    if task.goal is not None and not (len(task.goal) == 3 and all(math.isfinite(part) for part in task.goal)):
        raise TaskError(f"goal = {list(task.goal)}: expected a point [x, y, z] (m)")
    if not 0.0 < task.goal_tolerance < math.inf:
        raise TaskError(f"goal_tolerance = {task.goal_tolerance}: must be above 0 and finite")


def _check_numbers(task: Task) -> None:
    if task.frame_skip < 1 or task.max_episode_steps < 1:
        raise TaskError("frame_skip and max_episode_steps must be at least 1")
    if not 0.0 < task.discount <= 1.0:
        raise TaskError(f"discount = {task.discount}: must lie in (0, 1]")
    if not math.isclose(math.hypot(*task.direction), 1.0, abs_tol=1e-6):
        raise TaskError(f"direction = {list(task.direction)}: must have length 1")
    costs = ("ctrl_cost", "contact_cost")
    for name in (
        *costs,
        "qpos_noise",
        "qvel_noise",
        "state_limit",
        "tilt",
        "contact_force_limit",
        "contact_cost_limit",
    ):
        value = getattr(task, name)
        if value is not None and value < 0:
            raise TaskError(f"{name} = {value}: must not be negative")
    finite = ("forward_weight", "healthy_reward", "goal_reward", "distance_cost", *costs, "qpos_noise", "qvel_noise")
    for name in finite:
        if not math.isfinite(getattr(task, name)):
            raise TaskError(f"{name} = {getattr(task, name)}: must be finite")
    for name in ("height", "angle"):
        limits = getattr(task, name)
        if limits is not None and not limits[0] < limits[1]:
            raise TaskError(f"{name} = {list(limits)}: the lower limit must be below the upper one")


def task_from_dict(values: dict[str, Any], where: str, base: Task | None = None) -> Task:
    """Build a Task from TOML or JSON values.

    Args:
        values: field name to value; a missing field keeps its value in ``base``.
        where: the file and section, for error lines.
        base: the task to start from; the defaults when None.

    Raises:
        TaskError: an unknown key, a value of the wrong type, or values that contradict each other.
    """
    fields = {f.name: f for f in dataclasses.fields(Task)}
    known: dict[str, Any] = {}
    for key, value in values.items():
        if key not in fields:
            raise TaskError(f"{where}: unknown key {key!r}; {choices(key, tuple(fields))}")
        known[key] = _convert(value, str(fields[key].type), f"{where}: {key}")
    try:
        return dataclasses.replace(base or Task(), **known)
    except TaskError as error:
        raise TaskError(f"{where}: {error}") from None


def _to_json(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_to_json(part) for part in value]
    return str(value) if isinstance(value, float) and math.isinf(value) else value


def _from_json(value: Any) -> Any:
    if isinstance(value, list):
        return [_from_json(part) for part in value]
    return float(value) if value in ("inf", "-inf") else value


def _convert(value: Any, kind: str, where: str) -> Any:
    """Convert one TOML or JSON value to the type that the annotation ``kind`` names."""
    value = _from_json(value)
    if value is None and "None" in kind:
        return None
    if kind.startswith("str"):
        accepted = isinstance(value, str)
    elif kind == "int":
        accepted = isinstance(value, int) and not isinstance(value, bool)
    elif kind.startswith("tuple"):
        size = kind.count("float")
        accepted = isinstance(value, list) and len(value) == size and all(_is_number(v) for v in value)
        value = tuple(float(v) for v in value) if accepted else value
    else:
        accepted = _is_number(value)
        value = float(value) if accepted else value
    if not accepted:
        raise TaskError(f"{where} = {value!r}: expected {kind}")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


def read_tasks(path: Path) -> dict[str, dict[str, Any]]:
    """Read a task file: ``{section: values}``; values outside any section are under ``""``.

    Raises:
        TaskError: the file cannot be read or is not TOML.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TaskError(f"{path}: {error}") from None
    sections = {key: value for key, value in content.items() if isinstance(value, dict)}
    sections[""] = {key: value for key, value in content.items() if not isinstance(value, dict)}
    return sections
