"""The command line: one thin function a command."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

from tyro.conf import OmitArgPrefixes, Positional

from morphnet.command_line import open_suite, parse
from morphnet.commands import Json, adapt, expert, export, finetune, grow, record
from morphnet.errors import MorphNetError
from morphnet.look import Look
from morphnet.training_commands import distill, experts, train


def doctor(json: Json = None, seed: int = 0) -> None:
    """Show what this machine has, and what to do about what is missing.

    Example:
        morphnet doctor
    """
    from morphnet import console
    from morphnet.doctor import examine

    findings = examine()
    rows = [(f.name, f.status.value, f.value, f.advice) for f in findings]
    console.print_table("This machine", ("what", "status", "found", "advice"), rows, json)
    console.write_report(json, {"findings": [f.to_dict() for f in findings]})


def bodies(suite: str | None = None, json: Json = None, seed: int = 0) -> None:
    """List the suites, their splits and each body's size.

    Example:
        morphnet bodies --suite planar

    Args:
        suite: only this suite.
        json: where to write the numbers.
        seed: not used; every command takes it.
    """
    from morphnet import console, inspection

    rows = inspection.list_bodies(suite)
    columns = ("body", "suite", "split", "family", "bodies", "joints", "actuators", "mass (kg)")
    console.print_table("Bodies", columns, [[row[c] for c in columns] for row in rows], json)
    console.write_report(json, {"bodies": rows})


def inspect(body: Positional[str], image: Path | None = None, json: Json = None, seed: int = 0) -> None:
    """Show a robot's morphology graph: bodies, joints, actuators, observation and action sizes.

    Example:
        morphnet inspect hopper --image rollouts/hopper.png

    Args:
        body: a suite body, gymnasium:NAME, or the path of an MJCF file.
        image: a PNG of the robot in its start pose beside its graph.
        json: where to write the numbers.
        seed: not used; every command takes it.
    """
    from morphnet import console, inspection
    from morphnet.bodies import load_body

    loaded = load_body(body)
    report = inspection.describe(loaded)
    console.print_table(loaded.name, ("what", "how many"), inspection.size_rows(report), json)
    columns = ("token", "kind", "connected to")
    console.print_table("Morphology graph", columns, inspection.token_rows(report), json)
    if image is not None:
        from morphnet.rendering.graph_picture import write_graph_picture

        write_graph_picture(loaded, image)
    console.write_report(json, report)


def evaluate(
    body: Positional[str | None] = None,
    policy: str | None = None,
    checkpoint: Path | None = None,
    suite: str | None = None,
    bodies: Path | None = None,
    tasks: Path | None = None,
    split: str = "held_out",
    episodes: int = 10,
    change: Path | None = None,
    json: Json = None,
    seed: int = 0,
) -> None:
    """Measure returns and scores: of one policy on its body, or of a checkpoint's policies on a suite's split.

    A score is 0 for the random policy's return and 1 for the shipped reference's; bodies without one are listed.

    Example:
        morphnet evaluate --suite planar --checkpoint rollouts/runs/planar
        morphnet evaluate gymnasium:hopper --episodes 20

    Args:
        body: one body; without it, a suite or folder.
        policy: a policy folder (with a body), reference, random, or zero-shot: what the checkpoint emits.
        checkpoint: a checkpoint folder; the shipped one by default.
        suite: a shipped suite, or several: planar+legged.
        bodies: a folder of MJCF files.
        tasks: a TOML with a section a family, in place of the folder's suite.toml.
        split: train or held_out.
        episodes: episodes a body.
        change: a TOML with a hidden change of the body: mass, friction, [actuators].
        json: where to write the numbers.
        seed: seeds the start states.
    """
    from morphnet import console, runs

    if body is not None:
        report = runs.evaluate_body(runs.load_changed(body, change), policy, checkpoint, episodes, seed)
    elif change is not None:
        raise MorphNetError("--change goes with one body; a suite has many, whose actuators have other names")
    else:
        opened = open_suite(suite, bodies, tasks)
        report = runs.evaluate_suite(
            opened,
            split,
            policy,
            checkpoint,
            episodes,
            seed,
            track=lambda driven: console.track(driven, len(driven), "evaluating"),
        )
    columns = ("return_mean", "return_std", "length_mean", "episodes", "score")
    rows = [(name, *(row[c] for c in columns)) for name, row in report["bodies"].items()]
    rows.append(("mean", report["mean_return"], None, None, None, report["mean_score"]))
    headings = ("body", "return", "deviation", "length", "episodes", "score")
    console.print_table("Returns", headings, rows, json)
    for reason in dict.fromkeys(report["unscored"].values()):
        names = [name for name, why in report["unscored"].items() if why == reason]
        console.say(f"no score, {reason}: {', '.join(names)}")
    console.write_report(json, report)


def generate(body: Positional[str], out: Path, checkpoint: Path | None = None, seed: int = 0) -> None:
    """Emit the zero-shot policy of one body.

    Example:
        morphnet generate hopper --out rollouts/hopper_policy

    Args:
        body: a suite body, gymnasium:NAME, or the path of an MJCF file.
        out: the policy's folder.
        checkpoint: a checkpoint folder; the shipped one by default.
        seed: not used; every command takes it.
    """
    from morphnet import console
    from morphnet.bodies import load_body
    from morphnet.hypernetwork import Hypernetwork

    policy = Hypernetwork.load(checkpoint).generate(load_body(body))
    policy.save(out)
    console.print_line(f"{out}: policy of {policy.body.name}")


def render(
    out: Path,
    body: Positional[str | None] = None,
    policy: tuple[str, ...] = ("zero-shot",),
    checkpoint: Path | None = None,
    suite: str | None = None,
    bodies: Path | None = None,
    tasks: Path | None = None,
    split: str = "train",
    look: OmitArgPrefixes[Look] = Look(),  # noqa: B008
    seed: int = 0,
) -> None:
    """Film a policy, several side by side, or a mosaic of a whole suite.

    Example:
        morphnet render hopper --policy rollouts/hopper_policy --out rollouts/hopper.mp4
        morphnet render --suite planar --split held_out --out rollouts/planar.mp4

    Args:
        out: the film, .mp4 or .gif.
        body: one body; without it, a suite or folder.
        policy: policy folders, reference, random, or zero-shot: what the checkpoint emits. Several are shown side by
            side.
        checkpoint: a checkpoint folder; the shipped one by default.
        suite: a mosaic of this suite's bodies, under their zero-shot policies.
        bodies: the same of a folder of MJCF files.
        tasks: a TOML with a section a family, in place of the folder's suite.toml.
        split: which of the suite's bodies: train or held_out.
        look: length, size and speed.
        seed: seeds the start states.
    """
    from morphnet.rendering import gl

    gl.look_ahead()
    from morphnet import console, films
    from morphnet.bodies import load_body

    if body is not None:
        films.film_comparison(out, load_body(body), policy, checkpoint, look, seed)
    else:
        films.film_suite(out, open_suite(suite, bodies, tasks), split, checkpoint, look, seed)
    console.print_line(str(out))


def report(
    run: Positional[Path],
    out: Path,
    bodies: Path | None = None,
    tasks: Path | None = None,
    episodes: int = 10,
    videos: int = 1,
    json: Json = None,
    seed: int = 0,
) -> None:
    """Write one static page about a run: learning curves, returns, videos, configuration.

    Example:
        morphnet report rollouts/runs/planar --out rollouts/report

    Args:
        run: a training run's folder, or any checkpoint folder.
        out: the page's folder; its index.html opens in any browser, and the folder can be moved.
        bodies: the folder of MJCF files that it was trained on, where that is no shipped suite.
        tasks: a TOML with a section a family, in place of the folder's suite.toml.
        episodes: episodes a body; 0 leaves evaluation out.
        videos: videos of every family in each split; 0 for none.
        json: where to write the numbers.
        seed: seeds the start states.
    """
    from morphnet import console
    from morphnet.report import write_report

    if tasks and not bodies:
        raise MorphNetError("--tasks goes with --bodies DIR; a shipped suite has tasks of its own")
    numbers = write_report(run, out, open_suite(None, bodies, tasks) if bodies else None, episodes, videos, seed)
    for note in numbers["notes"]:
        console.say(note)
    console.print_line(numbers["page"], json)
    console.write_report(json, numbers)


def view(
    body: Positional[str], policy: str = "zero-shot", checkpoint: Path | None = None, port: int = 0, seed: int = 0
) -> None:
    """Watch a policy live in the browser, pause it and push the robot; Ctrl-C ends it.

    Example:
        morphnet view hopper

    Args:
        body: a suite body, gymnasium:NAME, or the path of an MJCF file.
        policy: a policy folder, reference, random, or zero-shot: what the checkpoint emits.
        checkpoint: a checkpoint folder; the shipped one by default.
        port: where this machine's browsers find it; 0 takes the first free one from 8080.
        seed: seeds the start states.
    """
    from morphnet.viewing.view import view as show

    show(body, policy, checkpoint, port, seed)


def demo(out: Path = Path("rollouts/demo"), seed: int = 0, json: Json = None) -> None:
    """Run the story on the shipped checkpoint: policies for bodies never seen, adapting, scores, videos, a report.

    Example:
        morphnet demo --out rollouts/demo

    Args:
        out: folder of the videos, the adapted policies and the report.
        seed: seeds the start states, the demonstrations and adapting to them.
        json: where to write the numbers.
    """
    from morphnet.demo import run_demo

    run_demo(out, seed, json)


COMMANDS = (
    demo,
    bodies,
    inspect,
    train,
    evaluate,
    generate,
    record,
    adapt,
    expert,
    experts,
    distill,
    finetune,
    export,
    render,
    view,
    report,
    grow,
    doctor,
)

LEFT = {
    "train": "; --resume continues it",
    "experts": "; the same command goes on with what is missing",
    "distill": "; --resume continues it",
    "expert": "; --out has kept the best policy so far",
    "finetune": "; --out has kept the best policy so far",
}
"""What commands leave behind when Ctrl-C stops them."""


def main() -> None:
    """Run one command; exit 2 with one line on standard error where the input is at fault."""
    command = None
    try:
        command = parse(COMMANDS, sys.argv[1:])
        if command.keywords.get("seed", 0) < 0:
            raise MorphNetError(f"--seed {command.keywords['seed']}: must not be negative")
        if command.func is not doctor:
            _check_opengl()
        command()
    except MorphNetError as error:
        fail(str(error))
    except KeyboardInterrupt:
        left = LEFT.get(command.func.__name__, "") if command else ""
        print(f"morphnet: stopped{left}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:  # whoever read standard output has gone, as head does; there is nobody to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _check_opengl() -> None:
    """A MUJOCO_GL that cannot work makes ``import mujoco`` itself fail: say so before it does."""
    harmless = ("", "egl", "glfw", "off", "disable", "disabled")
    if os.environ.get("MUJOCO_GL", "").strip().lower() not in harmless:
        from morphnet.rendering import gl

        gl.choose_backend()


def fail(message: str) -> NoReturn:
    """Print one line and exit with 2."""
    print(f"morphnet: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(2)
