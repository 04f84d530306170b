"""What films show is what ``evaluate`` measures."""

import itertools

import numpy as np
import pytest

from morphnet.bodies import load_body
from morphnet.errors import MorphNetError
from morphnet.evaluation import RandomController, evaluate
from morphnet.films.play import PAUSE_SECONDS, play
from morphnet.look import Look


@pytest.mark.parametrize("name", ["hopper", "gymnasium:ant"])
def test_the_return_in_a_film_is_the_one_that_evaluate_reports(name: str) -> None:
    body = load_body(name)
    moments = list(play(body, RandomController(body, 3), Look(seconds=30.0, episodes=1), seed=3))
    result = evaluate(body, RandomController(body, 3), 1, seed=3)
    assert moments[-1].total_reward == pytest.approx(result.returns[0], rel=1e-9)
    assert moments[-1].time == pytest.approx(result.lengths[0] * body.control_step)


def test_a_film_of_reaching_shows_each_episodes_goal_and_how_far_it_is() -> None:
    body = load_body("flat_arm_2")
    body = body.with_task(body.task.replace(max_episode_steps=10))
    moments = list(play(body, RandomController(body, 0), Look(seconds=1.0, fps=20, episodes=2), seed=0))
    goals = [np.array([m.goal for m in moments if m.episode == number]) for number in (1, 2)]
    assert all((goal == goal[0]).all() for goal in goals)
    assert not np.array_equal(goals[0][0], goals[1][0])
    for moment in moments[:1]:
        first, second = moment.qpos
        tip = [0.35 * np.cos(first) + 0.3 * np.cos(first + second), 0.35 * np.sin(first) + 0.3 * np.sin(first + second)]
        assert moment.distance == pytest.approx(np.linalg.norm([*tip, 0.1] - moment.goal), abs=1e-9)


def test_without_episodes_a_film_has_its_length_and_starts_again_after_a_fall() -> None:
    body = load_body("hopper")
    moments = list(play(body, RandomController(body, 0), Look(seconds=5.0, fps=20), seed=0))
    assert len(moments) == 100
    numbers = [moment.episode for moment in moments]
    assert numbers[0] == 1
    assert numbers[-1] > 2
    assert set(np.diff(numbers)) <= {0, 1}
    for before, after in itertools.pairwise(moments):
        if after.episode > before.episode:
            assert after.time == 0.0
            assert after.total_reward == 0.0


def test_episodes_are_cut_to_the_length_of_the_film_and_start_differently() -> None:
    body = load_body("cheetah")  # never falls
    moments = list(play(body, RandomController(body, 0), Look(seconds=1.0, fps=20, episodes=3), seed=0))
    assert [moment.episode for moment in moments] == [1] * 20 + [2] * 20 + [3] * 20
    starts = [moments[index].qpos for index in (0, 20, 40)]
    assert all(np.abs(a - b).max() > 1e-3 for a, b in itertools.combinations(starts, 2))


def test_the_end_of_an_episode_is_shown_a_little_longer() -> None:
    body = load_body("hopper")
    moments = list(play(body, RandomController(body, 0), Look(seconds=30.0, fps=30, episodes=1), seed=0))
    still = [np.array_equal(moment.qpos, moments[-1].qpos) for moment in moments]
    assert sum(still) == pytest.approx(PAUSE_SECONDS * 30, abs=2)


@pytest.mark.parametrize("speed", [0.1, 1.0, 4.0])
def test_time_passes_at_the_speed_of_the_film_and_evenly(speed: float) -> None:
    body = load_body("cheetah")
    moments = list(play(body, RandomController(body, 1), Look(seconds=1.0, fps=25, speed=speed), seed=1))
    assert np.diff([moment.time for moment in moments]) == pytest.approx(speed / 25)
    if speed < 1.0:  # every picture shows another state, though there are fewer physics steps than pictures
        steps = np.diff([moment.qpos for moment in moments], axis=0)
        assert np.abs(steps).max(axis=1).min() > 0.0


def test_start_noise_is_in_velocities_too() -> None:
    """A body at rest at its start would hardly move within a physics step."""
    body = load_body("cheetah")
    first, second, *_ = play(body, RandomController(body, 0), Look(seconds=1.0, fps=2000), seed=0)
    assert np.abs(second.qpos - first.qpos).max() / second.time > 0.05


@pytest.mark.parametrize("wrong", [{"seconds": 0.0}, {"fps": 0}, {"speed": 0.0}, {"speed": np.inf}, {"episodes": 0}])
def test_looks_out_of_range_are_refused(wrong: dict) -> None:
    with pytest.raises(MorphNetError, match=f"--{next(iter(wrong))}"):
        Look(**wrong)
