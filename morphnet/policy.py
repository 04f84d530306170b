"""Policy: one robot's own small network, as a user holds it."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import torch
from safetensors.numpy import load_file, save_file

from morphnet import __version__
from morphnet.bodies import Body, Task, make_body, read_mjcf, task_from_dict
from morphnet.errors import CheckpointError, TaskError
from morphnet.files import atomic_path, make_folder, read_json, write_bytes, write_json
from morphnet.networks import StackedActor, StackedMLP
from morphnet.simulation import ControlScale, Kinematics, Observer, update_kinematics

FORMAT = 1
WEIGHTS, RECORD = "policy.safetensors", "policy.json"
_RECORD = {"body", "task", "observation", "origin"}
_LAYERS = ("hidden1", "hidden2", "output")


@dataclasses.dataclass(frozen=True)
class ActorWeights:
    """A dense actor: observation (D,) to mean action (nu,), two hidden tanh layers of H units.

    Attributes:
        weights: (H, D), (H, H), (nu, H), float32, as in ``torch.nn.Linear``.
        biases: (H,), (H,), (nu,), float32.
        log_std: (nu,), float32, logarithm of the exploration noise that training used.
    """

    weights: tuple[np.ndarray, np.ndarray, np.ndarray]
    biases: tuple[np.ndarray, np.ndarray, np.ndarray]
    log_std: np.ndarray

    @classmethod
    def of_stack(
        cls, actors: StackedActor, index: int, observation_size: int, hidden_size: int, action_size: int
    ) -> ActorWeights:
        """Cut one robot's actor out of a padded stack, whose padding comes last in every layer."""
        first, second, third = (_array(w[index]) for w in actors.mean.weights)
        one, two, three = (_array(b[index, 0]) for b in actors.mean.biases)
        weights = (
            first[:observation_size, :hidden_size].T,
            second[:hidden_size, :hidden_size].T,
            third[:hidden_size, :action_size].T,
        )
        log_std = _array(actors.log_std[index, 0])[:action_size]
        cut = [np.ascontiguousarray(w) for w in weights]
        biases = (one[:hidden_size], two[:hidden_size], three[:action_size])
        return cls((cut[0], cut[1], cut[2]), biases, log_std)

    @classmethod
    def stack(cls, actors: Sequence[ActorWeights]) -> StackedActor:
        """Return many robots' actors as one stack, padded by zeros to the largest; the opposite of ``of_stack``."""
        layers = [
            [_padded([a.weights[k].T for a in actors]), _padded([a.biases[k][None] for a in actors])] for k in range(3)
        ]
        (first, one), (second, two), (third, three) = layers
        log_std = _padded([a.log_std[None] for a in actors])
        mask = _padded([np.ones_like(a.log_std[None]) for a in actors])
        return StackedActor(StackedMLP((first, second, third), (one, two, three)), log_std, mask)

    def fits(self, observation_size: int, action_size: int) -> bool:
        """Whether the layers fit each other and a robot, and all weights are numbers."""
        first, second = self.weights[0].shape[:1], self.weights[1].shape[:1]
        sizes = (observation_size, *first, *second, action_size)
        shapes = [part.shape for part in (*self.weights, *self.biases, self.log_std)]
        expected = [
            *((outputs, inputs) for inputs, outputs in itertools.pairwise(sizes)),
            *((outputs,) for outputs in sizes[1:]),
            (action_size,),
        ]
        return shapes == expected and all(
            np.isfinite(part).all() for part in (*self.weights, *self.biases, self.log_std)
        )

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the weights by the names under which files hold them."""
        tensors = {f"{layer}.weight": w for layer, w in zip(_LAYERS, self.weights, strict=True)}
        tensors |= {f"{layer}.bias": b for layer, b in zip(_LAYERS, self.biases, strict=True)}
        return {**tensors, "log_std": self.log_std}

    def mean(self, observation: np.ndarray) -> np.ndarray:
        """Mean action for observations (..., D), in [-1, 1] once clipped."""
        hidden = np.tanh(observation @ self.weights[0].T + self.biases[0])
        hidden = np.tanh(hidden @ self.weights[1].T + self.biases[1])
        return np.asarray(hidden @ self.weights[2].T + self.biases[2])


def _padded(matrices: Sequence[np.ndarray]) -> torch.Tensor:
    """Stack matrices, padded by zeros to the largest."""
    rows, columns = (max(matrix.shape[axis] for matrix in matrices) for axis in (0, 1))
    return torch.from_numpy(np.stack([np.pad(m, ((0, rows - len(m)), (0, columns - m.shape[1]))) for m in matrices]))


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().to(torch.float32).numpy().copy()


class Policy:
    """A policy made to one body's measure.

    Attributes:
        body: the body it drives, with the task it was made for.
        actor: its network.
        origin: what it was made from, for its record.
    """

    def __init__(
        self, body: Body, actor: ActorWeights, origin: dict[str, Any], observer: Observer | None = None
    ) -> None:
        """Wrap an actor for a body; ``observer`` is the body's own, where one is at hand already."""
        self.body, self.actor, self.origin = body, actor, origin
        self._observer = observer or Observer(body)
        self._controls = ControlScale(body.model)
        self._only = np.zeros(1, np.int64)

    @functools.cached_property
    def _scratch(self) -> tuple[mujoco.MjData, Kinematics]:
        """Room to observe in; a policy that is only generated, saved or exported needs none."""
        data = mujoco.MjData(self.body.model)
        return data, Kinematics.of_data(data)

    @property
    def observation_names(self) -> tuple[str, ...]:
        """What each entry of an observation is."""
        return self._observer.layout.names

    def observe(self, data: mujoco.MjData, task: Task | None = None) -> np.ndarray:
        """Observation (D,) float32 at the state and last control in ``data``, which is only read.

        Args:
            data: simulation state of this body's model, or of an equal one.
            task: what is wanted; the body's own task when None.

        Raises:
            TaskError: the task is of another kind than the policy's, or is to reach no goal in particular.
        """
        scratch, own = self._scratch
        own.qpos[0], own.qvel[0], own.act[0], own.ctrl[0] = data.qpos, data.qvel, data.act, data.ctrl
        update_kinematics(self.body.model, scratch)
        return self._observer.observe(own, self._command(task), sims=self._only)[0]

    def _command(self, task: Task | None) -> np.ndarray:
        """What a task wants, as one row."""
        wanted = self.body.task if task is None else task
        if wanted.kind != self.body.task.kind:
            raise TaskError(f"{self.body.name}: a policy to {self.body.task.kind}; the task given is to {wanted.kind}")
        if wanted.command is None:
            raise TaskError(f"{self.body.name}: no goal; give one: act(data, task=body.task.replace(goal=(x, y, z)))")
        return np.array([wanted.command])

    def act(self, data: mujoco.MjData, task: Task | None = None) -> np.ndarray:
        """Control for the next control step.

        Args:
            data: simulation state of this body; ``data.ctrl`` is taken as the last control. Only read.
            task: what is wanted; the body's own task when None. A policy that reaches needs a ``goal`` in one or the
                other: ``body.task.replace(goal=(x, y, z))``, in the world (m).

        Returns:
            (nu,) float64 ctrl in MuJoCo's units, within the control range. Apply it for
            ``body.frame_skip`` physics steps.
        """
        return self._controls.to_ctrl(self.actor.mean(self.observe(data, task)))

    def save(self, folder: str | Path) -> None:
        """Write the policy folder: weights, record and the body's source."""
        folder = Path(folder)
        make_folder(folder)
        body_file = f"body{self.body.source.suffix}"
        write_bytes(folder / body_file, self.body.source.data)
        with atomic_path(folder / WEIGHTS) as path:
            save_file(self.actor.tensors(), path)
        write_json(folder / RECORD, self._record(body_file))

    def _record(self, body_file: str) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "version": __version__,
            "body": {"name": self.body.name, "file": body_file, "sha256": self.body.source.sha256},
            "actor": {"layers": [list(w.shape) for w in self.actor.weights], "activation": "tanh"},
            "observation": list(self.observation_names),
            "actuators": list(self.body.graph.actuator_names),
            "control_step": self.body.control_step,
            "task": self.body.task.to_dict(),
            "origin": self.origin,
        }

    @classmethod
    def load(cls, folder: str | Path) -> Policy:
        """Read a policy folder.

        Raises:
            CheckpointError: missing, damaged, or made for other observations than this version's.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise CheckpointError(f"{folder}: no such policy folder")
        record = read_json(folder / RECORD, CheckpointError)
        if not isinstance(record, dict) or record.get("format") != FORMAT or not set(record) >= _RECORD:
            raise CheckpointError(f"{folder / RECORD}: not a policy of format {FORMAT}, the one this version reads")
        body = _read_body(folder, record)
        actor = read_actor(folder / WEIGHTS)
        policy = cls(body, actor, record["origin"])
        if not actor.fits(policy._observer.size, body.model.nu):
            raise CheckpointError(f"{folder / WEIGHTS}: not the weights of {body.name}, or damaged")
        if list(policy.observation_names) != record["observation"]:
            raise CheckpointError(
                f"{folder / RECORD}: it observes other quantities than this version does; generate it again"
            )
        return policy


def _read_body(folder: Path, record: dict[str, Any]) -> Body:
    where = folder / RECORD
    if not isinstance(record["body"], dict) or not set(record["body"]) >= {"name", "file", "sha256"}:
        raise CheckpointError(f"{where}: body = {record['body']!r}: expected name, file and sha256")
    file = record["body"]["file"]
    if not isinstance(file, str) or Path(file).name != file:
        raise CheckpointError(f"{where}: file = {file!r}: expected the name of a file beside it")
    if not isinstance(record["task"], dict):
        raise CheckpointError(f"{where}: task = {record['task']!r}: expected an object")
    model, source = read_mjcf(folder / file, add_floor=False)
    if source.sha256 != record["body"]["sha256"]:
        raise CheckpointError(f"{folder / file}: not the body that the policy was made for")
    return make_body(record["body"]["name"], model, source, task_from_dict(record["task"], str(where)))


def read_actor(path: Path) -> ActorWeights:
    """Read the weights of an actor from a safetensors file, as float32.

    Raises:
        CheckpointError: missing or damaged.
    """
    try:
        tensors = load_file(path)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file") from None
    except Exception as error:  # safetensors' numpy reader raises its own and plain exceptions alike
        raise CheckpointError(f"{path}: damaged or not a safetensors file ({error})") from None
    return actor_of(tensors, path)


def actor_of(tensors: dict[str, np.ndarray], path: Path) -> ActorWeights:
    """Build an actor of the tensors that were read from ``path``, as float32.

    Raises:
        CheckpointError: one is missing.
    """
    try:
        layers = [
            tuple(tensors[f"{layer}.{part}"].astype(np.float32, copy=False) for layer in _LAYERS)
            for part in ("weight", "bias")
        ]
        (one, two, three), (first, second, third) = layers
        log_std = tensors["log_std"].astype(np.float32, copy=False)
    except KeyError as error:
        raise CheckpointError(f"{path}: tensor {error} is missing") from None
    return ActorWeights((one, two, three), (first, second, third), log_std)
