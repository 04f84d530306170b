"""Checkpoints: a folder with a hypernetwork's weights and how they came to be. Nothing is pickled."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from morphnet.bodies.task_features import TASK_FEATURES
from morphnet.config import DistillConfig, NetworkConfig, TrainConfig, config_from_dict
from morphnet.embodiment import SLOT_TABLE
from morphnet.errors import CheckpointError
from morphnet.files import atomic_path, read_json, write_json
from morphnet.networks import ActorHypernetwork, CriticHypernetwork, SlotTable
from morphnet.simulation import SLOTS

FORMAT = 2
"""Bumped whenever an older checkpoint would be read wrongly."""
WEIGHTS, CONFIG, METRICS = "hypernetwork.safetensors", "config.json", "metrics.csv"
Configuration = TypeVar("Configuration", TrainConfig, DistillConfig)


@dataclasses.dataclass(frozen=True)
class Networks:
    """The two hypernetworks that are trained together."""

    actor: ActorHypernetwork
    critic: CriticHypernetwork

    def state_dict(self) -> dict[str, Tensor]:
        """All weights and statistics by name."""
        modules = nn.ModuleDict({"actor": self.actor, "critic": self.critic})
        return dict(modules.state_dict())

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take over weights; raises RuntimeError where names or shapes differ."""
        nn.ModuleDict({"actor": self.actor, "critic": self.critic}).load_state_dict(state)


def build_networks(features: dict[str, int], config: TrainConfig, slots: SlotTable = SLOT_TABLE) -> Networks:
    """Make untrained hypernetworks, seeded by ``config.seed``.

    Args:
        features: kind of token -> number of physical features.
        config: sizes and seed.
        slots: the kinds of observation slots; this version's, or an older one's.
    """
    with torch.random.fork_rng(devices=[]):  # the caller's own generator stays as it is
        torch.manual_seed(config.seed)
        actor = ActorHypernetwork(features, slots, config.network)
        critic_network = dataclasses.replace(config.network, hidden=config.network.critic_hidden)
        return Networks(actor, CriticHypernetwork(features, slots, critic_network))


def save_checkpoint(
    folder: Path, networks: Networks, features: dict[str, int], config: TrainConfig, facts: dict[str, Any]
) -> None:
    """Write a checkpoint's weights and config.

    Args:
        folder: made where it is missing.
        networks: what to save.
        features: kind of token -> number of physical features that the encoder reads.
        config: what they were trained with.
        facts: what else to record: suite, bodies, steps, seconds, version.
    """
    with atomic_path(folder / WEIGHTS) as path:
        save_file({name: tensor.contiguous() for name, tensor in networks.state_dict().items()}, path)
    layout = {"features": features, "slots": {kind: list(slots) for kind, slots in SLOTS.items()}}
    write_json(folder / CONFIG, {"format": FORMAT, **layout, "train": config.to_dict(), **facts})


def load_checkpoint(folder: Path) -> tuple[Networks, dict[str, Any]]:
    """Read a checkpoint; one that knows fewer tasks than this version has zero weights for what it does not know.

    Returns:
        The networks and the content of ``config.json``, with this version's layout.

    Raises:
        CheckpointError: missing, damaged, or written by a version that reads bodies differently.
    """
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such checkpoint folder")
    record = read_json(folder / CONFIG, CheckpointError)
    _check_layout(folder / CONFIG, record)
    config = config_from_dict(record["train"], str(folder / CONFIG))
    slots = SlotTable({kind: len(names) for kind, names in record["slots"].items()})
    networks = build_networks(record["features"], config, slots)
    weights = read_tensors(folder / WEIGHTS)
    try:
        networks.load_state_dict(weights)
    except RuntimeError:
        raise CheckpointError(
            f"{folder / WEIGHTS}: its tensors do not fit {CONFIG}; the two are not of one run"
        ) from None
    return _widened(networks, record, config)


