"""The state of a training run in one file, so that a kill at any moment leaves the old state or the new one."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from morphnet.config import TrainConfig
from morphnet.errors import CheckpointError
from morphnet.files import atomic_path
from morphnet.learning.checkpoint import Networks, beginning
from morphnet.learning.group import BodyGroup
from morphnet.simulation import Simulation

if TYPE_CHECKING:
    from morphnet.learning.trainer import Trainer

Tensors = dict[str, Tensor]
STATE = "resume.safetensors"
PPO = "ppo"
_RECORD = {"stage", "config", "bodies", "steps", "seconds", "recent"}


def save_resume(trainer: Trainer) -> None:
    """Write everything that a bit-exact continuation needs: weights, optimiser, simulations, generators."""
    tensors = learning_tensors(trainer.networks, trainer.ppo.optimizer, trainer.ppo.generator)
    record = {
        "stage": PPO,
        "config": trainer.config.to_dict(),
        "bodies": described(trainer.groups),
        "update": trainer.update,
        "steps": trainer.steps,
        "seconds": trainer.seconds,
        "best": trainer.best,
        "recent": trainer.recent,
        "generators": generator_states(trainer.groups),
        "origin": beginning(trainer.origin),
    }
    write_state(trainer.folder, {**tensors, **group_tensors(trainer.groups)}, record)


def load_resume(trainer: Trainer) -> None:
    """Put a trainer back to where the saved state was.

    Raises:
        CheckpointError: no state, a damaged one, or one of other bodies or another configuration.
    """
    tensors, record = read_state(trainer.folder, trainer.groups, trainer.config)
    with fitting(trainer.folder):
        restore_learning(trainer.networks, trainer.ppo.optimizer, trainer.ppo.generator, tensors)
        restore_groups(trainer.groups, tensors, record["generators"])
        trainer.update, trainer.steps = record["update"], record["steps"]
        trainer.seconds, trainer.best, trainer.recent = record["seconds"], record["best"], record["recent"]
        trainer.origin |= record.get("origin", {})  # a kill before the first checkpoint leaves it nowhere else


def learning_tensors(networks: Networks, optimizer: torch.optim.Optimizer, generator: torch.Generator) -> Tensors:
    """Return what was learnt, and the state of what learns."""
    tensors = {f"networks/{name}": tensor for name, tensor in networks.state_dict().items()}
    state = optimizer.state_dict()["state"]
    for index, values in state.items():
        tensors |= {f"optimizer/{index}/{name}": tensor for name, tensor in values.items()}
    return {**tensors, "generator": generator.get_state()}


def restore_learning(
    networks: Networks, optimizer: torch.optim.Optimizer, generator: torch.Generator, tensors: Tensors
) -> None:
    """Take back what ``learning_tensors`` returned."""
    networks.load_state_dict(part(tensors, "networks/"))
    state: dict[int, Tensors] = {}
    for name, tensor in part(tensors, "optimizer/").items():
        index, _, field = name.partition("/")
        state.setdefault(int(index), {})[field] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    generator.set_state(tensors["generator"])


def group_tensors(groups: Sequence[BodyGroup], prefix: str = "") -> Tensors:
    """Return the simulations of groups, and the scales of their rewards."""
    tensors: Tensors = {}
    for index, group in enumerate(groups):
        tensors |= {f"{prefix}reward_scale/{index}/{k}": v for k, v in group.reward_scale.state_dict().items()}
    for index, simulation in enumerate(simulations_of(groups)):
        arrays = simulation.state_dict().items()
        tensors |= {f"{prefix}simulation/{index}/{k}": torch.from_numpy(v) for k, v in arrays}
    return tensors


def generator_states(groups: Sequence[BodyGroup]) -> dict[str, list[Any]]:
    """Return where the random generators of groups stand, as JSON can hold it."""
    return {
        "resets": [simulation.rng_state for simulation in simulations_of(groups)],
        "exploration": [rng.bit_generator.state for group in groups for rng in group.rngs],
    }


def restore_groups(
    groups: Sequence[BodyGroup], tensors: Tensors, generators: dict[str, list[Any]], prefix: str = ""
) -> None:
    """Take back what ``group_tensors`` and ``generator_states`` returned."""
    for index, group in enumerate(groups):
        group.reward_scale.load_state_dict(part(tensors, f"{prefix}reward_scale/{index}/"))
    for index, simulation in enumerate(simulations_of(groups)):
        arrays = {name: tensor.numpy() for name, tensor in part(tensors, f"{prefix}simulation/{index}/").items()}
        simulation.load_state_dict(arrays)
        simulation.rng_state = generators["resets"][index]
    rngs = [rng for group in groups for rng in group.rngs]
    for rng, state in zip(rngs, generators["exploration"], strict=True):
        rng.bit_generator.state = state


def simulations_of(groups: Sequence[BodyGroup]) -> list[Simulation]:
    """Return the simulations of groups, in their order."""
    return [simulation for group in groups for simulation in group.simulations]


def described(groups: Sequence[BodyGroup]) -> list[list[Any]]:
    """What a run's bodies are, as JSON gives it back: names, sources and tasks."""
    return [simulation.body.identity for simulation in simulations_of(groups)]


