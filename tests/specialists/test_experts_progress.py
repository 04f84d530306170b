"""The sum of what experts that train side by side tell."""

from __future__ import annotations

import math

import pytest

from morphnet.learning import Progress
from morphnet.specialists.progress import ExpertsProgress
from morphnet.training_display import TrainingDisplay


@pytest.fixture
def reports() -> list[Progress]:
    return []


@pytest.fixture
def progress(reports: list[Progress]) -> ExpertsProgress:
    return ExpertsProgress({"ants": 1000, "dogs": 500}, reports.append)


def told(steps: int, best: float, diverged: int = 0) -> Progress:
    return Progress(steps // 100, steps, 9999, 1.0, 1.0, {"best": best}, diverged)


def test_nothing_is_done_at_first(progress, reports):
    (first,) = reports
    assert (first.steps, first.total_steps, first.returns, first.stage) == (0, 1500, {}, "experts")


def test_where_nothing_is_trained_nothing_is_shown(reports):
    progress = ExpertsProgress({}, reports.append)
    progress.end("ants")
    assert reports == []


def test_it_sums_up_what_was_told_last(progress, reports):
    for news in (("ants", told(300, 1.0)), ("dogs", told(100, 5.0, 2)), ("ants", told(600, 2.0, 1))):
        progress.hear(news)
    assert (reports[-1].steps, reports[-1].update, reports[-1].diverged) == (700, 7, 3)
    assert reports[-1].returns == {"ants": 2.0, "dogs": 5.0}


def test_what_ended_on_a_plateau_is_done_and_who_never_spoke_says_nothing(progress, reports):
    progress.hear(("ants", told(300, 1.0)))
    progress.end("ants")
    assert reports[-1].steps == 1000
    progress.end("dogs")
    assert reports[-1].steps == 1000


def test_the_display_can_show_it(progress, reports):
    display = TrainingDisplay(None)
    display.show(reports[0])
    assert display.seconds_left(reports[0]) == math.inf
