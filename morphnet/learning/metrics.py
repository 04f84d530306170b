"""Metrics of a run: one CSV row an update, the same numbers to TensorBoard."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from morphnet.files import write_bytes
from morphnet.learning.checkpoint import METRICS


class MetricsLog:
    """Appends rows to ``metrics.csv``; a resumed run drops the rows after the state it continues from.

    What a row has no number for is nan, and a name that no earlier row had becomes a new column.
    """

    def __init__(self, folder: Path, resume_from: int | None) -> None:
        """Open the log.

        Args:
            folder: the run's folder.
            resume_from: the update that the run continues after; None starts a new log.
        """
        self._path = folder / METRICS
        kept = self._rows(resume_from) if resume_from is not None else []
        self._fields: list[str] = list(kept[0]) if kept else []
        write_bytes(self._path, self._text(kept))
        purged = None if resume_from is None else resume_from + 1
        self._writer = SummaryWriter(str(folder / "tensorboard"), purge_step=purged)

    def add(self, row: dict[str, float]) -> None:
        """Append one update's numbers, ``update`` among them."""
        new = [name for name in row if name not in self._fields]
        if new:
            rows, self._fields = self._rows(None), [*self._fields, *new]
            write_bytes(self._path, self._text(rows))
        with self._path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self._fields, "nan").writerow({name: _short(value) for name, value in row.items()})
        for name, value in row.items():
            self._writer.add_scalar(name, value, int(row["update"]))

    def close(self) -> None:
        """Flush and close."""
        self._writer.close()

    def _rows(self, last: int | None) -> list[dict[str, str]]:
        """Rows up to an update, or all of them; what a kill has cut off is left out."""
        if not self._path.is_file():
            return []
        with self._path.open(newline="", encoding="utf-8") as file:
            return [
                row for row in csv.DictReader(file) if row["update"] and (last is None or int(row["update"]) <= last)
            ]

    def _text(self, rows: list[dict[str, str]]) -> bytes:
        if not self._fields:
            return b""
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self._fields, "nan")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue().encode()


def _short(value: float) -> float | str:
    return value if isinstance(value, int) else f"{value:.6g}"
