"""Writing demonstrations as a Minari dataset that carries its body."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import minari
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.spaces import Box
from minari.data_collector import EpisodeBuffer
from minari.dataset.minari_storage import MinariStorage

from morphnet import __version__
from morphnet.bodies import Body, body_to_dict
from morphnet.demonstrations.demonstration import STATE, Demonstration
from morphnet.demonstrations.observing import observations_of
from morphnet.errors import DemonstrationError
from morphnet.files import atomic_folder
from morphnet.simulation import ControlScale, Observer
from morphnet.simulation.observation_kernel import LIMIT

FORMAT = 1
"""Bumped whenever an older dataset would be read wrongly."""
METADATA, DATA, RECORD = "metadata.json", "main_data.hdf5", "morphnet"


def write_demonstrations(
    folder: str | Path, body: Body, demonstrations: Sequence[Demonstration], demonstrator: str = "unknown"
) -> None:
    """Write a Minari dataset; an older dataset of that name stays until the new one is whole.

    Args:
        folder: the dataset; ``minari.MinariDataset(folder)`` opens it.
        body: the demonstrated body, with the task and the change that it was run with.
        demonstrations: at least one.
        demonstrator: what drove it, for the record.

    Raises:
        DemonstrationError: there are none, or they do not fit the body.
        MorphNetError: the folder holds other things, or cannot be written.
    """
    if not demonstrations:
        raise DemonstrationError(f"{folder}: no demonstrations to write; at least one is needed")
    for index, demonstration in enumerate(demonstrations):
        demonstration.check(body, f"demonstration {index}")
    scale, layout = ControlScale(body.model), Observer(body).layout
    with atomic_folder(Path(folder), (METADATA, DATA)) as temporary:
        storage = MinariStorage.new(
            temporary,
            observation_space=Box(-LIMIT, LIMIT, (layout.size,), np.float32),
            action_space=Box(scale.low.astype(np.float32), scale.high.astype(np.float32), dtype=np.float32),
            env_spec=_environment(body),
        )
        storage.update_metadata(
            {
                "dataset_id": f"morphnet/{re.sub(r'[^A-Za-z0-9_-]', '-', body.name)}-v0",
                "minari_version": minari.__version__,
                "algorithm_name": demonstrator,
                "description": f"Demonstrations of {body.name}" + (f" ({body.change.name})" if body.change else ""),
                "requirements": ["morphnet"],
                RECORD: _record(body, list(layout.names)),
            }
        )
        storage.update_episodes([_episode(body, demonstration) for demonstration in demonstrations])


def _environment(body: Body) -> EnvSpec:
    """Spec of an environment that needs no file: the body is inside it."""
    kind = body.task.kind
    entry_point = f"morphnet.envs.{kind}_env:{kind.capitalize()}Env"
    return EnvSpec(id=f"morphnet/{kind.capitalize()}-v0", entry_point=entry_point, kwargs={"body": body_to_dict(body)})


def _record(body: Body, observation: list[str]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": __version__,
        "body": body_to_dict(body),
        "observation": observation,
        "actuators": list(body.graph.actuator_names),
        "control_step": body.control_step,
    }


def _episode(body: Body, demonstration: Demonstration) -> EpisodeBuffer:
    """Actions are rounded as their space wants them; ``infos`` hold the exact controls and states."""
    ended = np.zeros(len(demonstration), bool)
    terminations, truncations = ended.copy(), ended.copy()
    (terminations if demonstration.terminated else truncations)[-1] = True
    goal = {} if demonstration.goal is None else {"goal": demonstration.goal}
    return EpisodeBuffer(
        # what reset() of the recovered environment takes, to start where this episode did
        options={name.removeprefix("last_"): getattr(demonstration, name)[0] for name in STATE} | goal,
        observations=observations_of(body, demonstration),
        actions=demonstration.ctrl.astype(np.float32),
        rewards=demonstration.reward,
        terminations=terminations,
        truncations=truncations,
        infos={name: getattr(demonstration, name) for name in STATE}
        | {name: np.tile(value, (len(ended) + 1, 1)) for name, value in goal.items()},
    )
