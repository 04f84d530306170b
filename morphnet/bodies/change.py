"""Change: what differs from a body's file and cannot be seen in it, such as a dead actuator."""

from __future__ import annotations

import copy
import dataclasses
import math
import tomllib
from pathlib import Path
from typing import Any

import mujoco

from morphnet.errors import BodyError, choices
from morphnet.morphology.transmission import control_owners

_LINEAR = (int(mujoco.mjtGain.mjGAIN_FIXED), int(mujoco.mjtGain.mjGAIN_AFFINE))
_MUSCLE = int(mujoco.mjtGain.mjGAIN_MUSCLE)


@dataclasses.dataclass(frozen=True)
class Change:
    """A hidden change of a body: its MJCF, and so its hash and its morphology graph, stay what they are.

    Attributes:
        name: what it is called in reports.
        mass: factor on all masses and inertias.
        friction: factor on the friction of all contacts.
        actuators: factor on the force of single actuators, by name; 0 is a dead one.
        direction: unit vector (x, y) in which it is to run instead of its task's, or None.
    """

    name: str = "unnamed"
    mass: float = 1.0
    friction: float = 1.0
    actuators: dict[str, float] = dataclasses.field(default_factory=dict)
    direction: tuple[float, float] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the values as JSON can hold them."""
        return dataclasses.asdict(self)

    def applied_to(self, model: mujoco.MjModel, actuator_names: tuple[str, ...]) -> mujoco.MjModel:
        """Return a changed copy of a model.

        Args:
            model: the model; not changed.
            actuator_names: the name of each of its controls, in order.

        Raises:
            BodyError: an actuator of another name, or one whose force law cannot be scaled.
        """
        changed = copy.copy(model)
        changed.body_mass[:] *= self.mass
        changed.body_inertia[:] *= self.mass
        changed.geom_friction[:] *= self.friction
        changed.pair_friction[:] *= self.friction
        owners = control_owners(model)
        for name, factor in self.actuators.items():
            if name not in actuator_names:
                raise BodyError(f"change {self.name!r}: unknown actuator {name!r}; {choices(name, actuator_names)}")
            _weaken(changed, int(owners[actuator_names.index(name)]), factor, name)
        # what MuJoCo derives from masses at compile time: subtree masses, inverse weights
        data = mujoco.MjData(changed)
        mujoco.mj_setConst(changed, data)
        return changed


def _weaken(model: mujoco.MjModel, actuator: int, factor: float, name: str) -> None:
    """Scale the force of an actuator; a muscle's parameters hold lengths and speeds besides its peak force."""
    kind = int(model.actuator_gaintype[actuator])
    if kind not in (*_LINEAR, _MUSCLE):
        raise BodyError(f"actuator {name!r}: its force law cannot be scaled; a change takes motors, servos and muscles")
    scaled: Any = slice(2, 4) if kind == _MUSCLE else slice(None)
    model.actuator_gainprm[actuator, scaled] *= factor
    model.actuator_biasprm[actuator, scaled] *= factor


def read_change(path: Path) -> Change:
    """Read a change from a TOML file.

    Raises:
        BodyError: the file is missing or malformed.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BodyError(f"{path}: {error}") from None
    return change_from_dict({"name": path.stem, **content}, str(path))


def change_from_dict(values: Any, where: str) -> Change:
    """Build a change from TOML or JSON values.

    Raises:
        BodyError: an unknown key or a value of the wrong kind.
    """
    if not isinstance(values, dict):
        raise BodyError(f"{where}: expected a change's values, found {values!r}")
    valid = tuple(field.name for field in dataclasses.fields(Change))
    for key in values:
        if key not in valid:
            raise BodyError(f"{where}: unknown key {key!r}; {choices(key, valid)}")
    actuators, direction = values.get("actuators", {}), values.get("direction")
    if not isinstance(actuators, dict) or not isinstance(values.get("name", ""), str):
        raise BodyError(f'{where}: expected name = "..." and a section [actuators] of name = factor')
    factors = {"mass": values.get("mass", 1.0), "friction": values.get("friction", 1.0), **actuators}
    for name, factor in factors.items():
        if not _is_number(factor) or factor < 0 or (name == "mass" and factor == 0):
            raise BodyError(f"{where}: {name} = {factor!r}: expected a factor, 0 or more (mass: above 0)")
    if direction is not None and not (
        isinstance(direction, list | tuple) and len(direction) == 2 and all(_is_number(part) for part in direction)
    ):
        raise BodyError(f"{where}: direction = {direction!r}: expected [x, y]")
    return Change(
        name=values.get("name", "unnamed"),
        mass=float(factors["mass"]),
        friction=float(factors["friction"]),
        actuators={name: float(factor) for name, factor in actuators.items()},
        direction=None if direction is None else (float(direction[0]), float(direction[1])),
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
