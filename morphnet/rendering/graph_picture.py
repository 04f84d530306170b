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
from morphnet.rendering.graph_layout import ACTUATOR_SHIFT, COLUMN, token_positions

ROBOT, HEAD, MARGIN = 720, 120, 60  # the robot's square; title and legend; free space (pixels)
COLOURS = {"body": (52, 101, 164), "joint": (230, 126, 34), "actuator": (192, 57, 43)}
RADII = {"body": 14, "joint": 7, "actuator": 7}
INK, EDGE, PAPER = (40, 40, 40), (160, 160, 160), (250, 250, 248)
SMOOTH = 2  # drawn this much larger and made small again, for smooth edges
WIDEST = 12_000  # pixels, of a graph with very many limbs
LETTER = 7.0  # mean width of a letter of a name (pixels)


def write_graph_picture(body: Body, path: Path) -> None:
    """Write a PNG.

    Raises:
        RenderError: another suffix than .png, no OpenGL, or an unwritable folder.
    """
    if path.suffix.lower() != ".png":
        raise RenderError(f"{path}: pictures are written as .png")
    graph = _graph(body)
    with Filmer(body, ROBOT, min(graph.height, 2 * ROBOT), Preset.QUALITY) as filmer:
        robot = Image.fromarray(filmer.picture(body.model.qpos0))
    canvas = Image.new("RGB", (ROBOT + graph.width, graph.height), PAPER)
    canvas.paste(robot, (0, (graph.height - robot.height) // 2))
    canvas.paste(graph, (ROBOT, 0))
    with atomic_path(path) as temporary:
        canvas.save(temporary, format="PNG")


def _graph(body: Body) -> Image.Image:
    """Draw title, legend and graph."""
    places = token_positions(body.graph, ROBOT - HEAD - 2 * MARGIN)
    places[:, 0] *= min(1.0, WIDEST / max(1.0, np.ptp(places[:, 0])))
    extent = np.ptp(places, axis=0)
    width, height = int(max(520, extent[0] + 2 * MARGIN + 40)), int(max(ROBOT, HEAD + extent[1] + 2 * MARGIN))
    start = np.array([(width - extent[0]) / 2, HEAD + MARGIN / 2])
    canvas = Image.new("RGB", (SMOOTH * width, SMOOTH * height), PAPER)
    draw = ImageDraw.Draw(canvas)
    _draw_head(draw, body)
    _draw_tokens(draw, body.graph, SMOOTH * (places - places.min(axis=0) + start))
    return canvas.resize((width, height), Image.Resampling.LANCZOS)


def _draw_head(draw: ImageDraw.ImageDraw, body: Body) -> None:
    graph, x = body.graph, float(SMOOTH * MARGIN)
    draw.text((x, SMOOTH * 24), body.name, fill=INK, font=ImageFont.load_default(SMOOTH * 24))
    font = ImageFont.load_default(SMOOTH * 15)
    counts = {"bodies": graph.num_bodies, "joints": graph.num_joints, "actuators": graph.num_actuators}
    for (plural, count), kind in zip(counts.items(), COLOURS, strict=True):
        _draw_token(draw, kind, x + SMOOTH * 8, SMOOTH * 82, SMOOTH * 8)
        text = f"{count} {plural if count != 1 else kind}"
        draw.text((x + SMOOTH * 24, SMOOTH * 82), text, fill=INK, font=font, anchor="lm")
        x += SMOOTH * 50 + draw.textlength(text, font=font)


def _draw_tokens(draw: ImageDraw.ImageDraw, graph: MorphologyGraph, places: np.ndarray) -> None:
    for a, b, _ in graph.edges:
        draw.line([*places[a], *places[b]], fill=EDGE, width=SMOOTH * 2)
    kinds = ["body"] * graph.num_bodies + ["joint"] * graph.num_joints + ["actuator"] * graph.num_actuators
    for kind, (x, y) in zip(kinds, places, strict=True):
        _draw_token(draw, kind, x, y, SMOOTH * RADII[kind])
    font = ImageFont.load_default(SMOOTH * 13)
    room = int((COLUMN + ACTUATOR_SHIFT / 2) / LETTER)
    for index, name in enumerate(graph.body_names):
        shown = name if len(name) <= room else f"{name[: room - 1]}…"
        beside = [places[graph.num_bodies + joint, 1] for joint in np.flatnonzero(graph.joint_body == index)]
        low = max([places[index, 1] + SMOOTH * RADII["body"], *(y + SMOOTH * RADII["joint"] for y in beside)])
        place = (places[index, 0] - SMOOTH * RADII["body"], low + SMOOTH * 4)
        draw.text(place, shown, fill=INK, font=font, anchor="la", stroke_width=SMOOTH * 2, stroke_fill=PAPER)


def _draw_token(draw: ImageDraw.ImageDraw, kind: str, x: float, y: float, radius: float) -> None:
    shape = draw.rectangle if kind == "actuator" else draw.ellipse
    shape([x - radius, y - radius, x + radius, y + radius], fill=COLOURS[kind])
