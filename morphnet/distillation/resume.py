"""The state of a distillation, so that it can be taken up again to the bit."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from morphnet.errors import CheckpointError
from morphnet.learning.checkpoint import beginning
from morphnet.learning.resume import (
    STATE,
    described,
    fitting,
    generator_states,
    group_tensors,
    learning_tensors,
    part,
    read_state,
    restore_groups,
    restore_learning,
    write_state,
)
from morphnet.learning.samples import Samples

if TYPE_CHECKING:
    from morphnet.distillation.distiller import Distiller

DISTILLATION = "distillation"


def save_distillation(distiller: Distiller) -> None:
    """Write everything that a bit-exact continuation needs; memories are most of it."""
    tensors = learning_tensors(distiller.networks, distiller.optimizer, distiller.generator)
    tensors |= group_tensors(distiller.groups, "own/") | group_tensors(distiller.guides, "guides/")
    for index, shift in enumerate(distiller.shifts):
        for group, memory in enumerate(shift.memories):
            tensors |= {f"memory/{index}/{group}/{name}": tensor for name, tensor in memory.state_dict().items()}
        for group, samples in enumerate(shift.newest):
            tensors |= {f"newest/{index}/{group}/{name}": tensor for name, tensor in vars(samples).items()}
    record = {
        "stage": DISTILLATION,
        "config": distiller.training.to_dict(),
        "distillation": distiller.config.to_dict(),
        "before": {name: getattr(distiller.before, name) for name in ("updates", "steps", "seconds")},
        "bodies": described(distiller.groups),
        "rounds": distiller.rounds,
        "steps": distiller.steps,
        "seconds": distiller.seconds,
        "recent": distiller.recent,
        "origin": beginning(distiller.origin),
        "own": generator_states(distiller.groups),
        "guides": generator_states(distiller.guides),
    }
    write_state(distiller.folder, tensors, record)


def load_distillation(distiller: Distiller) -> None:
    """Put a distillation back to where the saved state was.

    Raises:
        CheckpointError: no state, a damaged one, or one of other bodies or another configuration.
    """
    tensors, record = read_state(distiller.folder, distiller.groups, distiller.training)
    ours, theirs = distiller.config.to_dict(), record.get("distillation", {})
    different = [name for name in ours if ours[name] != theirs.get(name)]
    if different:
        raise CheckpointError(f"{distiller.folder / STATE}: it was started with another {', '.join(different)}")
    with fitting(distiller.folder):
        restore_learning(distiller.networks, distiller.optimizer, distiller.generator, tensors)
        restore_groups(distiller.groups, tensors, record["own"], "own/")
        restore_groups(distiller.guides, tensors, record["guides"], "guides/")
        for index, shift in enumerate(distiller.shifts):
            for group, memory in enumerate(shift.memories):
                memory.load_state_dict(part(tensors, f"memory/{index}/{group}/"))
            newest = [part(tensors, f"newest/{index}/{group}/") for group in range(len(shift.groups))]
            shift.newest = [Samples(**samples) for samples in newest if samples]
        distiller.before = dataclasses.replace(distiller.before, **record["before"])
        distiller.rounds, distiller.steps = record["rounds"], record["steps"]
        distiller.seconds, distiller.recent = record["seconds"], record["recent"]
        distiller.origin |= record.get("origin", {})
