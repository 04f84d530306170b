"""Commands run in this process, and what they run on: a suite of two robots, and a checkpoint trained on it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from small_robots import PUCK, SLIDER, SPLITS, TASKS, TINY

from morphnet import cli


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What went to standard output, as strict JSON: NaN and Infinity are no part of it."""
        return json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


@pytest.fixture
def morphnet_command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """Return a function that runs a command in this process, as ``morphnet`` does."""

    def command(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["morphnet", *map(str, arguments)])
        capfd.readouterr()
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code
        else:
            code = 0
        return Outcome(code, *capfd.readouterr())

    return command


@pytest.fixture
def refused(morphnet_command):
    """Return a function that runs a command which must fail, and gives its one line."""

    def command(*arguments: object, after_output: bool = False) -> str:
        outcome = morphnet_command(*arguments)
        assert outcome.code == 2, outcome
        assert after_output or outcome.out == ""
        lines = outcome.err.splitlines()
        assert len(lines) == 1, outcome.err
        assert lines[0].startswith("morphnet: ")
        assert "Traceback" not in lines[0]
        return lines[0]

    return command


@pytest.fixture(scope="session")
def small_suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "small"
    folder.mkdir()
    (folder / "puck.xml").write_text(PUCK)
    (folder / "slider.xml").write_text(SLIDER)
    (folder / "suite.toml").write_text(TASKS)
    (folder / "splits.json").write_text(json.dumps(SPLITS))
    return folder


@pytest.fixture(scope="session")
def run(small_suite: Path) -> tuple[Path, dict[str, Any]]:
    """Train a tiny checkpoint through the command line; return its folder and what --json wrote."""
    folder, report = small_suite.parent / "run", small_suite.parent / "report.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            sys, "argv", ["morphnet", "train", f"--bodies={small_suite}", f"--out={folder}", f"--json={report}", *TINY]
        )
        cli.main()
    return folder, json.loads(report.read_text())
