"""What the command line shows: tables, lines, JSON."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from morphnet.files import to_json, write_json

Item = TypeVar("Item")
PLAIN_SECONDS = 30.0
"""Seconds between two lines of progress where standard error is not a terminal."""
PLAIN_WIDTH = 160
"""Columns where there is no terminal to fit into."""


def _console(stderr: bool) -> Console:
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=PLAIN_WIDTH)


out, err = _console(stderr=False), _console(stderr=True)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], file: Path | None = None) -> None:
    """Print a table; to standard error where ``file`` is ``-`` and standard output is for JSON."""
    table = Table()
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    console = err if _is_stdout(file) else out
    console.print(Text(title, style="bold"), soft_wrap=True)  # a table's own title wraps at the table's width
    console.print(table)


def say(text: str) -> None:
    """Tell what is being done, on standard error."""
    err.print(text, soft_wrap=True, highlight=False)


def print_line(text: str, file: Path | None = None) -> None:
    """Print a result; to standard error where ``file`` is ``-`` and standard output is for JSON."""
    (err if _is_stdout(file) else out).print(text, soft_wrap=True, highlight=False)


def write_report(file: Path | None, report: Any) -> None:
    """Write a command's numbers as JSON, ``-`` meaning standard output; nothing when None."""
    if file is None:
        return
    if _is_stdout(file):
        sys.stdout.write(to_json(report))
    else:
        write_json(file, report)


def number(value: float | None) -> str:
    """Three digits below ten, whole numbers above, thousands set apart; - where there is none."""
    if value is None or not math.isfinite(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 9.995 else f"{value + 0.0:.3g}"  # -0.0 + 0.0 is 0.0


def _is_stdout(file: Path | None) -> bool:
    return file is not None and str(file) == "-"


def _cell(value: Any) -> str:
    return number(value) if value is None or isinstance(value, float) else str(value)


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
