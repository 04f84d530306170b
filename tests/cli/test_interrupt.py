"""Ctrl-C, as whoever presses it meets it."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import time

import pytest


@pytest.mark.parametrize(
    ("arguments", "stopped", "left"),
    [
        (["inspect", "hopper"], "morphnet.bodies.load_body", ""),
        (["train", "--suite=planar", "--out=x"], "morphnet.runs.start_training", "; --resume"),
        (["expert", "hopper", "--out=x"], "morphnet.runs.make_expert", "; --out has kept the best policy"),
        ([], "morphnet.cli.parse", ""),
    ],
    ids=["inspect", "train", "expert", "no command yet"],
)
def test_ctrl_c_says_what_this_command_leaves(morphnet_command, monkeypatch, arguments, stopped, left):
    def press(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stopped, press)
    outcome = morphnet_command(*arguments)
    assert outcome.code == 1
    line = outcome.err.splitlines()[-1]
    assert line.startswith(f"morphnet: stopped{left}")
    assert left or line == "morphnet: stopped"


def test_ctrl_c_ends_the_processes_that_train_experts(small_suite, tmp_path):
    arguments = ["experts", "--bodies", small_suite, "--out", tmp_path, "--steps=10000000"]
    command = [sys.executable, "-c", "from morphnet.cli import main; main()", *arguments]
    # a test run in the background ignores SIGINT, and so would its children
    heed = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=heed)
    time.sleep(8)  # until the training has begun; were it still starting, the outcome would be the same
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert said == "morphnet: stopped; the same command goes on with what is missing\n"
    for _ in range(50):
        if not session_lives(process.pid):
            return
        time.sleep(0.1)
    pytest.fail("a process of the session is left")


def session_lives(session: int) -> bool:
    try:
        os.killpg(session, 0)
    except ProcessLookupError:
        return False
    return True
