"""A picture of a robot in its start pose beside its morphology graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from morphnet.bodies import Body
from morphnet.errors import RenderError
from morphnet.files import atomic_path
from morphnet.look import Preset
from morphnet.morphology import MorphologyGraph
from morphnet.rendering.frames import Filmer

HEIGHT, ROBOT_WIDTH, MARGIN = 720, 720, 60
COLOURS = {"body": (52, 101, 164), "joint": (230, 126, 34), "actuator": (192, 57, 43)}
RADII = {"body": 13, "joint": 8, "actuator": 7}
INK, EDGE, PAPER = (40, 40, 40), (150, 150, 150), (250, 250, 248)


def write_graph_picture(body: Body, path: Path) -> None:
    """Write a PNG.

    Raises:
        RenderError: another suffix than .png, no OpenGL, or an unwritable folder.
    """
    if path.suffix.lower() != ".png":
        raise RenderError(f"{path}: pictures are written as .png")
    positions = token_positions(body.graph)
    width = int(max(480, positions[:, 0].max() + 2 * MARGIN + 60))
    canvas = Image.new("RGB", (ROBOT_WIDTH + width, HEIGHT), PAPER)
    canvas.paste(Image.fromarray(_robot(body)), (0, 0))
    _draw_graph(ImageDraw.Draw(canvas), body, positions + np.array([ROBOT_WIDTH + MARGIN, 0]))
    with atomic_path(path) as temporary:
        canvas.save(temporary, format="PNG")


def _robot(body: Body) -> np.ndarray:
    with Filmer(body, ROBOT_WIDTH, HEIGHT, Preset.QUALITY) as filmer:
        return filmer.picture(body.model.qpos0)


def token_positions(graph: MorphologyGraph) -> np.ndarray:
    """(num_tokens, 2) places in pixels: bodies as a tree, joints above their body, actuators beside them."""
    depth = _depths(graph)
    level = (HEIGHT - 2 * MARGIN - 60) / max(1, depth.max())
    bodies = np.stack([_columns(graph) * 110.0, MARGIN + 80 + depth * level], axis=1)
    joints = np.zeros((graph.num_joints, 2))
    for index, owner in enumerate(graph.joint_body):
        rank = int(np.sum(graph.joint_body[:index] == owner))
        joints[index] = bodies[owner] + np.array([-16 + 22 * (rank % 3), -26 - 20 * (rank // 3)])
    actuators = np.zeros((graph.num_actuators, 2))
    for index in range(graph.num_actuators):
        driven = graph.actuator_joints[graph.actuator_joints[:, 0] == index, 1]
        held = graph.actuator_bodies[graph.actuator_bodies[:, 0] == index, 1]
        anchor = joints[driven].mean(axis=0) if len(driven) else bodies[held].mean(axis=0)
        actuators[index] = anchor + np.array([30, -14])
    return np.concatenate([bodies, joints, actuators])


def _depths(graph: MorphologyGraph) -> np.ndarray:
    depth = np.zeros(graph.num_bodies)
    for index, parent in enumerate(graph.body_parent):
        depth[index] = depth[parent] + 1 if parent >= 0 else 0
    return depth


def _columns(graph: MorphologyGraph) -> np.ndarray:
    """Column of each body: leaves side by side, parents in the middle of their children."""
    children = [np.flatnonzero(graph.body_parent == i) for i in range(graph.num_bodies)]
    column, used = np.zeros(graph.num_bodies), 0
    for index in _depth_first(graph, children):
        if len(children[index]) == 0:
            column[index], used = used, used + 1
    for index in reversed(range(graph.num_bodies)):
        if len(children[index]):
            column[index] = column[children[index]].mean()
    return column


def _depth_first(graph: MorphologyGraph, children: list[np.ndarray]) -> list[int]:
    order: list[int] = []
    waiting = [int(i) for i in np.flatnonzero(graph.body_parent < 0)][::-1]
    while waiting:
        index = waiting.pop()
        order.append(index)
        waiting += [int(child) for child in children[index][::-1]]
    return order


def _draw_graph(draw: ImageDraw.ImageDraw, body: Body, positions: np.ndarray) -> None:
    graph, font = body.graph, ImageFont.load_default(13)
    for a, b, _ in graph.edges:
        draw.line([*positions[a], *positions[b]], fill=EDGE, width=2)
    kinds = ["body"] * graph.num_bodies + ["joint"] * graph.num_joints + ["actuator"] * graph.num_actuators
    for kind, (x, y) in zip(kinds, positions, strict=True):
        r = RADII[kind]
        shape = draw.rectangle if kind == "actuator" else draw.ellipse
        shape([x - r, y - r, x + r, y + r], fill=COLOURS[kind])
    for name, (x, y) in zip(graph.body_names, positions, strict=False):
        draw.text((x, y + 16), name[:16], fill=INK, font=font, anchor="ma")
    title = ImageFont.load_default(20)
    draw.text((ROBOT_WIDTH + MARGIN, 16), body.name, fill=INK, font=title)
    for row, (kind, count) in enumerate(
        (("body", graph.num_bodies), ("joint", graph.num_joints), ("actuator", graph.num_actuators))
    ):
        x = ROBOT_WIDTH + MARGIN + 130 * row
        draw.ellipse([x, 52, x + 12, 64], fill=COLOURS[kind])
        plural = "bodies" if kind == "body" else f"{kind}s"
        draw.text((x + 18, 50), f"{count} {plural}", fill=INK, font=font)
