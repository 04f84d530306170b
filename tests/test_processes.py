"""Jobs in processes of their own: what they return, what they raise, and what is left of them."""

from __future__ import annotations

import multiprocessing
import os

import pytest

from morphnet.errors import MorphNetError
from morphnet.processes import in_processes, tell


def half(number: int) -> float:
    if number % 2:
        raise ValueError(f"{number} is odd")
    return number / 2


def die(number: int) -> int:
    os._exit(9) if number else None
    return os.getpid()


def test_every_call_is_answered() -> None:
    assert sorted(in_processes(half, [(4,), (0,), (2,)], 2, "halves")) == [0.0, 1.0, 2.0]


def test_what_a_call_raises_arrives_and_nothing_stays_behind() -> None:
    with pytest.raises(ValueError, match="3 is odd"):
        list(in_processes(half, [(2,), (3,)], 1, "halves"))
    assert multiprocessing.active_children() == []


def test_a_process_that_was_killed_is_named() -> None:
    with pytest.raises(MorphNetError, match="halves: a process was killed"):
        list(in_processes(die, [(1,)], 1, "halves"))


def count_aloud(number: int) -> int:
    for step in range(number):
        tell((number, step))
    return number


def test_what_calls_tell_is_heard() -> None:
    heard: list[tuple[int, int]] = []
    assert sorted(in_processes(count_aloud, [(3,), (2,)], 2, "counts", heard.append)) == [2, 3]
    assert [step for number, step in heard if number == 3] == [0, 1, 2]
    assert [step for number, step in heard if number == 2] == [0, 1]


def test_nobody_hears_the_first_process() -> None:
    tell("nothing")
    heard: list[int] = []
    assert list(in_processes(half, [(2,)], 1, "halves", heard.append)) == [1.0]
    assert heard == []


def test_calls_are_made_elsewhere() -> None:
    (pid,) = in_processes(die, [(0,)], 1, "elsewhere")
    assert pid != os.getpid()
