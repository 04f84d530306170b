"""What the command line shows: tables, progress, JSON, and errors in one line."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from morphnet.files import to_json, write_json

if TYPE_CHECKING:
    from morphnet.learning import Progress as TrainingProgress

Item = TypeVar("Item")
PLAIN_WIDTH = 160
"""Columns where there is no terminal to fit into."""


def _console(stderr: bool) -> Console:
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=PLAIN_WIDTH)


out, err = _console(stderr=False), _console(stderr=True)
PLAIN_SECONDS = 30.0
"""Seconds between two lines where standard error is not a terminal."""


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], file: Path | None = None) -> None:
    """Print a table; to standard error where ``file`` is ``-`` and standard output is for JSON."""
    table = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    (err if _is_stdout(file) else out).print(table)


def write_report(file: Path | None, report: Any) -> None:
    """Write a command's numbers as JSON, ``-`` meaning standard output; nothing when None."""
    if file is None:
        return
    if _is_stdout(file):
        sys.stdout.write(to_json(report))
    else:
        write_json(file, report)


def one_line(text: str) -> str:
    """Squeeze a message with boxes and line breaks into one line."""
    return " ".join(re.sub(r"[─│╭╮╰╯━┃┏┓┗┛]|-{4,}", " ", text).split())


def _is_stdout(file: Path | None) -> bool:
    return file is not None and str(file) == "-"


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 10 else f"{value:,.0f}"
    return str(value)


class TrainingDisplay:
    """Shows a training's progress: a live bar on a terminal, a line every half minute elsewhere."""

    def __init__(self, steps: int) -> None:
        """Prepare for a run of ``steps`` environment steps."""
        self._last = 0.0
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=err,
            disable=not err.is_terminal,
        )
        self._task = self._bar.add_task("training", total=steps)

    def __enter__(self) -> TrainingDisplay:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, progress: TrainingProgress) -> None:
        """Show one update."""
        text = _training_line(progress)
        if err.is_terminal:
            self._bar.update(self._task, completed=progress.steps, total=progress.total_steps, description=text)
        elif time.monotonic() - self._last >= PLAIN_SECONDS:
            self._last = time.monotonic()
            err.print(text, highlight=False, soft_wrap=True)


def _training_line(p: TrainingProgress) -> str:
    returns = "  ".join(f"{family} {value:.0f}" for family, value in p.returns.items())
    warning = f"  diverged {p.diverged}" if p.diverged else ""
    return f"{p.steps / 1e6:.2f}M of {p.total_steps / 1e6:.0f}M steps  {p.steps_per_second:,.0f}/s  {returns}{warning}"


def track(items: Iterable[Item], total: int | None, doing: str) -> Iterator[Item]:
    """Yield ``items``, and show how many of ``total`` have gone by.

    A live bar on a terminal, a line every half minute elsewhere.
    """
    if err.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=err, transient=True) as bar:
            yield from bar.track(items, total, description=doing)
        return
    last = time.monotonic()
    for count, item in enumerate(items, start=1):
        yield item
        if time.monotonic() - last >= PLAIN_SECONDS:
            last = time.monotonic()
            err.print(f"{doing}: {count} of {total or '?'}", highlight=False, soft_wrap=True)
