"""The story in one command: bodies never seen in training, their policies at once, scores, films and a report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from morphnet import console, hypernetwork
from morphnet.bodies import Body, load_body
from morphnet.errors import RenderError
from morphnet.evaluation import PolicyController, RandomController, evaluate
from morphnet.files import make_folder
from morphnet.films import film_comparison
from morphnet.look import Look
from morphnet.report import write_report
from morphnet.runs import ZERO_SHOT

BODIES = ("walker_long_thighs_short_shins", "hopper_four_short", "gymnasium:hopper")
"""Two bodies held out from training, and one that everybody knows."""
EPISODES, REPORT_EPISODES = 10, 3
"""A body: of those above, and of the whole suite in the report."""


def run_demo(out: Path, seed: int, json: Path | None) -> None:
    """Generate, score and film policies for ``BODIES``, and report on the checkpoint; all goes to ``out``."""
    make_folder(out)
    bodies = [load_body(name) for name in BODIES]
    rows = [_score(body, seed) for body in bodies]
    columns = ("body", "seen in training", "random return", "zero-shot return", "episode length")
    console.print_table(
        "Policies emitted without any training on the body", columns, [list(r.values()) for r in rows], json
    )
    films = [path for body in bodies if (path := _film(out, body, seed)) is not None]
    report = write_report(hypernetwork.SHIPPED, out / "report", episodes=REPORT_EPISODES, seed=seed)
    for path in films:
        console.print_line(f"random policy beside zero-shot policy: {path}", json)
    console.print_line(f"report on the checkpoint: {report['page']}", json)
    numbers = {"bodies": rows, "films": [str(path) for path in films], "report": report["page"], "seed": seed}
    console.write_report(json, numbers)


def _score(body: Body, seed: int) -> dict[str, Any]:
    loaded = hypernetwork.Hypernetwork.load()
    random = evaluate(body, RandomController(body, seed), EPISODES, seed)
    policy = evaluate(body, PolicyController(loaded.generate(body)), EPISODES, seed)
    return {
        "body": body.name,
        "seen": "yes" if body.name in loaded.record["body_names"] else "no",
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
        console.say(f"no film of {body.name}: {error}")
        return None
    return path
