"""Where bodies meet networks: a body and its observation layout as tokens."""

from __future__ import annotations

import numpy as np

from morphnet.bodies import Body
from morphnet.bodies.task_features import task_features
from morphnet.networks import SlotTable, Tokens
from morphnet.simulation import SLOTS, ObservationLayout

SLOT_TABLE = SlotTable({kind: len(slots) for kind, slots in SLOTS.items()})
"""The observation's slots as the networks know them."""


def tokens_of(body: Body, layout: ObservationLayout) -> Tokens:
    """Describe a body, its task and its observation layout to the networks."""
    graph = body.graph
    return Tokens(
        features={
            "body": graph.body_features,
            "joint": graph.joint_features,
            "actuator": graph.actuator_features,
            "task": task_features(body),
        },
        edges=graph.edges,
        root=int(np.flatnonzero(graph.body_ids == graph.root_body)[0]),
        observation_kind=layout.kind,
        observation_token=layout.token,
        observation_slot=layout.slot,
        control_step=body.control_step,
    )


def feature_sizes(tokens: Tokens) -> dict[str, int]:
    """Number of physical features of each kind of token."""
    return {kind: features.shape[1] for kind, features in tokens.features.items()}
