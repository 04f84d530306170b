"""The page: one HTML file that needs nothing but the videos beside it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

from morphnet.report.curves import curves
from morphnet.report.run import Run
from morphnet.report.text import MISSING, breakable, count, duration, number

STYLE = Path(__file__).with_name("style.css")


@dataclasses.dataclass(frozen=True)
class Row:
    """What is known of one body.

    Attributes:
        name, family, split: the body.
        training: mean return of its last episodes in training, with PPO's noise; None for held-out bodies.
        evaluation: what ``evaluate`` reports of its zero-shot policy; empty where it was not evaluated.
    """

    name: str
    family: str
    split: str
    training: float | None
    evaluation: dict[str, Any]

    @property
    def is_held_out(self) -> bool:
        """Whether training never saw it."""
        return self.split != "train"


@dataclasses.dataclass(frozen=True)
class Clip:
    """A video beside the page: its path relative to the page, and what it shows."""

    file: str
    row: Row


@dataclasses.dataclass(frozen=True, eq=False)
class Content:
    """Everything that a page shows.

    Attributes:
        run: the run.
        rows: its bodies, by family.
        clips: its videos.
        notes: section -> why something is missing there.
        how: how the policies were evaluated.
    """

    run: Run
    rows: Sequence[Row]
    clips: Sequence[Clip]
    notes: dict[str, str]
    how: str

    @property
    def families(self) -> dict[str, list[Row]]:
        """Family -> its bodies."""
        grouped: dict[str, list[Row]] = {}
        for row in self.rows:
            grouped.setdefault(row.family, []).append(row)
        return grouped

    def mean(self, split: str, of: str = "return_mean") -> float | None:
        """Mean evaluated return, or score, over those bodies of a split that have one; None where none has."""
        found = [row.evaluation.get(of) for row in self.rows if row.split == split]
        values = [value for value in found if value is not None]
        return sum(values) / len(values) if values else None


def page(content: Content) -> str:
    """Return the page as HTML."""
    name = escape(str(content.run.record.get("suite", content.run.folder.name)))
    families = {family: [r.name for r in rows if not r.is_held_out] for family, rows in content.families.items()}
    trained = {family: names for family, names in families.items() if names}
    sections = [
        ("Videos", _videos(content)),
        ("Learning curves", _note(CURVES) + curves(content.run, trained)),
        ("Returns", _table(content)),
        ("Configuration", _configuration(content.run)),
    ]
    body = "".join(f"<section><h2>{title}</h2>{inside}</section>" for title, inside in sections if inside)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>MorphNet: {name}</title>'
        f"<style>{STYLE.read_text(encoding='utf-8')}</style></head><body><main>"
        f'<header><p class="kind">MorphNet training report</p><h1>{name}</h1>{_facts(content)}</header>{body}'
        f"<footer>MorphNet {escape(str(content.run.record.get('version', '')))}</footer></main></body></html>\n"
    )


CURVES = "Mean return of each body's last 20 episodes in training: in PPO with exploration noise, then without."


def _facts(content: Content) -> str:
    metrics = content.run.metrics
    steps, seconds = float(metrics["steps"][-1]), float(metrics["seconds"][-1])
    held_out = sum(row.is_held_out for row in content.rows)
    facts = [
        ("environment steps", count(steps)),
        ("wall-clock", duration(seconds)),
        ("steps a second", number(steps / seconds)),
        ("bodies, in training + held out", f"{len(content.rows) - held_out} + {held_out}"),
        ("mean return, training bodies", number(content.mean("train"))),
        ("mean return, held out, zero-shot", number(content.mean("held_out"))),
        ("mean score, training bodies", number(content.mean("train", "score"))),
        ("mean score, held out, zero-shot", number(content.mean("held_out", "score"))),
    ]
    known = "".join(f"<div><dt>{k}</dt><dd>{v}</dd></div>" for k, v in facts if v != MISSING)
    return f'<dl class="facts">{known}</dl>'


def _videos(content: Content) -> str:
    cards = "".join(
        f'<figure><video src="{escape(clip.file)}" autoplay loop muted playsinline controls></video>'
        f"<figcaption>{breakable(clip.row.name)} {_badge(clip.row)}<br><small>{escape(clip.row.family)}"
        f"{_return_of(clip.row)}</small></figcaption></figure>"
        for clip in content.clips
    )
    return _note(content.notes.get("videos")) + (f'<div class="videos">{cards}</div>' if cards else "")


def _return_of(row: Row) -> str:
    return f", mean return {number(row.evaluation['return_mean'])}" if row.evaluation else ""


def _badge(row: Row) -> str:
    return '<span class="badge">held out</span>' if row.is_held_out else ""


def _table(content: Content) -> str:
    columns = [("In training", "training")] + [
        (title, key)
        for title, key in (("Evaluated", "return_mean"), ("Length", "length_mean"), ("Score", "score"))
        if any(row.evaluation.get(key) is not None for row in content.rows)
    ]
    head = "<th>Body</th>" + "".join(f'<th class="number">{title}</th>' for title, _ in columns)
    lines = "".join(_family_rows(family, rows, columns) for family, rows in content.families.items())
    note = _note(content.notes.get("returns")) + _note(content.how)
    return f'{note}<div class="scroll"><table><thead><tr>{head}</tr></thead>{lines}</table></div>'


def _family_rows(family: str, rows: Sequence[Row], columns: Sequence[tuple[str, str]]) -> str:
    best = max((row.evaluation.get("return_mean", 0.0) for row in rows), default=0.0)
    lines = [f'<tr class="family"><th colspan="{len(columns) + 1}">{escape(family)}</th></tr>']
    for row in rows:
        values = {"training": row.training, **row.evaluation}
        cells = "".join(_cell(key, values, best) for _, key in columns)
        lines.append(f"<tr><th>{breakable(row.name)} {_badge(row)}</th>{cells}</tr>")
    return f"<tbody>{''.join(lines)}</tbody>"


def _cell(key: str, values: dict[str, Any], best: float) -> str:
    """One number; a return also has its deviation, and a bar against the family's best."""
    if key != "return_mean" or values.get(key) is None:
        return f'<td class="number">{number(values.get(key))}</td>'
    share = max(0.0, values[key]) / best if best > 0 else 0.0
    return (
        f'<td class="number bar" style="--share:{share:.3f}">{number(values[key])}'
        f" <small>± {number(round(values['return_std'], 2))}</small></td>"
    )


def _configuration(run: Run) -> str:
    command = run.record.get("command")
    shown = f"<pre><code>{escape(str(command))}</code></pre>" if command else ""
    settings = run.record.get("distillation", run.record["train"])
    items = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in _settings(settings))
    return f'{shown}<dl class="settings">{items}</dl>'


def _settings(values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _settings(value)
        else:
            yield key.replace("_", " "), f"{value:,}" if type(value) is int else json.dumps(value).strip('"')


def _note(text: str | None) -> str:
    return f'<p class="note">{escape(text)}</p>' if text else ""
