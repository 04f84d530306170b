"""Progress of experts that train side by side."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping

from morphnet.learning import Progress


class ExpertsProgress:
    """Sums up what trainings that go on side by side tell of themselves."""

    def __init__(self, steps: Mapping[str, int], report: Callable[[Progress], None]) -> None:
        """Report on trainings of so many ``steps``, by name; that nothing is done yet, at first."""
        self._steps, self._report, self._started = steps, report, time.monotonic()
        self._heard: dict[str, Progress] = {}
        self._show()

    @property
    def seconds(self) -> float:
        """Wall-clock so far."""
        return time.monotonic() - self._started

    def hear(self, news: tuple[str, Progress]) -> None:
        """Take in how far one of them is."""
        name, progress = news
        self._heard[name] = progress
        self._show()

    def end(self, name: str) -> None:
        """One of them is done, on a plateau perhaps."""
        if name in self._heard:
            self.hear((name, dataclasses.replace(self._heard[name], steps=self._steps[name])))

    def _show(self) -> None:
        if not self._steps:  # all of them were trained before
            return
        heard = self._heard.values()
        steps, seconds = sum(progress.steps for progress in heard), self.seconds
        returns = {name: progress.returns["best"] for name, progress in self._heard.items()}
        self._report(
            Progress(
                update=sum(progress.update for progress in heard),
                steps=steps,
                total_steps=sum(self._steps.values()),
                seconds=seconds,
                steps_per_second=steps / max(seconds, 1e-9),
                returns=returns,
                diverged=sum(progress.diverged for progress in heard),
                stage="experts",
            )
        )
