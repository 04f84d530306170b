"""Teachers: what a hypernetwork is to imitate on the bodies of a suite, and on mutants of theirs.

Kin have one expert. What the hypernetwork emits already competes with experts, as their gaits are others.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from morphnet.bodies import Body, Suite
from morphnet.config import TrainConfig
from morphnet.errors import SimulationError
from morphnet.files import make_folder
from morphnet.learning import Progress
from morphnet.policy import Policy
from morphnet.processes import in_processes, tell
from morphnet.specialists.aim import judge
from morphnet.specialists.branches import grow_branches, more_of_branches
from morphnet.specialists.family import FamilyTraining
from morphnet.specialists.family_expert import FAMILY_EXPERT, FamilyExpert
from morphnet.specialists.fleet import expert_folder
from morphnet.specialists.kin import make_mutants
from morphnet.specialists.recipes import train_expert

MARGIN = 0.2
"""Share of a policy's return by which another must be better to take its place: its gait is not the others'."""
WORTH = 0.25
"""Share of the mean return over kin that their expert must reach on a mutant for it to be taught: what has lost the
limb it stands on falls whatever it does, and would only take turns from others."""
WORTH_EPISODES = 3
HOPE = 0.5
"""Share of the emitted policy's return that an expert may lack when half of its steps are done."""


@dataclasses.dataclass(frozen=True)
class Folders:
    """Where policies are kept, a folder each.

    Attributes:
        emitted: what the hypernetwork emits for the bodies; read.
        families: experts of families, a file each, called as the first of the kin; one that is there is not trained
            again.
        teachers: of the bodies.
        mutants: of the mutants, in a folder for each kin, called as the first of them.
    """

    emitted: Path
    families: Path
    teachers: Path
    mutants: Path


def find_teachers(
    suite: Suite,
    kin: Sequence[Sequence[str]],
    folders: Folders,
    config: TrainConfig,
    hear: Callable[[tuple[str, Progress]], None] = lambda _: None,
) -> Generator[Sequence[str], None, None]:
    """Train an expert for every kin, alone or many, and yield their names when their teachers are saved.

    Those of mutants are saved first: where a body's is, theirs are.

    Args:
        suite: the suite.
        kin: names of its bodies, by kin.
        folders: where the emitted policies are, and where teachers go.
        config: steps, mutants, seed, and as many trainings at the same time as threads.
        hear: called with the first name of kin and how far their training is, after every update.

    Raises:
        MorphNetError: a process was killed.
    """
    jobs = [(suite, names, folders, config) for names in sorted(kin, key=len, reverse=True)]
    yield from in_processes(_find, jobs, config.threads, str(folders.teachers), hear)


def _find(suite: Suite, names: Sequence[str], folders: Folders, config: TrainConfig) -> Sequence[str]:
    emitted = [Policy.load(expert_folder(folders.emitted, name)) for name in names]
    bodies = [suite.load(name) for name in names]
    try:
        alone = len(names) == 1
        made = _alone(bodies[0], emitted[0], config) if alone else _shared(bodies, emitted, folders, config)
    except SimulationError:  # a training that breaks the physics of a body leaves no expert
        made = emitted
    if made[0].origin.get("kind") == FAMILY_EXPERT:
        make_folder(expert_folder(folders.mutants, names[0]))  # none of them may have been worth it
    for policy in made[len(names) :]:
        policy.save(expert_folder(expert_folder(folders.mutants, names[0]), policy.body.name))
    for name, policy in zip(names, made, strict=False):
        policy.save(expert_folder(folders.teachers, name))
    return names


def _alone(body: Body, emitted: Policy, config: TrainConfig) -> list[Policy]:
    """Train an expert while there is hope that it beats what is emitted; return the better of the two."""
    merit = judge([emitted], config.seed)
    hopeless = merit - HOPE * abs(merit)

    def report(progress: Progress) -> None:
        tell((body.name, progress))

    expert = train_expert(body, config.expert_steps, config.seed, 1, hopeless=hopeless, report=report)
    return [expert] if is_clearly_better([expert], [emitted], config.seed) else [emitted]


def _shared(bodies: Sequence[Body], emitted: list[Policy], folders: Folders, config: TrainConfig) -> list[Policy]:
    """Return the policies of the kin's expert, of mutants worth it too, unless what is emitted is clearly better."""
    mutants = make_mutants(bodies, config.mutants, config.seed, bodies[0].name)
    expert = _family_expert(bodies, mutants, family_file(folders.families, bodies[0].name), config)
    made = [expert.policy(body) for body in bodies]
    if is_clearly_better(emitted, made, config.seed):
        return emitted
    merit = judge(made, config.seed)
    everyone = [*mutants, *more_of_branches(expert, bodies, mutants, config.seed)]
    return [*made, *worth_teaching([expert.policy(mutant) for mutant in everyone], merit, config.seed)]


def family_file(folder: Path, name: str) -> Path:
    """Return where the expert of kin is kept that are called as the first of them, ``name``."""
    return expert_folder(folder, name).with_suffix(".safetensors")


def _family_expert(bodies: Sequence[Body], mutants: Sequence[Body], path: Path, config: TrainConfig) -> FamilyExpert:
    """Read the expert of kin, or train and save it; the same of its branches."""
    steps, seed = config.family_steps, config.seed

    def report(progress: Progress) -> None:
        tell((bodies[0].name, progress))

    if path.exists():
        expert = FamilyExpert.load(path)
        expert.check(bodies, path)
    else:
        expert = FamilyTraining(bodies, mutants, steps, seed, threads=1).run(report)
        expert.save(path)
    if expert.branches is None:
        expert = grow_branches(expert, bodies, mutants, steps, seed, report)
        expert.save(path)
    return expert


def worth_teaching(mutants: Sequence[Policy], merit: float, seed: int) -> list[Policy]:
    """Return the policies of mutants that reach a share of ``merit``, the mean of their kin.

    Where that is not above 0, shares of it mean nothing, and all are returned that do not break the physics.
    """
    lowest = WORTH * merit if merit > 0.0 else -sys.float_info.max
    return [policy for policy in mutants if judge([policy], seed, WORTH_EPISODES) >= lowest]


def is_clearly_better(challengers: Sequence[Policy], holders: Sequence[Policy], seed: int) -> bool:
    """Whether policies of some bodies have a clearly higher mean return than others of the same."""
    merit, other = judge(holders, seed), judge(challengers, seed)
    return other > (merit + MARGIN * abs(merit) if math.isfinite(merit) else merit)
