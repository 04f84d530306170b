"""The model card: what a checkpoint is, how it came to be and what it cannot do."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from morphnet.config import TrainConfig
from morphnet.files import write_bytes

_TEXT = """# MorphNet checkpoint

A graph-encoder hypernetwork that emits the weights of a dense actor for a robot given as MJCF.

| | |
|---|---|
| trained on | {origin} ({count} bodies{mutants}) |
| environment steps | {steps:,} |
| wall-clock | {minutes:.1f} minutes |
| seed | {seed} |
| generated actor | two hidden tanh layers, {hidden} units and {own} more for each actuator |
| trained by | `{command}` |{start}

## Returns on the training bodies

Mean of the last episodes of training, {noise}{cut}.

| body | return |
|---|---|
{rows}

## Limits

It has seen the bodies above{mutants}{before} and nothing else: expect little from robots of another
kind. Policies run forward along +x on flat ground. They have been in simulation only; do not put one on a real robot
without your own safeguards.
"""

_START = """
| went on from | `{checkpoint}`: {suite}, {steps:,} steps |"""


def write_model_card(folder: Path, facts: dict[str, Any], config: TrainConfig, returns: dict[str, float]) -> None:
    """Write ``README.md`` into a checkpoint's folder."""
    rows = "\n".join(f"| {name} | {'-' if math.isnan(r) else f'{r:.0f}'} |" for name, r in returns.items())
    seconds = facts.get("episode_seconds")
    text = _TEXT.format(
        noise="of mean actions" if seconds else "exploration noise included",
        cut=f", in episodes cut off after {seconds:g} simulated seconds" if seconds else "",
        origin=facts.get("suite") or facts.get("bodies") or "bodies given in Python",
        count=len(facts["body_names"]),
        mutants=f" and {facts['mutants']} mutants of theirs" if facts.get("mutants") else "",
        steps=facts["steps"],
        minutes=facts["seconds"] / 60,
        seed=config.seed,
        hidden=config.network.hidden,
        own=config.network.own,
        command=facts.get("command", "the Python API"),
        start=_START.format(**facts["start"]) if facts.get("start") else "",
        before=", beside what it saw before," if facts.get("start") else "",
        rows=rows,
    )
    write_bytes(folder / "README.md", text.encode())
