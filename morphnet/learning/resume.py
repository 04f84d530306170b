"""The state of a training run in one file, so that a kill at any moment leaves the old state or the new one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from morphnet.errors import CheckpointError
from morphnet.files import atomic_path

if TYPE_CHECKING:
    from morphnet.learning.trainer import Trainer

STATE = "resume.safetensors"
_RECORD = {"config", "bodies", "update", "steps", "seconds", "best", "recent", "resets", "exploration"}


def save_resume(trainer: Trainer) -> None:
    """Write everything that a bit-exact continuation needs: weights, optimiser, simulations, generators."""
    tensors = {f"networks/{name}": tensor for name, tensor in trainer.networks.state_dict().items()}
    for index, group in enumerate(trainer.groups):
        tensors |= {f"reward_scale/{index}/{k}": v for k, v in group.reward_scale.state_dict().items()}
    tensors |= {f"optimizer/{name}": tensor for name, tensor in _optimizer_tensors(trainer.ppo.optimizer).items()}
    tensors["generator"] = trainer.ppo.generator.get_state()
    for index, simulation in enumerate(trainer.simulations):
        tensors |= {f"simulation/{index}/{k}": torch.from_numpy(v) for k, v in simulation.state_dict().items()}
    record = {
        "config": trainer.config.to_dict(),
        "bodies": _bodies(trainer),
        "update": trainer.update,
        "steps": trainer.steps,
        "seconds": trainer.seconds,
        "best": trainer.best,
        "recent": trainer.recent,
        "resets": [simulation.rng_state for simulation in trainer.simulations],
        "exploration": [rng.bit_generator.state for group in trainer.groups for rng in group.rngs],
    }
    with atomic_path(trainer.folder / STATE) as path:
        save_file({k: v.contiguous() for k, v in tensors.items()}, path, metadata={"record": json.dumps(record)})


def load_resume(trainer: Trainer) -> None:
    """Put a trainer back to where the saved state was.

    Raises:
        CheckpointError: no state, a damaged one, or one of other bodies or another configuration.
    """
    path = trainer.folder / STATE
    tensors, record = _read(trainer.folder)
    _check_same(trainer, record, str(path))
    try:
        _restore(trainer, tensors, record)
    except (RuntimeError, KeyError, ValueError, TypeError, IndexError):
        raise CheckpointError(f"{path}: what it holds does not fit this version's networks; start anew") from None


def _restore(trainer: Trainer, tensors: dict[str, Tensor], record: dict[str, Any]) -> None:
    trainer.networks.load_state_dict(_part(tensors, "networks/"))
    for index, group in enumerate(trainer.groups):
        group.reward_scale.load_state_dict(_part(tensors, f"reward_scale/{index}/"))
    _load_optimizer(trainer.ppo.optimizer, _part(tensors, "optimizer/"))
    trainer.ppo.generator.set_state(tensors["generator"])
    for index, simulation in enumerate(trainer.simulations):
        arrays = {name: tensor.numpy() for name, tensor in _part(tensors, f"simulation/{index}/").items()}
        simulation.load_state_dict(arrays)
        simulation.rng_state = record["resets"][index]
    rngs = [rng for group in trainer.groups for rng in group.rngs]
    for rng, state in zip(rngs, record["exploration"], strict=True):
        rng.bit_generator.state = state
    trainer.update, trainer.steps = record["update"], record["steps"]
    trainer.seconds, trainer.best, trainer.recent = record["seconds"], record["best"], record["recent"]


def saved_config(folder: Path) -> dict[str, Any]:
    """Return the configuration that a folder's run was started with."""
    return dict(_read(folder)[1]["config"])


def _read(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
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


def _check_same(trainer: Trainer, record: dict[str, Any], where: str) -> None:
    bodies = _bodies(trainer)
    if record["bodies"] != bodies:
        changed = sorted({body[0] for body in record["bodies"]} ^ {body[0] for body in bodies})
        what = ", ".join(changed) if changed else "an MJCF file or a task changed"
        raise CheckpointError(f"{where}: the run was started on other bodies ({what})")
    ours, theirs = trainer.config.to_dict(), record["config"]
    different = [name for name in ours if ours[name] != theirs.get(name)]
    if different:
        raise CheckpointError(f"{where}: the run was started with another {', '.join(different)}")


def _bodies(trainer: Trainer) -> list[list[Any]]:
    """What a run's bodies are, as JSON gives it back: names, sources and tasks."""
    return [[s.body.name, s.body.source.sha256, s.body.task.to_dict()] for s in trainer.simulations]


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    state = optimizer.state_dict()["state"]
    return {f"{index}/{name}": tensor for index, values in state.items() for name, tensor in values.items()}


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, _, field = name.partition("/")
        state.setdefault(int(index), {})[field] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
