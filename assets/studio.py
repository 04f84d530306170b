"""The studio that generated bodies stand in: floor, sky, materials, light and camera, as MJCF elements.

Everything is written as text with few digits, so that files are small and their bytes do not depend on how a version
of MuJoCo writes numbers.
"""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

HUE = 0.58
"""Blue-grey, the colour of the hand-written bodies."""
_SHADES = {"middle": 0.62, "left": 0.78, "right": 0.46}
"""Brightness of what lies in the middle, left and right, so that coinciding limbs can be told apart."""


def studio(name: str, about: str, timestep: float, hue: float = HUE) -> Element:
    """Return an ``<mujoco>`` element with everything but a robot: compiler, option, defaults, looks and floor.

    Args:
        name: model name.
        about: one sentence for the reader of the file.
        timestep: physics step (s).
        hue: colour of the materials ``middle``, ``left`` and ``right``, 0 to 1 round the colour circle.
    """
    root = Element("mujoco", model=name)
    root.append(ElementTree.Comment(f" {about} "))
    SubElement(root, "compiler", angle="degree")
    SubElement(root, "option", timestep=number(timestep), integrator="implicitfast")
    SubElement(SubElement(root, "visual"), "map", shadowclip="4")
    default = SubElement(root, "default")
    SubElement(default, "joint", limited="true")
    SubElement(default, "geom", type="capsule", conaffinity="0", friction="1 0.01 0.001", material="middle")
    SubElement(default, "motor", ctrllimited="true", ctrlrange="-1 1")
    asset = SubElement(root, "asset")
    sky = {"rgb1": "0.80 0.88 0.95", "rgb2": "0.36 0.47 0.62", "width": "64", "height": "384"}
    SubElement(asset, "texture", {"name": "sky", "type": "skybox", "builtin": "gradient", **sky})
    tiles = {"rgb1": "0.80 0.82 0.85", "rgb2": "0.66 0.70 0.75", "width": "64", "height": "64"}
    SubElement(asset, "texture", {"name": "checker", "type": "2d", "builtin": "checker", **tiles})
    SubElement(asset, "material", name="ground", texture="checker", texrepeat="1 1", texuniform="true")
    for shade, brightness in _SHADES.items():
        rgba = numbers((*colorsys.hsv_to_rgb(hue, 0.3, brightness), 1.0))
        SubElement(asset, "material", name=shade, rgba=rgba, specular="0.3", shininess="0.4")
    world = SubElement(root, "worldbody")
    floor = {"contype": "0", "conaffinity": "1"}
    SubElement(world, "geom", {"name": "floor", "type": "plane", "size": "0 0 1", "material": "ground", **floor})
    return root


def add_sun_and_camera(body: Element, distance: float) -> None:
    """Add a light and the camera ``track``, which follow the centre of mass from ``distance`` (m)."""
    sun = {"diffuse": "0.65 0.65 0.65", "ambient": "0.1 0.1 0.1", "specular": "0.1 0.1 0.1"}
    place = {"pos": "0 -2 4", "dir": "0.2 0.4 -1"}
    SubElement(body, "light", {"name": "sun", "mode": "trackcom", "type": "directional", **place, **sun})
    pose = {"pos": numbers((0.0, -distance, distance / 4)), "xyaxes": "1 0 0 0 0.34 0.94"}
    SubElement(body, "camera", {"name": "track", "mode": "trackcom", **pose})


def to_text(root: Element) -> str:
    """Return the MJCF text of an ``<mujoco>`` element."""
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def number(value: float) -> str:
    """Write a number in at most four digits after the point."""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def numbers(values: Sequence[float]) -> str:
    """Write numbers with spaces between them."""
    return " ".join(number(value) for value in values)
