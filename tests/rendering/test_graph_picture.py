import itertools

import numpy as np
import pytest
from PIL import Image

from morphnet.bodies import load_body
from morphnet.rendering.graph_layout import token_positions
from morphnet.rendering.graph_picture import COLOURS, RADII, ROBOT, write_graph_picture

BODIES = ["hopper", "gymnasium:humanoid", "hexapod", "swimmer", "gymnasium:reacher"]


@pytest.mark.parametrize("name", BODIES)
def test_no_token_covers_another(name: str) -> None:
    graph = load_body(name).graph
    kinds = ["body"] * graph.num_bodies + ["joint"] * graph.num_joints + ["actuator"] * graph.num_actuators
    places = token_positions(graph, 500.0)
    assert len(places) == len(kinds)
    for (one, a), (other, b) in itertools.combinations(zip(kinds, places, strict=True), 2):
        assert np.linalg.norm(a - b) >= RADII[one] + RADII[other], (one, other)


@pytest.mark.parametrize("name", BODIES)
def test_children_hang_below_their_parents(name: str) -> None:
    graph = load_body(name).graph
    places = token_positions(graph, 500.0)
    for child, parent in enumerate(graph.body_parent):
        if parent >= 0:
            assert places[child, 1] > places[parent, 1]


@pytest.mark.usefixtures("needs_gl")
def test_every_token_is_drawn_in_the_colour_of_its_kind(tmp_path) -> None:
    body = load_body("hopper")
    write_graph_picture(body, tmp_path / "hopper.png")
    picture = np.asarray(Image.open(tmp_path / "hopper.png"))
    assert picture[:, :ROBOT].std() > 10, "the robot"
    counts = {"body": body.graph.num_bodies, "joint": body.graph.num_joints, "actuator": body.graph.num_actuators}
    for kind, count in counts.items():
        pixels = np.all(np.abs(picture[:, ROBOT:].astype(int) - COLOURS[kind]) < 40, axis=-1).sum()
        area = (2 * RADII[kind]) ** 2 * (1.0 if kind == "actuator" else np.pi / 4)
        legend = 16**2 * (1.0 if kind == "actuator" else np.pi / 4)
        assert pixels == pytest.approx(count * area + legend, rel=0.15), kind
