"""The story in one command: bodies never seen in training, their policies at once, scores and films."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from morphnet import console
from morphnet.bodies import Body, load_body
from morphnet.errors import RenderError
from morphnet.evaluation import PolicyController, RandomController, evaluate
from morphnet.files import make_folder
from morphnet.films import film_comparison
from morphnet.hypernetwork import Hypernetwork
from morphnet.look import Look
from morphnet.runs import ZERO_SHOT

BODIES = ("walker_long_thighs_short_shins", "cheetah_short_torso", "gymnasium:hopper")
"""Two bodies held out from training, and one that everybody knows."""
EPISODES = 10


def run_demo(out: Path, seed: int, json: Path | None) -> None:
    """Generate, score and film policies for ``BODIES``; films go to ``out``."""
    make_folder(out)
    bodies = [load_body(name) for name in BODIES]
    rows = [_score(body, seed) for body in bodies]
    columns = ("body", "seen in training", "random return", "zero-shot return", "episode length")
    console.print_table(
        "Policies emitted without any training on the body", columns, [list(r.values()) for r in rows], json
    )
    films = [path for body in bodies if (path := _film(out, body, seed)) is not None]
    for path in films:
        console.err.print(f"film: {path}", soft_wrap=True)
    console.write_report(json, {"bodies": rows, "films": [str(path) for path in films], "seed": seed})


def _score(body: Body, seed: int) -> dict[str, Any]:
    hypernetwork = Hypernetwork.load()
    random = evaluate(body, RandomController(body, seed), EPISODES, seed)
    policy = evaluate(body, PolicyController(hypernetwork.generate(body)), EPISODES, seed)
    return {
        "body": body.name,
        "seen": "yes" if body.name in hypernetwork.record["body_names"] else "no",
        "random": float(random.returns.mean()),
        "zero_shot": float(policy.returns.mean()),
        "length": float(policy.lengths.mean()),
    }


def _film(out: Path, body: Body, seed: int) -> Path | None:
    """Film the random and the zero-shot policy side by side; None where there is no OpenGL."""
    path = out / f"{body.name.replace(':', '_')}.mp4"
    look = Look(seconds=8.0, width=480, height=360)
    try:
        film_comparison(path, body, ("random", ZERO_SHOT), None, look, seed)
    except RenderError as error:
        console.err.print(f"no film of {body.name}: {error}", soft_wrap=True)
        return None
    return path
