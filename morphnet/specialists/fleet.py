"""Experts of many bodies, each trained by a process of its own on one core, kin by one for all of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from morphnet.bodies import Body, Suite
from morphnet.config import TrainConfig
from morphnet.errors import SimulationError
from morphnet.learning import Progress
from morphnet.policy import Policy
from morphnet.processes import in_processes, tell
from morphnet.specialists.aim import TaskAim
from morphnet.specialists.contest import Rounds
from morphnet.specialists.family import FamilyTraining
from morphnet.specialists.kin import make_mutants
from morphnet.specialists.recipes import train_expert

MARGIN = 0.2
"""Share of a rival's return by which an expert must be better to take its place: its gait is not the others'."""
JUDGED = 5
"""Mutants by which a family's snapshots are judged, beside its bodies."""
HOPE = 0.5
"""Share of a rival's return that an expert may lack when half of its steps are done."""


def expert_folder(folder: Path, name: str) -> Path:
    """Return where the expert of a body is kept among those of its suite."""
    return folder / name.replace(":", "_")


def train_experts(
    suite: Suite,
    names: Sequence[str],
    out: Path,
    *,
    steps: int,
    seed: int,
    processes: int,
    rivals: Path | None = None,
) -> Generator[str, None, None]:
    """Train an expert of each body, and yield its name when it is saved.

    Bodies are independent, so one core a body wastes nothing, while two threads on one body wait for each other.

    Args:
        suite: the suite.
        names: its bodies.
        out: a policy folder a body goes here.
        steps: environment steps a body.
        seed: seeds every training.
        processes: trainings at the same time.
        rivals: a folder of other policies of these bodies; where the expert is not clearly better, the rival goes to
            ``out`` in its place.

    Raises:
        MorphNetError: a process was killed.
    """
    jobs = [(suite, name, out, steps, seed, rivals) for name in names]
    yield from in_processes(_train_one, jobs, processes, str(out))


def _train_one(suite: Suite, name: str, out: Path, steps: int, seed: int, rivals: Path | None) -> str:
    body = suite.load(name)
    if rivals is None:
        best = train_expert(body, steps, seed, 1, report=lambda progress: tell((name, progress)))
    else:
        best = _rivalled(Policy.load(expert_folder(rivals, name)), body, steps, seed)
    best.save(expert_folder(out, name))
    return name


def _rivalled(rival: Policy, body: Body, steps: int, seed: int) -> Policy:
    """Train an expert while there is hope that it beats the rival; return the better of the two."""
    merit = TaskAim(body).judge(rival.actor, Rounds().final, seed)
    hopeless = merit - HOPE * abs(merit)
    try:
        expert = train_expert(
            body, steps, seed, 1, hopeless=hopeless, report=lambda progress: tell((body.name, progress))
        )
        return better(expert, rival, seed)
    except SimulationError:  # an expert that breaks the physics of its body is no better
        return rival


def train_families(
    suite: Suite,
    kin: Sequence[Sequence[str]],
    out: Path,
    *,
    config: TrainConfig,
    rivals: Path,
    hear: Callable[[tuple[str, Progress]], None] = lambda _: None,
) -> Generator[Sequence[str], None, None]:
    """Train one expert for all kin, alone or many, and yield their names when the policies of all are saved.

    Policies of the mutants that learn with them are saved too, and first: where a body's is, theirs are.

    Args:
        suite: the suite.
        kin: names of its bodies, by kin; each has an expert of its own.
        out: a policy folder a body goes here, and one a mutant.
        config: steps, mutants, seed, and as many trainings at the same time as threads.
        rivals: a folder of other policies of these bodies; where one is clearly better, it goes to ``out`` instead,
            and so it does where a body without kin has no expert that is clearly better.
        hear: called with the first name of kin and how far its training is, after every update.

    Raises:
        MorphNetError: a process was killed.
    """
    jobs = [(suite, names, out, config, rivals) for names in sorted(kin, key=len, reverse=True)]
    yield from in_processes(_train_kin, jobs, config.threads, str(out), hear)


def _train_kin(suite: Suite, names: Sequence[str], out: Path, config: TrainConfig, rivals: Path) -> Sequence[str]:
    if len(names) == 1:
        _train_one(suite, names[0], out, config.expert_steps, config.seed, rivals)
        return names
    bodies = [suite.load(name) for name in names]
    mutants = make_mutants(bodies, config.mutants, config.seed, f"{names[0]}_mutant")
    judged = [*bodies, *mutants[:JUDGED]]
    training = FamilyTraining([*bodies, *mutants], judged, config.family_steps, config.seed, threads=1)
    expert = training.run(lambda progress: tell((names[0], progress)))
    for body in mutants:
        policy = expert.policy(body)
        policy.origin["family"] = suite.family_of(names[0])
        policy.save(expert_folder(out, body.name))
    for body in bodies:
        rival = Policy.load(expert_folder(rivals, body.name))
        better(rival, expert.policy(body), config.seed).save(expert_folder(out, body.name))
    return names


def better(expert: Policy, rival: Policy, seed: int) -> Policy:
    """Return the expert where its return is clearly higher, and else the rival."""
    merits = [TaskAim(expert.body).judge(policy.actor, Rounds().final, seed) for policy in (expert, rival)]
    return expert if merits[0] > merits[1] + MARGIN * abs(merits[1]) else rival