def write_state(folder: Path, tensors: Tensors, record: dict[str, Any]) -> None:
    """Write a state in place of the last one, whole or not at all."""
    with atomic_path(folder / STATE) as path:
        save_file({k: v.contiguous() for k, v in tensors.items()}, path, metadata={"record": json.dumps(record)})


def read_state(folder: Path, groups: Sequence[BodyGroup], config: TrainConfig) -> tuple[Tensors, dict[str, Any]]:
    """Read the state of a run on the same bodies with the same configuration.

    Raises:
        CheckpointError: no state, a damaged one, or one of other bodies or another configuration.
    """
    tensors, record = _read(folder)
    where, bodies = folder / STATE, described(groups)
    if sorted(record["bodies"], key=str) != sorted(bodies, key=str):  # in which order, their settings tell
        changed = sorted({body[0] for body in record["bodies"]} ^ {body[0] for body in bodies})
        what = ", ".join(changed) if changed else "an MJCF file or a task changed"
        raise CheckpointError(f"{where}: the run was started on other bodies ({what})")
    ours, theirs = config.to_dict(), record["config"]
    different = [name for name in ours if ours[name] != theirs.get(name)]
    if different:
        raise CheckpointError(f"{where}: the run was started with another {', '.join(different)}")
    return tensors, record


@contextlib.contextmanager
def fitting(folder: Path) -> Iterator[None]:
    """Turn what goes wrong when a state is taken back into one clear error."""
    try:
        yield
    except (RuntimeError, KeyError, ValueError, TypeError, IndexError):
        raise CheckpointError(
            f"{folder / STATE}: what it holds does not fit this version's networks; start anew"
        ) from None


def saved_stage(folder: Path) -> str:
    """Return which part of a training a folder's state belongs to."""
    return str(_read(folder)[1]["stage"])


def saved_config(folder: Path) -> dict[str, Any]:
    """Return the configuration that a folder's run was started with."""
    return dict(_read(folder)[1]["config"])


def _read(folder: Path) -> tuple[Tensors, dict[str, Any]]:
    path = folder / STATE
    if not path.is_file():
        raise CheckpointError(f"{folder}: nothing to resume ({STATE} is missing); start without --resume")
    try:
        with safe_open(path, framework="pt") as file:
            record = json.loads((file.metadata() or {})["record"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise CheckpointError(f"{path}: damaged ({error})") from None
    if not isinstance(record, dict) or not set(record) >= _RECORD:
        raise CheckpointError(f"{path}: not the state of a training run")
    return tensors, record


def part(tensors: Tensors, prefix: str) -> Tensors:
    """Return the tensors whose names begin with ``prefix``, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
