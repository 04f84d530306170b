"""How a training looks while it runs: a live panel on a terminal, a line every half minute elsewhere."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from morphnet.console import PLAIN_SECONDS, err, number

if TYPE_CHECKING:
    from morphnet.learning import Progress

BAR, TREND = 60, 32
"""Characters of the bar, and of a family's trend."""
BLOCKS = " ▁▂▃▄▅▆▇█"


class TrainingDisplay:
    """Shows how far a training is, how long it will take, and what each family returns."""

    def __init__(self, minutes: float | None) -> None:
        """Prepare; ``minutes`` is where the training stops by the clock, if it does."""
        self._ends = None if minutes is None else time.monotonic() + 60 * minutes
        self._stage = ""
        self._first: tuple[int, float] | None = None
        self._history: dict[str, list[float]] = {}
        self._last = -math.inf
        self._live = Live(console=err, auto_refresh=False)

    def __enter__(self) -> TrainingDisplay:
        if err.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, progress: Progress) -> None:
        """Show one update; a new stage of the training begins a new picture."""
        if progress.stage != self._stage:
            self._stage, self._first, self._history, self._last = progress.stage, None, {}, -math.inf
        for family, value in progress.returns.items():
            self._history.setdefault(family, []).append(value)
        left = self.seconds_left(progress)
        if err.is_terminal:
            self._live.update(self._panel(progress, left), refresh=True)
        elif time.monotonic() - self._last >= PLAIN_SECONDS:
            self._last = time.monotonic()
            returns = [f"{family} {number(value)}" for family, value in progress.returns.items()]
            err.print("  ".join([*_facts(progress, left), *returns]), highlight=False, soft_wrap=True)

    def seconds_left(self, progress: Progress) -> float:
        """Estimate the wall-clock left, from the pace of this sitting; the clock's limit counts where it is nearer."""
        steps, seconds = self._first = self._first or (progress.steps, progress.seconds)
        passed = progress.seconds - seconds
        pace = (progress.steps - steps) / passed if passed > 0 else progress.steps_per_second
        left = max(progress.total_steps - progress.steps, 0) / pace if pace > 0 else math.inf
        return left if self._ends is None else min(left, max(self._ends - time.monotonic(), 0.0))

    def _panel(self, progress: Progress, left: float) -> Group:
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("family")
        table.add_column("return", justify="right")
        table.add_column("since the start", style="cyan")
        for family, values in self._history.items():
            table.add_row(family, number(values[-1]), trend(values))
        bar = Table.grid()  # a bar by itself does not end its line
        bar.add_row(ProgressBar(progress.total_steps, min(progress.steps, progress.total_steps), BAR))
        return Group(Text("   ".join(_facts(progress, left))), bar, table)


def trend(values: list[float], width: int = TREND) -> str:
    """Draw numbers as a row of blocks, from the lowest to the highest; unknown ones as spaces."""
    stride = len(values) / width
    shown = values if stride <= 1 else [values[math.ceil((index + 1) * stride) - 1] for index in range(width)]
    known = [value for value in shown if math.isfinite(value)]
    low, span = min(known, default=0.0), (max(known, default=0.0) - min(known, default=0.0)) or 1.0
    return "".join(
        BLOCKS[1 + round((len(BLOCKS) - 2) * (value - low) / span)] if math.isfinite(value) else BLOCKS[0]
        for value in shown
    )


def _facts(p: Progress, left: float) -> list[str]:
    share = f"{min(p.steps / p.total_steps, 1.0):.0%}"
    diverged = [f"diverged {p.diverged}"] if p.diverged else []
    so_far = f"{_short(p.steps)} of {_short(p.total_steps)} steps"
    stage = [p.stage] if p.stage else []
    return [*stage, share, so_far, f"{p.steps_per_second:,.0f}/s", f"{_clock(left)} left", *diverged]


def _short(steps: int) -> str:
    return f"{steps / 1e6:.2f}M" if steps >= 1e6 else f"{steps / 1e3:.0f}k" if steps >= 1e4 else f"{steps:,}"


def _clock(seconds: float) -> str:
    if not math.isfinite(seconds):
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
