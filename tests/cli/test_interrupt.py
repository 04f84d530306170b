"""Ctrl-C, as whoever presses it meets it."""

from __future__ import annotations

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
