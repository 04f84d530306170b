"""Where bodies meet networks: a body and its observation layout as tokens."""

from __future__ import annotations

import numpy as np

from morphnet.bodies import Body
from morphnet.bodies.task_features import task_features
from morphnet.networks import SlotTable, Tokens
from morphnet.simulation import KINDS, SLOTS, ObservationLayout

SLOT_TABLE = SlotTable(
    sizes={kind: len(slots) for kind, slots in SLOTS.items()},
    carriers={"root": "body", "body": "body", "joint": "joint", "actuator": "actuator", "task": "task"},
)
"""The observation's slots as the networks know them; the root's slots are carried by the root body's token."""


def tokens_of(body: Body, layout: ObservationLayout) -> Tokens:
    """Describe a body, its task and its observation layout to the networks."""
    graph = body.graph
    token = layout.token.copy()
    token[layout.kind == KINDS.index("root")] = int(np.flatnonzero(graph.body_ids == graph.root_body)[0])
    return Tokens(
        features={
            "body": graph.body_features,
            "joint": graph.joint_features,
            "actuator": graph.actuator_features,
            "task": task_features(body),
        },
        edges=graph.edges,
        observation_kind=layout.kind,
        observation_token=token,
        observation_slot=layout.slot,
    )


def feature_sizes(tokens: Tokens) -> dict[str, int]:
    """Number of physical features of each kind of token."""
    return {kind: features.shape[1] for kind, features in tokens.features.items()}
