"""What benchmarks compute from what they measured, by hand."""

from __future__ import annotations

import csv
import math
import time
from types import SimpleNamespace

import pytest

from benchmarks.adaptation import AMOUNTS, RECIPES, WITHOUT, Plan
from benchmarks.adaptation_figure import lines
from benchmarks.finetuning import COLUMNS, steps_to, summary
from benchmarks.hidden_changes import changes_of
from benchmarks.timed_ppo import TimedPPO
from morphnet import load_body
from morphnet.errors import MorphNetError
from morphnet.learning.ppo import PPO


def test_every_recipe_is_measured_once_and_what_reads_no_demonstrations_once_a_body():
    cells = list(Plan(("hopper", "walker"), seeds=2).jobs(set()))
    assert len(cells) == len(set(cells)) == 2 * 2 * (len(WITHOUT) + len(AMOUNTS) * len(RECIPES))
    assert sum(recipe == "zero-shot" for *_, recipe in cells) == 4
    done = {(body, amount, str(seed), recipe) for body, amount, seed, recipe in cells[:-1]}
    assert list(Plan(("hopper", "walker"), seeds=2).jobs(done)) == cells[-1:]


def test_some_amounts_and_recipes():
    plan = Plan(("hopper",), amounts=("1",), recipes=("ours", "zero-shot"))
    assert list(plan.jobs(set())) == [("hopper", "none", 0, "zero-shot"), ("hopper", "1", 0, "ours")]
    with pytest.raises(MorphNetError, match="'two'"):
        Plan(("hopper",), amounts=("two",))
    with pytest.raises(MorphNetError, match=r"'theirs'.*ours"):
        Plan(("hopper",), recipes=("theirs",))


def test_lines_of_the_figure_are_means_and_level_without_demonstrations():
    rows = [
        {"recipe": recipe, "demonstrations": amount, "score": score}
        for recipe, amount, score in (
            ("ours", "1", "0.5"), ("ours", "1", "0.7"), ("ours", "5", "0.9"), ("zero-shot", "none", "0.2")
        )
    ]  # fmt: skip
    ours, level = lines(rows)
    assert list(ours.x) == [1.0, 5.0]
    assert list(ours.y) == pytest.approx([0.6, 0.9])
    assert list(level.y) == [0.2] * len(AMOUNTS)


@pytest.fixture
def snapshots() -> list[dict[str, str]]:
    rows = (
        ("hopper", 0, "zero-shot", 0, 1.0, 0.5), ("hopper", 0, "zero-shot", 300, 1.0, 0.9),
        ("hopper", 0, "zero-shot", 500, 1.0, 1.0), ("hopper", 1, "zero-shot", 100, 1.0, 0.95),
        ("hopper", 0, "nothing", 1000, 1.0, 0.92), ("hopper", 1, "nothing", 3000, 1.0, 0.93),
        ("walker", 0, "zero-shot", 0, 1.0, 0.91), ("walker", 0, "nothing", 900, 1.0, 0.89),
    )  # fmt: skip
    return [dict(zip(COLUMNS, map(str, row), strict=True)) for row in rows]


def test_steps_to_enough_are_the_first_that_reach_it(snapshots):
    assert steps_to(snapshots, "hopper", "zero-shot") == 200
    assert steps_to(snapshots, "hopper", "nothing") == 2000
    assert steps_to(snapshots, "walker", "zero-shot") == 0
    assert math.isinf(steps_to(snapshots, "walker", "nothing"))
    assert math.isnan(steps_to(snapshots, "ant", "nothing"))


def test_the_median_ratio_over_bodies(snapshots, tmp_path, capsys):
    with (tmp_path / "f.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(snapshots)
    summary(tmp_path / "f.csv")
    assert "median ratio 0.05" in capsys.readouterr().err  # of 0.1 and 0


def test_changes_are_hidden_and_change_the_physics():
    body = load_body("walker")
    for change in changes_of(body):
        changed = body.with_change(change)
        assert changed.source.sha256 == body.source.sha256
        same = changed.task == body.task and all(
            (getattr(changed.model, name) == getattr(body.model, name)).all()
            for name in ("body_mass", "geom_friction", "actuator_gear", "actuator_gainprm")
        )
        assert not same, change.name


def test_a_baselines_schedule_warms_up_by_updates_and_then_follows_what_is_further_the_clock_or_the_steps(monkeypatch):
    now = [50.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(PPO, "__init__", lambda *given: None)
    monkeypatch.setattr(PPO, "update", lambda self, samples, progress: progress)
    ppo = TimedPPO(SimpleNamespace(networks=None, groups=None, workers=None, config=None), minutes=10.0)
    now[0] += 60.0
    warming = [ppo.update([], 0.0) for _ in range(5)]
    assert warming == pytest.approx([0.0, 0.002, 0.004, 0.006, 0.008])
    assert ppo.update([], 0.0) == pytest.approx(0.1)
    assert ppo.update([], 0.7) == pytest.approx(0.7)
