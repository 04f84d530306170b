"""Reading demonstrations from Minari datasets, ours and others'."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from minari import MinariDataset
from minari.dataset.minari_storage import MinariStorage

from morphnet.bodies import Body
from morphnet.demonstrations.demonstration import STATE, Demonstration
from morphnet.demonstrations.foreign import as_numbers, rebuild
from morphnet.demonstrations.writing import DATA, FORMAT, METADATA, RECORD
from morphnet.errors import DemonstrationError
from morphnet.files import read_json

_KEYS = {"format", "body", "actuators", "control_step"}
_SPACES = {"observation_space", "action_space", "total_episodes"}
_STUMBLES = (
    OSError, LookupError, ValueError, TypeError, AttributeError, AssertionError, ImportError, RuntimeError,
)  # fmt: skip
"""What Minari and h5py raise on damaged files."""


def read_demonstrations(
    dataset: str | Path | MinariDataset, body: Body, episodes: int | None = None
) -> list[Demonstration]:
    """Read a dataset's demonstrations of a body.

    Args:
        dataset: folder of a Minari dataset, or the dataset opened (and filtered) by Minari: one of MorphNet's, or
            one from elsewhere whose states can be rebuilt.
        body: the body that they must be of; a hidden change of it is no other body.
        episodes: only the first so many; None for all.

    Raises:
        DemonstrationError: missing, damaged, empty, or of another body, actuator order or control step.
    """
    folder, indices = _place(dataset)
    metadata = _metadata(folder)
    own = RECORD in metadata
    if own:
        _check_record(folder, metadata[RECORD], body)
    found = []
    for episode in itertools.islice(_episodes(folder, indices), episodes):
        where = f"{folder}: episode {episode['id']}"
        demonstration = _demonstration(episode, where) if own else rebuild(episode, metadata, body, where)
        demonstration.check(body, where)
        found.append(demonstration)
    if not found:
        raise DemonstrationError(f"{folder}: no episodes in it; at least one is needed")
    return found


def _place(dataset: str | Path | MinariDataset) -> tuple[Path, list[int] | None]:
    """Folder of a dataset, and which of its episodes are meant; None for all."""
    if isinstance(dataset, MinariDataset):
        return Path(dataset.storage.data_path), dataset.episode_indices.tolist()
    return Path(dataset), None


def _metadata(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise DemonstrationError(f"{folder}: no such dataset folder")
    if not (folder / METADATA).is_file() and (folder / "data" / METADATA).is_file():
        raise DemonstrationError(f"{folder}: not a dataset itself; did you mean {folder / 'data'}?")
    metadata = read_json(folder / METADATA, DemonstrationError)
    if not isinstance(metadata, dict) or not set(metadata) >= _SPACES:  # without them Minari would make the environment
        raise DemonstrationError(f"{folder / METADATA}: not the metadata of a dataset that Minari 0.5 wrote")
    return metadata


def _check_record(folder: Path, record: Any, body: Body) -> None:
    """Check that a dataset of ours is of ``body``, run as it is run here."""
    if not isinstance(record, dict) or not set(record) >= _KEYS or not isinstance(record["body"], dict):
        raise DemonstrationError(f"{folder / METADATA}: {RECORD}: expected {', '.join(sorted(_KEYS))}")
    if record["format"] != FORMAT:
        raise DemonstrationError(f"{folder}: dataset format {record['format']}, this version reads {FORMAT}")
    theirs = record["body"]
    if theirs.get("sha256") != body.source.sha256:
        raise DemonstrationError(
            f"{folder}: demonstrations of {theirs.get('name')!r}, whose MJCF (sha256 {str(theirs.get('sha256'))[:12]}) "
            f"is not that of {body.name!r} (sha256 {body.source.sha256[:12]})"
        )
    if record["actuators"] != list(body.graph.actuator_names):
        raise DemonstrationError(
            f"{folder}: its actuators are {record['actuators']}, {body.name}'s {list(body.graph.actuator_names)}"
        )
    step = record["control_step"]
    if not isinstance(step, float) or not np.isclose(step, body.control_step):
        raise DemonstrationError(
            f"{folder}: recorded with a control step of {step} s, {body.name} has {body.control_step:g} s; "
            "set frame_skip in the body's TOML"
        )


def _episodes(folder: Path, indices: list[int] | None) -> Iterator[dict[str, Any]]:
    """Yield episodes as Minari has them, all if None; whatever it stumbles over becomes one line."""
    try:
        storage = MinariStorage.read(folder)
        yield from storage.get_episodes(range(storage.total_episodes) if indices is None else indices)
    except _STUMBLES as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DemonstrationError(f"{folder / DATA}: damaged or not a Minari dataset ({reason})") from None


def _demonstration(episode: dict[str, Any], where: str) -> Demonstration:
    infos = episode["infos"] or {}
    missing = [name for name in STATE if not isinstance(infos.get(name), np.ndarray)]
    if missing:
        raise DemonstrationError(f"{where}: infos/{missing[0]} is missing")
    states = {name: as_numbers(infos[name], f"infos/{name}", where) for name in STATE}
    rewards, terminated = as_numbers(episode["rewards"], "rewards", where), bool(np.any(episode["terminations"]))
    goal = as_numbers(infos["goal"], "infos/goal", where)[0] if "goal" in infos else None
    return Demonstration(**states, reward=rewards, terminated=terminated, goal=goal)
