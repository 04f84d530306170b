"""What ``morphnet inspect`` and ``morphnet bodies`` report."""

from __future__ import annotations

from typing import Any

from morphnet.bodies import Body, load_suite, suite_names
from morphnet.morphology import EdgeKind
from morphnet.simulation import Observer


def describe(body: Body) -> dict[str, Any]:
    """Describe a body as ``inspect --json`` writes it."""
    graph, layout = body.graph, Observer(body).layout
    names = [*graph.body_names, *graph.joint_names, *graph.actuator_names]
    kinds = ["body"] * graph.num_bodies + ["joint"] * graph.num_joints + ["actuator"] * graph.num_actuators
    tokens = [{"id": i, "kind": kind, "name": name} for i, (kind, name) in enumerate(zip(kinds, names, strict=True))]
    edges = [
        {"from": int(a), "to": int(b), "kind": EdgeKind(int(kind)).name.lower().replace("_", "-")}
        for a, b, kind in graph.edges
    ]
    return {
        "name": body.name,
        "num_bodies": graph.num_bodies,
        "num_joints": graph.num_joints,
        "num_actuators": graph.num_actuators,
        "observation_size": layout.size,
        "action_size": body.model.nu,
        "tokens": tokens,
        "edges": edges,
        "observation": list(layout.names),
        "control_step": body.control_step,
        "task": body.task.to_dict(),
    }


def size_rows(report: dict[str, Any]) -> list[tuple[str, Any]]:
    """Rows of the table of sizes."""
    labels = {
        "num_bodies": "bodies",
        "num_joints": "joints",
        "num_actuators": "actuators",
        "observation_size": "observation entries",
        "action_size": "action entries",
        "control_step": "control step (s)",
    }
    return [(label, report[key]) for key, label in labels.items()]


def token_rows(report: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Rows of the table of tokens: name, kind, names of its neighbours."""
    names = [token["name"] for token in report["tokens"]]
    neighbours: list[list[str]] = [[] for _ in names]
    for edge in report["edges"]:
        neighbours[edge["from"]].append(names[edge["to"]])
        neighbours[edge["to"]].append(names[edge["from"]])
    return [(t["name"], t["kind"], ", ".join(neighbours[t["id"]])) for t in report["tokens"]]


def list_bodies(suite: str | None) -> list[dict[str, Any]]:
    """List bodies of one suite, or of all."""
    rows = []
    for opened in [load_suite(name) for name in ([suite] if suite else suite_names())]:
        for split, families in opened.splits.items():
            for family, names in families.items():
                rows += [_row(opened.load(name), opened.name, split, family) for name in names]
    return rows


def _row(body: Body, suite: str, split: str, family: str) -> dict[str, Any]:
    graph = body.graph
    return {
        "body": body.name,
        "suite": suite,
        "split": split,
        "family": family,
        "bodies": graph.num_bodies,
        "joints": graph.num_joints,
        "actuators": graph.num_actuators,
        "mass (kg)": round(float(body.model.body_mass[graph.body_ids].sum()), 2),
    }
