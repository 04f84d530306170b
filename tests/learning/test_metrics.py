"""The log of a run's numbers: rows, new columns, and what resuming drops."""

from __future__ import annotations

import csv
from pathlib import Path

from morphnet.learning.metrics import MetricsLog


def read(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_new_name_is_a_new_column(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path, None)
    log.add({"update": 1, "kl": 0.5})
    log.add({"update": 2, "imitation": 0.25})
    log.add({"update": 3, "kl": 1.5, "imitation": 0.125})
    log.close()
    assert read(tmp_path) == [
        {"update": "1", "kl": "0.5", "imitation": "nan"},
        {"update": "2", "kl": "nan", "imitation": "0.25"},
        {"update": "3", "kl": "1.5", "imitation": "0.125"},
    ]


def test_resuming_drops_what_came_after(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path, None)
    for update in (1, 2, 3):
        log.add({"update": update, "kl": update / 2})
    log.close()
    log = MetricsLog(tmp_path, 2)
    log.add({"update": 3, "kl": 9.0})
    log.close()
    assert [row["kl"] for row in read(tmp_path)] == ["0.5", "1", "9"]
    MetricsLog(tmp_path, None).close()
    assert read(tmp_path) == []
