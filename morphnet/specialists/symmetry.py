"""Symmetry: policies that treat two limbs alike which nothing but their names tells apart.

What a hypernetwork emits is such a policy, so an expert that is to be imitated must be one as well.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor

from morphnet.bodies import Body
from morphnet.morphology.twins import swap_of_twins
from morphnet.simulation import KINDS, ObservationLayout
from morphnet.specialists.perceptron import FlatPerceptron


@dataclasses.dataclass(frozen=True, eq=False)
class Symmetry:
    """An exchange of two limbs, as observations and actions show it.

    Attributes:
        entries: (D,) the observation entry that takes each entry's place.
        actions: (nu,) the actuator that takes each actuator's place.
    """

    entries: Tensor
    actions: Tensor

    def partner(self, perceptron: FlatPerceptron) -> np.ndarray:
        """Return the number (P,) to which each of an actor's has to be equal if it is to treat the limbs alike.

        Its hidden units are two halves that change places whenever the limbs do (van der Pol et al. 2020, MDP
        Homomorphic Networks).

        Raises:
            ValueError: an odd number of hidden units.
        """
        hidden = perceptron.sizes[1]
        if hidden % 2:
            raise ValueError(f"hidden = {hidden}: must be even, as halves change places")
        entries, actions = self.entries.numpy(), self.actions.numpy()
        halves = np.roll(np.arange(hidden), hidden // 2)
        places = perceptron.split(np.arange(len(perceptron.values)))
        parts = (
            places.first[entries][:, halves],
            places.second[halves][:, halves],
            places.third[actions][:, halves],
            places.one[halves],
            places.two[halves],
            places.three[actions],
            places.log_std[actions],
        )
        return np.concatenate([part.ravel() for part in parts])


def symmetry_of(body: Body, layout: ObservationLayout) -> Symmetry | None:
    """Return the exchange of a body's two limbs that are twins, None without such.

    Args:
        body: the body.
        layout: what its observation entries are.
    """
    graph, swap = body.graph, swap_of_twins(body.graph)
    if swap is None:
        return None
    starts = {"body": 0, "joint": graph.num_bodies, "actuator": graph.num_bodies + graph.num_joints}
    places = list(zip(layout.kind.tolist(), layout.token.tolist(), layout.slot.tolist(), strict=True))
    index = {place: entry for entry, place in enumerate(places)}
    entries = []
    for kind, token, slot in places:
        start = starts.get(KINDS[kind])
        entries.append(index[kind, token if start is None else int(swap[start + token]) - start, slot])
    actions = swap[starts["actuator"] :] - starts["actuator"]
    return Symmetry(torch.tensor(entries), torch.from_numpy(np.ascontiguousarray(actions)))
