"""The story in one command: bodies never seen in training, their policies at once, better ones from a demonstration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from morphnet import console, hypernetwork
from morphnet.adaptation import adapt
from morphnet.bodies import Body, load_body
from morphnet.config import AdaptConfig
from morphnet.demonstrations import record
from morphnet.errors import RenderError
from morphnet.evaluation import Controller, PolicyController, RandomController, evaluate
from morphnet.files import make_folder
from morphnet.films import film_comparison
from morphnet.hypernetwork import Hypernetwork
from morphnet.look import Look
from morphnet.policy import Policy
from morphnet.references import read_references, reference_policy
from morphnet.report import write_report
from morphnet.runs import ZERO_SHOT
from morphnet.specialists import expert_folder

BODIES = ("walker_long_thighs_short_shins", "cheetah_no_front_shin", "gymnasium:ant")
"""Two bodies held out from training, and one that everybody knows."""
EPISODES, REPORT_EPISODES = 10, 3
"""A body: of those below, and of the whole suite in the report."""
ADAPT_SECONDS = 25.0
COLUMNS = ("body", "seen in training", "random", "zero-shot", "adapted to 1 episode", "demonstrator", "scores")


def run_demo(out: Path, seed: int, json: Path | None) -> None:
    """Generate, adapt, score and film policies for ``BODIES``, and report on the checkpoint; all goes to ``out``."""
    make_folder(out)
    emitting = Hypernetwork.load()
    rows, films = [], []
    for body in map(load_body, BODIES):
        adapted = _adapt(out, emitting, body, seed)
        rows.append(_measure(emitting, body, adapted, seed))
        films += _film(out, body, adapted is not None, seed)
    console.print_table(
        "Mean returns: of what is emitted at once, and after one demonstration", COLUMNS, list(map(_line, rows)), json
    )
    report = write_report(hypernetwork.SHIPPED, out / "report", episodes=REPORT_EPISODES, seed=seed)
    for path in films:
        console.print_line(f"policies side by side: {path}", json)
    console.print_line(f"report on the checkpoint: {report['page']}", json)
    numbers = {"bodies": rows, "films": [str(path) for path in films], "report": report["page"], "seed": seed}
    console.write_report(json, numbers)


def _adapt(out: Path, emitting: Hypernetwork, body: Body, seed: int) -> Policy | None:
    """Adapt to one episode of the body's reference; None where it has none."""
    if body.source.sha256 not in read_references():
        return None
    console.say(f"{body.name}: one demonstration, {ADAPT_SECONDS:.0f} s of adapting to it")
    shown = record(body, reference_policy(body).actor.mean, 1, seed)
    policy = adapt(emitting, body, shown, AdaptConfig(seconds=ADAPT_SECONDS, seed=seed))
    policy.save(_adapted_folder(out, body))
    return policy


def _adapted_folder(out: Path, body: Body) -> Path:
    return expert_folder(out / "policies", body.name) / "adapted"  # the last part is what the film calls it


def _measure(emitting: Hypernetwork, body: Body, adapted: Policy | None, seed: int) -> dict[str, Any]:
    def mean(controller: Controller) -> float:
        return float(evaluate(body, controller, EPISODES, seed).returns.mean())

    row: dict[str, Any] = {
        "body": body.name,
        "seen": "yes" if body.name in emitting.record["body_names"] else "no",
        "random": mean(RandomController(body, seed)),
        "zero_shot": mean(PolicyController(emitting.generate(body))),
    }
    if adapted is not None:
        reference = read_references()[body.source.sha256]
        row |= {"adapted": mean(PolicyController(adapted)), "demonstrator": reference.return_mean}
        row["scores"] = {name: reference.score(row[name]) for name in ("zero_shot", "adapted")}
    return row


def _line(row: dict[str, Any]) -> list[Any]:
    """Return a row as the table shows it."""
    scores = " -> ".join(f"{score:.2f}" for score in row["scores"].values()) if "scores" in row else ""
    shown = [row.get(name, "") for name in ("body", "seen", "random", "zero_shot", "adapted", "demonstrator")]
    return [*shown, scores]


def _film(out: Path, body: Body, adapted: bool, seed: int) -> list[Path]:
    """Film the policies of a body side by side; none where there is no OpenGL."""
    path = out / f"{body.name.replace(':', '_')}.mp4"
    policies = ["random", ZERO_SHOT, *([str(_adapted_folder(out, body))] if adapted else [])]
    try:
        film_comparison(path, body, policies, None, Look(seconds=8.0, width=480, height=360), seed)
    except RenderError as error:
        console.say(f"no film of {body.name}: {error}")
        return []
    return [path]
