"""What a run left behind: its record and its metrics."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from morphnet.errors import CheckpointError
from morphnet.files import read_json
from morphnet.learning.checkpoint import CONFIG, METRICS

RETURN = "return/"
"""What the columns of the bodies' returns begin with."""


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """A training run's folder, or any checkpoint's.

    Attributes:
        folder: where it is.
        record: the content of its ``config.json``.
        metrics: column -> (updates,) numbers, NaN where there was none.
    """

    folder: Path
    record: dict[str, Any]
    metrics: dict[str, np.ndarray]

    @property
    def body_names(self) -> list[str]:
        """Names of the bodies that it was trained on."""
        return [column.removeprefix(RETURN) for column in self.metrics if column.startswith(RETURN)]

    def returns_of(self, name: str) -> np.ndarray:
        """(updates,) mean return of a body's recent episodes in training."""
        return self.metrics[RETURN + name]


def read_run(folder: Path) -> Run:
    """Read a run's folder.

    Raises:
        CheckpointError: not a run's folder, or its files are missing or damaged.
    """
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such folder; give a run's folder or a checkpoint's")
    if not (folder / CONFIG).is_file():
        raise CheckpointError(f"{folder}: not a run's folder, it has no {CONFIG}; training writes it at its first save")
    record = read_json(folder / CONFIG, CheckpointError)
    if not isinstance(record, dict) or not isinstance(record.get("train"), dict):
        raise CheckpointError(f"{folder / CONFIG}: not the config of a MorphNet checkpoint")
    return Run(folder, record, _read_metrics(folder / METRICS))


def _read_metrics(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines = [line for line in file if line.endswith("\n")]  # a kill can cut the last one short
        rows = list(csv.DictReader(lines, restval=""))
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file; curves need the metrics that training writes there") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CheckpointError(f"{path}: cannot read: {error}") from None
    if not rows:
        raise CheckpointError(f"{path}: holds no update yet")
    columns = list(rows[0])
    missing = [name for name in ("steps", "seconds", "mean_return") if name not in columns]
    if missing:
        raise CheckpointError(f"{path}: has no column {', '.join(missing)}; not the metrics of a run")
    try:
        return _timed({name: np.array([float(row[name] or "nan") for row in rows]) for name in columns}, path)
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: {error}; expected a number in every cell") from None


def _timed(metrics: dict[str, np.ndarray], path: Path) -> dict[str, np.ndarray]:
    """Keep the updates whose steps and seconds are known, which all curves are drawn against."""
    known = np.isfinite(metrics["steps"]) & np.isfinite(metrics["seconds"])
    if not known.any():
        raise CheckpointError(f"{path}: no row has both steps and seconds; not the metrics of a run")
    kept = {name: column[known] for name, column in metrics.items()}
    for name in ("steps", "seconds"):
        if not kept[name].min() > 0:
            raise CheckpointError(f"{path}: {name} = {kept[name].min():g}: must be above 0 in every row")
    return kept
