"""The live display of a training: what it says, on a terminal and elsewhere, and when it will be over."""

import dataclasses
import io
import math
import time

import pytest
from rich.console import Console

from morphnet import training_display
from morphnet.learning import Progress
from morphnet.training_display import TREND, TrainingDisplay, trend


def progress(steps, seconds, **returns):
    return Progress(steps // 1000, steps, 1_000_000, seconds, 5000.0, returns or {"dogs": 12.3, "cats": math.nan}, 0)


def shown(monkeypatch, terminal, updates, minutes=None):
    """What standard error gets from some updates."""
    stream = io.StringIO()
    monkeypatch.setattr(training_display, "err", Console(file=stream, force_terminal=terminal, width=100))
    with TrainingDisplay(minutes) as display:
        for update in updates:
            display.show(update)
    return stream.getvalue()


def test_plain_lines_have_everything_and_no_colour(monkeypatch):
    text = shown(monkeypatch, False, [progress(10_000, 2.0)])
    assert text == "1%  10k of 1.00M steps  5,000/s  3:18 left  dogs 12  cats -\n"


def test_plain_lines_are_half_a_minute_apart(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(training_display.time, "monotonic", lambda: now[0])
    updates = []
    for second in range(0, 65, 5):
        updates.append((100.0 + second, progress(1000 * (second + 1), float(second))))

    def clocked():
        for now[0], update in updates:
            yield update

    assert len(shown(monkeypatch, False, clocked()).splitlines()) == 3


def test_a_stage_begins_at_once_and_with_a_pace_of_its_own(monkeypatch):
    first = dataclasses.replace(progress(500_000, 100.0, dogs=1.0), stage="PPO")
    second = dataclasses.replace(progress(10_000, 1.0, cats=2.0), stage="experts")
    lines = shown(monkeypatch, False, [first, second]).splitlines()
    assert lines == [
        "PPO  50%  500k of 1.00M steps  5,000/s  1:40 left  dogs 1",
        "experts  1%  10k of 1.00M steps  5,000/s  3:18 left  cats 2",
    ]


def test_a_terminal_shows_bar_and_families(monkeypatch):
    text = shown(monkeypatch, True, [progress(500_000, 100.0, dogs=1.0), progress(600_000, 120.0, dogs=2000.0)])
    for words in ("60%", "600k of 1.00M steps", "1:20 left", "family", "dogs", "2,000", "━"):
        assert words in text


def test_time_left_is_that_of_this_sitting():
    """A resumed run begins with steps and seconds of another day, and another machine perhaps."""
    display = TrainingDisplay(None)
    assert display.seconds_left(progress(600_000, 9000.0)) == pytest.approx(400_000 / 5000)
    assert display.seconds_left(progress(610_000, 9020.0)) == pytest.approx(390_000 / 500)
    assert display.seconds_left(progress(1_000_500, 9999.0)) == 0.0


def test_the_clock_may_end_it_earlier():
    display = TrainingDisplay(0.5)
    started = time.monotonic()
    assert display.seconds_left(progress(100_000, 10.0)) == pytest.approx(30.0, abs=1.0 + time.monotonic() - started)


def test_trend_rises_and_falls_with_the_numbers():
    assert trend([0.0, 7.0, 3.5]) in ("▁█▄", "▁█▅")
    assert trend([5.0]) == "▁"
    assert trend([math.nan, 1.0, 2.0]) == " ▁█"
    assert trend([]) == ""
    rising = trend([float(value) for value in range(1000)])
    assert len(rising) == TREND
    assert list(rising) == sorted(rising)
    assert rising[-1] == "█", "the newest value is among those shown"
