"""What ``morphnet view`` does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mujoco
import numpy as np

from morphnet import console
from morphnet.bodies import Body, close_spec, load_body, make_body, open_source
from morphnet.errors import MorphNetError
from morphnet.evaluation import RandomController
from morphnet.interrupts import first_interrupt_noted
from morphnet.rendering.frames import GOAL_COLOUR
from morphnet.runs import policy_for
from morphnet.simulation import ControlScale, GoalSampler

HELP = "space pauses; double-click a limb and drag it with Ctrl and the right button to push; backspace starts anew"


def view(name: str, policy: str, checkpoint: Path | None, port: int, seed: int) -> None:
    """Show a body under a policy in the browser until Ctrl-C.

    Raises:
        MorphNetError: no such body or policy, a port that is taken, or a MuJoCo without the viewer.
    """
    try:
        from morphnet.viewing import browser
        from morphnet.viewing.driver import Driver
    except ImportError as error:  # not built for every platform
        raise MorphNetError(f"this MuJoCo comes without its web viewer ({error}); use morphnet render") from None
    port = browser.free_port(port)
    body = load_body(name)
    if body.task.kind == "reach":
        body = aimed(body, seed)
    driver = Driver(body, act_for(body, policy, checkpoint, seed), seed)
    console.err.print(f"{body.name}, {policy}: {HELP}", soft_wrap=True, highlight=False)
    # MuJoCo's own loop loses a Ctrl-C that comes while one of its native callbacks runs
    with first_interrupt_noted() as interrupted, browser.open_view(body, driver, port) as handle:
        while handle.is_running() and not interrupted.is_set():
            handle.sync()


def aimed(body: Body, seed: int) -> Body:
    """Return a body that reaches with one goal for as long as it is viewed, and a ball there for the page to show."""
    goal = GoalSampler(body).draw(np.random.default_rng(seed), 1)[0]
    spec = open_source(body.source)
    size = [body.task.goal_tolerance] * 3
    spec.worldbody.add_site(name="morphnet_goal", pos=goal, size=size, rgba=GOAL_COLOUR)
    return make_body(body.name, *close_spec(spec), body.task.replace(goal=tuple(goal)))


def act_for(body: Body, policy: str, checkpoint: Path | None, seed: int) -> Callable[[mujoco.MjData], np.ndarray]:
    """Return what computes a body's controls from its state."""
    if policy == "random":
        controller, controls = RandomController(body, seed), ControlScale(body.model)
        return lambda data: controls.to_ctrl(controller.actions(np.empty((1, 0))))[0]
    return policy_for(body, policy, checkpoint)[0].act
