"""Commands about bodies: growing new ones; recording, adapting to demonstrations, experts, finetuning, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from tyro.conf import OmitArgPrefixes, Positional

from morphnet.config import AdaptConfig

Json = Annotated[Path | None, tyro.conf.arg(metavar="FILE", help="write the numbers as JSON; - for standard output")]


def grow(count: int, out: Path, json: Json = None, seed: int = 0) -> None:
    """Grow random limbed bodies that stand and work: a folder for --bodies, the last third of it held out.

    Example:
        morphnet grow --count 12 --out rollouts/bodies

    Args:
        count: how many.
        out: the folder: MJCF files, suite.toml and splits.json.
        json: where to write the numbers.
        seed: seeds the bodies; 7 gives those of the suite creatures.
    """
    from morphnet import console, runs

    report = runs.grow_suite(count, out, seed, lambda bodies: console.track(bodies, count, "growing"))
    rows = list(report["rejected"].items())
    console.print_table(f"{out}: {count} bodies; draws that were rejected", ("fault", "draws"), rows, json)
    console.write_report(json, report)


def record(
    body: Positional[str],
    out: Path,
    policy: str | None = None,
    checkpoint: Path | None = None,
    episodes: int = 5,
    steps: int | None = None,
    noise: float = 0.0,
    change: Path | None = None,
    json: Json = None,
    seed: int = 0,
) -> None:
    """Record demonstrations of a body as a Minari dataset that carries the body.

    Example:
        morphnet record hopper --episodes 5 --out rollouts/hopper_demonstrations

    Args:
        body: a suite body, gymnasium:NAME, or the path of an MJCF file.
        out: the dataset's folder.
        policy: a policy folder, reference, or random; without it, the checkpoint's zero-shot policy.
        checkpoint: a checkpoint folder; the shipped one by default.
        episodes: how many.
        steps: control steps after which each episode is cut off; whole episodes by default.
        noise: standard deviation of noise on the actions, which span -1 to 1.
        change: a TOML with a hidden change of the body: mass, friction, [actuators].
        json: where to write the numbers.
        seed: seeds the start states and the noise.
    """
    from morphnet import console, runs

    report = runs.record_body(runs.load_changed(body, change), policy, checkpoint, out, episodes, steps, noise, seed)
    rows = zip(range(episodes), report["returns"], report["lengths"], strict=True)
    console.print_table(f"{out}: demonstrations of {report['body']}", ("episode", "return", "steps"), rows, json)
    console.write_report(json, report)


def adapt(
    body: Positional[str],
    demos: Path,
    out: Path,
    episodes: int | None = None,
    checkpoint: Path | None = None,
    change: Path | None = None,
    config: OmitArgPrefixes[AdaptConfig] = AdaptConfig(),  # noqa: B008
    json: Json = None,
) -> None:
    """Make a policy that does as a few demonstrations show; their rewards are not read.

    Example:
        morphnet adapt hopper --demos rollouts/hopper_demonstrations --out rollouts/hopper_adapted

    Args:
        body: a suite body, gymnasium:NAME, or the path of an MJCF file.
        demos: the folder of a Minari dataset of this body.
        out: the policy's folder.
        episodes: only the first so many demonstrations.
        checkpoint: a checkpoint folder; the shipped one by default.
        change: a TOML with a hidden change of the body that is simulated.
        config: what may be used and spent.
        json: where to write the numbers.
    """
    from morphnet import console, runs
    from morphnet.training_display import TrainingDisplay

    loaded = runs.load_changed(body, change)
    with TrainingDisplay(None) as display:
        report = runs.adapt_body(loaded, demos, out, episodes, checkpoint, config, display.show)
    columns = ("explained", "score", "survival", "speed", "likeness")
    rows = [("* " * (c["name"] == report["chosen"]) + c["name"], *map(c.get, columns)) for c in report["candidates"]]
    headings = ("candidate", "actions explained", *columns[1:-2], "speed (m/s)", "likeness")
    console.print_table(f"{out}: {report['mode']}, {report['seconds']:.0f} s", headings, rows, json)
    console.print_line(f"chosen: {report['chosen']}. {report['reason']}.", json)
    console.write_report(json, report)


def expert(
    body: Positional[str],
    out: Path,
    steps: int = 3_000_000,
    change: Path | None = None,
    threads: int = 2,
    json: Json = None,
    seed: int = 0,
) -> None:
    """Train a reference policy of one body by PPO, without a hypernetwork.

    Example:
        morphnet expert gymnasium:hopper --out rollouts/hopper_expert

    Args:
        body: a suite body, gymnasium:NAME, or the path of an MJCF file.
        out: the policy's folder; holds the best so far at any time.
        steps: environment steps.
        change: a TOML with a hidden change of the body: mass, friction, [actuators].
        threads: threads of rollouts and of updates.
        json: where to write the numbers.
        seed: seeds the weights, the resets, the exploration and the minibatches.
    """
    from morphnet import runs
    from morphnet.training_display import TrainingDisplay

    loaded = runs.load_changed(body, change)
    with TrainingDisplay(None) as display:
        report = runs.make_expert(loaded, out, steps, seed, threads, display.show)
    _show_specialist(report, json)


def finetune(
    body: Positional[str],
    out: Path,
    policy: str | None = None,
    checkpoint: Path | None = None,
    steps: int = 500_000,
    change: Path | None = None,
    threads: int = 2,
    json: Json = None,
    seed: int = 0,
) -> None:
    """Continue from a policy by PPO on its task's reward.

    The start competes too, so the result is worse at most by the noise of 20 episodes.

    Example:
        morphnet finetune hopper --steps 500000 --out rollouts/hopper_finetuned

    Args:
        body: a suite body, gymnasium:NAME, or the path of an MJCF file.
        out: the new policy's folder; holds the best so far at any time.
        policy: a policy folder, or reference; without it, the checkpoint's zero-shot policy.
        checkpoint: a checkpoint folder; the shipped one by default.
        steps: environment steps.
        change: a TOML with a hidden change of the body: mass, friction, [actuators].
        threads: threads of rollouts and of updates.
        json: where to write the numbers.
        seed: seeds the critic, the resets, the exploration and the minibatches.
    """
    from morphnet import runs
    from morphnet.training_display import TrainingDisplay

    loaded = runs.load_changed(body, change)
    with TrainingDisplay(None) as display:
        report = runs.finetune_body(loaded, policy, checkpoint, out, steps, seed, threads, display.show)
    _show_specialist(report, json)


def export(
    policy: Positional[Path], format: Literal["sb3", "onnx"], out: Path, json: Json = None, seed: int = 0
) -> None:
    """Hand a policy over to other software, after checking that it acts there as it does here.

    Example:
        morphnet export rollouts/hopper_policy --format sb3 --out rollouts/hopper.zip
        morphnet export rollouts/hopper_policy --format onnx --out rollouts/hopper.onnx

    Args:
        policy: a policy folder.
        format: sb3, a zip that stable_baselines3.PPO.load reads; or onnx, which needs the onnx extra.
        out: the file, .zip or .onnx.
        json: where to write the numbers.
        seed: seeds the states at which the two are compared.
    """
    from morphnet import console
    from morphnet.export import export_folder

    report = export_folder(policy, format, out, seed)
    console.print_line(
        f"{out}: {report['body']}, {report['observation_size']} -> {report['action_size']}; differs from the policy by "
        f"at most {report['difference']:.1g} of the control range at {report['observations']} states",
        json,
    )
    console.write_report(json, report)


def _show_specialist(report: dict[str, Any], json: Path | None) -> None:
    from morphnet import console

    columns = ("return_mean", "return_std", "length_mean", "episodes")
    rows = [
        (name, *(numbers[c] for c in columns))
        for name, numbers in (("start", report.get("start")), (report["body"], report))
        if numbers
    ]
    console.print_table(f"{report['policy']}, {report['seconds']:.0f} s", ("policy", *columns), rows, json)
    console.write_report(json, report)