def go_on_from(folder: Path, config: Configuration) -> tuple[Networks, Configuration, dict[str, Any]]:
    """Read the networks that a training goes on from.

    Returns:
        The networks, the configuration with their sizes, and what they are, for the record of what comes of them.

    Raises:
        CheckpointError: as ``load_checkpoint``, or ``config`` asks for other networks.
    """
    networks, record = load_checkpoint(folder)
    network = config_from_dict(record["train"], str(folder)).network
    _check_given(config.network, network, folder)
    facts = {"suite": record.get("suite"), "steps": record.get("steps", 0), "command": record.get("command")}
    return networks, dataclasses.replace(config, network=network), {"checkpoint": str(folder), **facts}


def _check_given(given: NetworkConfig, kept: NetworkConfig, folder: Path) -> None:
    """Refuse settings that were given and cannot be: defaults pass, as nobody can tell whether those were given."""
    default = dataclasses.asdict(NetworkConfig())
    ours, theirs = dataclasses.asdict(given), dataclasses.asdict(kept)
    lost = [f"{name} = {theirs[name]}" for name in ours if ours[name] not in (theirs[name], default[name])]
    if lost:
        raise CheckpointError(f"{folder}: its networks keep {', '.join(lost)}; drop what was given instead")


def origin_of(folder: Path) -> dict[str, Any]:
    """Return what the first command of a run was and where it went on from; nothing before its first save."""
    path = folder / CONFIG
    record = read_json(path, CheckpointError) if path.exists() else {}
    return beginning(record)


def beginning(record: dict[str, Any]) -> dict[str, Any]:
    """Return of a record what the first command of a run was and where it went on from."""
    return {key: record[key] for key in ("command", "start") if key in record}


def _widened(networks: Networks, record: dict[str, Any], config: TrainConfig) -> tuple[Networks, dict[str, Any]]:
    """Take an older checkpoint's networks to this version's sizes.

    The kind "task", and in it what is new, comes last everywhere: what is missing is the end of tensors' last axes.
    """
    features = {**record["features"], "task": max(TASK_FEATURES, record["features"].get("task", 0))}
    layout = {"features": features, "slots": {kind: list(slots) for kind, slots in SLOTS.items()}}
    if layout.items() <= record.items():
        return networks, record
    wide = build_networks(features, config)
    narrow, state = networks.state_dict(), wide.state_dict()
    for name, tensor in state.items():
        tensor.copy_(torch.full_like(tensor, float(name.endswith("variance"))))
        tensor[..., : narrow[name].shape[-1]] = narrow[name]
    wide.load_state_dict(state)
    return wide, {**record, **layout}


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file.

    Raises:
        CheckpointError: missing or damaged.
    """
    try:
        return load_file(path)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file") from None
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: damaged or not a safetensors file ({error})") from None


def _check_layout(path: Path, record: Any) -> None:
    if not isinstance(record, dict) or not {"format", "train", "features", "slots"} <= set(record):
        raise CheckpointError(f"{path}: not the config of a MorphNet checkpoint")
    if record["format"] != FORMAT:
        raise CheckpointError(
            f"{path}: checkpoint format {record['format']}, this version reads {FORMAT}; "
            "train it again or install the version that wrote it"
        )
    features = record["features"]
    if not isinstance(features, dict) or not all(isinstance(size, int) for size in features.values()):
        raise CheckpointError(f"{path}: features = {features!r}: expected {{kind: number}}")
    if not _is_known(record["slots"]):
        raise CheckpointError(f"{path}: it observes other quantities than this version does; train it again")


def _is_known(slots: Any) -> bool:
    """Whether a checkpoint's slots are this version's, or those of a version that knew fewer tasks."""
    present = {kind: list(names) for kind, names in SLOTS.items()}
    if not isinstance(slots, dict) or list(slots) != list(present) or not isinstance(slots["task"], list):
        return False
    first = len(slots["task"])
    return first > 0 and slots == {**present, "task": present["task"][:first]}
