"""Suites: folders of bodies with a train and a held-out split."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from morphnet.bodies.body import ASSETS, SUITE_FILE, Body, load_body, suite_folders, task_in_file
from morphnet.bodies.task import read_tasks
from morphnet.errors import SuiteError, TaskError, choices

SPLITS = ("train", "held_out")


@dataclasses.dataclass(frozen=True)
class Suite:
    """A set of bodies.

    Attributes:
        name: the suite's name, or the folder's.
        folder: where its MJCF files are; None for shipped suites taken together, whose bodies are found by name.
        splits: split -> family -> body names, in the file's order.
        task_file: a TOML with a section a family that replaces the TOML beside the files; None for those.
    """

    name: str
    folder: Path | None
    splits: dict[str, dict[str, list[str]]]
    task_file: Path | None = None

    def names(self, split: str) -> list[str]:
        """Return the names of a split's bodies.

        Raises:
            SuiteError: there is no such split.
        """
        return [name for names in self.families(split).values() for name in names]

    def families(self, split: str) -> dict[str, list[str]]:
        """Return a split's bodies by family."""
        if split not in self.splits:
            raise SuiteError(f"suite {self.name}: no split {split!r}; {choices(split, tuple(self.splits))}")
        return self.splits[split]

    def load(self, name: str) -> Body:
        """Load one of the suite's bodies with its task."""
        if ":" in name or self.folder is None:
            return load_body(name)
        task = task_in_file(self.task_file, name) if self.task_file else None
        return load_body(self.folder / f"{name}.xml", task)

    def bodies(self, split: str) -> list[Body]:
        """Load every body of a split."""
        return [self.load(name) for name in self.names(split)]


def suite_names() -> list[str]:
    """Return the names of the shipped suites."""
    return [folder.name for folder in suite_folders()]


def load_suite(name: str) -> Suite:
    """Open a shipped suite, or several as one: ``planar+legged``.

    Raises:
        SuiteError: there is no suite of that name, or one is named twice.
    """
    parts = name.split("+")
    for part in parts:
        if part not in suite_names():
            raise SuiteError(f"unknown suite {part!r}; {choices(part, suite_names())}")
        if parts.count(part) > 1:
            raise SuiteError(f"suite {name!r}: {part} is named twice")
    opened = [suite_from_folder(ASSETS / part) for part in parts]
    return opened[0] if len(opened) == 1 else _together(name, opened)


def _together(name: str, suites: list[Suite]) -> Suite:
    splits = {
        split: {family: names for suite in suites for family, names in suite.splits[split].items()} for split in SPLITS
    }
    return Suite(name, None, splits)


def suite_from_folder(folder: Path, task_file: Path | None = None) -> Suite:
    """Open a folder of MJCF files as a suite; without ``splits.json`` every body is for training.

    Args:
        folder: the folder.
        task_file: a TOML with a section a family; by default ``suite.toml`` in the folder.

    Raises:
        SuiteError: no folder, no MJCF in it, or a ``splits.json`` that names missing bodies.
    """
    if not folder.is_dir():
        raise SuiteError(f"{folder}: no such folder")
    stems = sorted(path.stem for path in folder.glob("*.xml"))
    if not stems:
        raise SuiteError(f"{folder}: no MJCF files (*.xml) in it")
    splits = folder / "splits.json"
    families = _read_splits(splits) if splits.is_file() else {"train": {folder.name: stems}, "held_out": {}}
    _check_names(splits, families, stems)
    suite_file = task_file or folder / SUITE_FILE
    if suite_file.is_file() or task_file:
        _check_sections(suite_file, stems)
    return Suite(folder.name, folder, families, task_file)


def _check_sections(path: Path, stems: list[str]) -> None:
    """A section that no body's name begins with is a slip of the pen, and would do nothing."""
    for section in read_tasks(path):
        if section and not any(stem == section or stem.startswith(f"{section}_") for stem in stems):
            raise TaskError(f"{path}: no body for section [{section}]; {choices(section, stems)}")


def _read_splits(path: Path) -> dict[str, dict[str, list[str]]]:
    try:
        splits = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SuiteError(f"{path}: {error}") from None
    valid = isinstance(splits, dict) and set(SPLITS) <= set(splits)
    if not valid or not all(_is_families(splits[split]) for split in SPLITS):
        raise SuiteError(f'{path}: expected {{"train": {{family: [body, ...]}}, "held_out": {{...}}}}')
    return {split: splits[split] for split in SPLITS}


def _is_families(families: Any) -> bool:
    """Whether this is {family: [body name, ...]}."""
    return isinstance(families, dict) and all(
        isinstance(names, list) and all(isinstance(name, str) for name in names) for names in families.values()
    )


def _check_names(path: Path, splits: dict[str, dict[str, list[str]]], stems: list[str]) -> None:
    seen: set[str] = set()
    for families in splits.values():
        for name in (name for names in families.values() for name in names):
            if ":" not in name and name not in stems:
                raise SuiteError(f"{path}: no file {name}.xml beside it; {choices(name, stems)}")
            if name in seen:
                raise SuiteError(f"{path}: {name} is listed twice")
            seen.add(name)
