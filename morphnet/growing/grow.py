"""Growing bodies: drawing creatures until one passes every check."""

from __future__ import annotations

import collections
import dataclasses

import mujoco
import numpy as np

from morphnet.bodies import Body, Source, make_body
from morphnet.errors import BodyError
from morphnet.growing.checks import physics_fault, stance_fault, start_faults
from morphnet.growing.draw import draw_creature
from morphnet.growing.mjcf import creature_mjcf, creature_task

MOST_DRAWS = 200


@dataclasses.dataclass(frozen=True, eq=False)
class Grown:
    """A body and what it took to find it.

    Attributes:
        body: the body.
        rejected: fault -> how many draws before it had that fault.
    """

    body: Body
    rejected: collections.Counter[str]


def grow_body(rng: np.random.Generator, name: str = "creature", about: str = "Grown by morphnet.grow_body.") -> Body:
    """Draw a random limbed body that stands and works: 3 to 12 limbs on a torso, one or two hinges a limb.

    Args:
        rng: where chance comes from; the same generator state gives the same body.
        name: of the body.
        about: the comment in its MJCF.

    Raises:
        BodyError: no draw of very many passed the checks.
    """
    return search_body(rng, name, about).body


def search_body(rng: np.random.Generator, name: str, about: str) -> Grown:
    """Do as ``grow_body``, and count what was rejected."""
    rejected: collections.Counter[str] = collections.Counter()
    for _ in range(MOST_DRAWS):
        creature = draw_creature(rng)
        text = creature_mjcf(creature, name, about)
        model, source = mujoco.MjModel.from_xml_string(text), Source(text.encode(), ".xml")
        body = make_body(name, model, source, creature_task(creature))
        found = _first_fault(body)
        if found is None:
            return Grown(body, rejected)
        rejected[found] += 1
    raise BodyError(f"{name}: none of {MOST_DRAWS} draws passed the checks ({dict(rejected)})")


def _first_fault(body: Body) -> str | None:
    """Check a body, the cheapest checks first."""
    return next(iter(start_faults(body)), None) or stance_fault(body) or physics_fault(body)
