"""Commands that train on a whole suite."""

from __future__ import annotations

from pathlib import Path

from tyro.conf import OmitArgPrefixes

from morphnet.command_line import open_suite
from morphnet.commands import Json
from morphnet.config import DistillConfig, TrainConfig


def train(
    out: Path,
    suite: str | None = None,
    bodies: Path | None = None,
    tasks: Path | None = None,
    checkpoint: Path | None = None,
    minutes: float | None = None,
    resume: bool = False,
    config: OmitArgPrefixes[TrainConfig] = TrainConfig(),  # noqa: B008
    json: Json = None,
) -> None:
    """Meta-train a hypernetwork on the training split of a suite or of a folder of MJCF files.

    First by PPO through the hypernetwork, then by imitation of experts: one for all bodies that share names and for
    mutants of theirs, and one for each other body.

    Example:
        morphnet train --suite planar --out rollouts/runs/planar
        morphnet train --suite planar --out rollouts/runs/planar --resume
        morphnet train --suite legged --checkpoint rollouts/runs/planar --out rollouts/runs/legged

    Args:
        out: the run's folder: checkpoint, best and periodic checkpoints, metrics, TensorBoard log.
        suite: a shipped suite, or several: planar+legged.
        bodies: a folder of MJCF files, with splits.json where there are splits.
        tasks: a TOML with a section a family, in place of the folder's suite.toml.
        checkpoint: the hypernetwork to go on from, whose sizes are kept; a new one by default.
        minutes: stop after this many minutes; schedules follow steps all the same.
        resume: continue the run in ``out``.
        config: hyperparameters.
        json: where to write the numbers.
    """
    from morphnet import console
    from morphnet.runs import start_training
    from morphnet.training_display import TrainingDisplay

    with TrainingDisplay(minutes) as display:
        chosen = open_suite(suite, bodies, tasks)
        report = start_training(out, chosen, checkpoint, config, resume, minutes, display.show)
    rows = [(name, value) for name, value in report["returns"].items()]
    console.print_table(
        f"{report['steps']:,} steps in {report['seconds'] / 60:.1f} minutes", ("body", "return"), rows, json
    )
    console.write_report(json, report)


def experts(
    out: Path,
    suite: str | None = None,
    bodies: Path | None = None,
    tasks: Path | None = None,
    split: str = "train",
    steps: int = 500_000,
    threads: int = 2,
    json: Json = None,
    seed: int = 0,
) -> None:
    """Train an expert of every body of a split, one core each; those that are there already are left alone.

    Example:
        morphnet experts --suite planar --out rollouts/experts

    Args:
        out: a folder; every body's policy folder goes there.
        suite: a shipped suite, or several: planar+legged.
        bodies: a folder of MJCF files, with splits.json where there are splits.
        tasks: a TOML with a section a family, in place of the folder's suite.toml.
        split: train or held_out.
        steps: environment steps a body.
        threads: bodies at the same time.
        json: where to write the numbers.
        seed: seeds every training.
    """
    from morphnet import console
    from morphnet.runs import make_experts

    report = make_experts(
        open_suite(suite, bodies, tasks),
        split,
        out,
        steps,
        seed,
        threads,
        lambda names, total: console.track(names, total, "experts"),
    )
    rows = [(name, row["return"], row["steps"]) for name, row in report["bodies"].items()]
    console.print_table(f"{out}: experts", ("body", "return", "steps"), rows, json)
    console.write_report(json, report)


def distill(
    out: Path,
    experts: Path,
    suite: str | None = None,
    bodies: Path | None = None,
    tasks: Path | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    config: OmitArgPrefixes[DistillConfig] = DistillConfig(),  # noqa: B008
    json: Json = None,
) -> None:
    """Teach one hypernetwork what experts of the training bodies do.

    Example:
        morphnet distill --suite planar --experts rollouts/experts --out rollouts/runs/distilled

    Args:
        out: the checkpoint's folder, with metrics and TensorBoard log.
        experts: the folder of the experts, as ``experts`` leaves it.
        suite: a shipped suite, or several: planar+legged.
        bodies: a folder of MJCF files, with splits.json where there are splits.
        tasks: a TOML with a section a family, in place of the folder's suite.toml.
        checkpoint: the hypernetwork to go on from; a new one by default.
        resume: continue what was begun in ``out``, with the same flags.
        config: hyperparameters.
        json: where to write the numbers.
    """
    from morphnet import console
    from morphnet.runs import start_distillation
    from morphnet.training_display import TrainingDisplay

    with TrainingDisplay(None) as display:
        chosen = open_suite(suite, bodies, tasks)
        report = start_distillation(out, chosen, experts, checkpoint, config, resume, display.show)
    rows = list(report["returns"].items())
    console.print_table(
        f"{report['steps']:,} steps in {report['seconds'] / 60:.1f} minutes", ("body", "return"), rows, json
    )
    console.write_report(json, report)
