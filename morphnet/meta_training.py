"""Meta-training from beginning to end: PPO through the hypernetwork, experts, and their distillation.

PPO through the hypernetwork finds gaits that bodies share, but a gradient step through it costs as much as dozens on
plain weights. So experts go on where that is cheap, one for all kin, as experts that are trained apart have gaits of
their own, with nothing in between. The hypernetwork then imitates them on the bodies of the suite and on mutants of
theirs. A run is one folder; whatever stops it, it goes on from there.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from morphnet.bodies import Body, Suite
from morphnet.config import DistillConfig, TrainConfig
from morphnet.distillation import Before, Distiller, Teacher
from morphnet.distillation.resume import DISTILLATION
from morphnet.distillation.shift import memory_each, most_at_once, steps_each
from morphnet.errors import CheckpointError
from morphnet.files import make_folder
from morphnet.hypernetwork import Hypernetwork
from morphnet.learning import Progress, Trainer
from morphnet.learning.checkpoint import Networks
from morphnet.learning.resume import save_resume, saved_stage
from morphnet.morphology.twins import has_twins
from morphnet.policy import RECORD, Policy
from morphnet.specialists import expert_folder, kin_of
from morphnet.specialists.family_expert import FAMILY_EXPERT, FamilyExpert
from morphnet.specialists.progress import ExpertsProgress
from morphnet.specialists.teachers import Folders, family_file, find_teachers

EMITTED, FAMILIES, TEACHERS, MUTANTS = "emitted", "families", "teachers", "mutants"
"""Folders of a run: what the hypernetwork emitted after PPO, a policy a body; experts of families; and what is taught
after that, on the bodies and on mutants of theirs."""

GOING_ON = 0.5
"""Share of the usual learning rate at which a trained hypernetwork is taught on: its loss stays near where it was."""


class MetaTraining:
    """One training of a suite, in up to three stages."""

    def __init__(
        self,
        suite: Suite,
        config: TrainConfig,
        folder: Path,
        origin: dict[str, Any],
        report: Callable[[Progress], None],
        start: Networks | None = None,
    ) -> None:
        """Prepare; nothing is written yet.

        Args:
            suite: its training split is trained on.
            config: hyperparameters.
            folder: the run's folder.
            origin: what the bodies are, for the checkpoint's record.
            report: called after every update, those of experts included.
            start: the hypernetworks to go on from; new ones when None.
        """
        self.suite, self.config, self.folder, self.origin, self._report = suite, config, folder, origin, report
        families = suite.families("train")
        self.bodies = [(family, suite.load(name)) for family, names in families.items() for name in names]
        self.trainer = Trainer(self.bodies, config, folder, origin, start)
        with_expert = [(family, body) for family, body in self.bodies if not has_twins(body.graph)]
        self._kin_bodies = [
            kin for family in families for kin in kin_of([body for of, body in with_expert if of == family])
        ]
        self.kin = [[body.name for body in kin] for kin in self._kin_bodies]

    def run(self, resume: bool = False, minutes: float | None = None) -> dict[str, Any]:
        """Train until everything is done or the time is up; return steps, seconds, returns and how many diverged.

        Args:
            resume: continue the folder's run.
            minutes: stop after this much wall-clock; schedules follow steps all the same.

        Raises:
            KeyboardInterrupt: stopped by Ctrl-C; all that was done is kept.
        """
        self._check_families()
        self._check_teachers()
        deadline = None if minutes is None else time.monotonic() + 60 * minutes
        taught = resume and saved_stage(self.folder) == DISTILLATION
        if taught:
            self._check_complete()
        elif not self._reach_teachers(resume, minutes, deadline):
            return _summary(self.trainer, self.trainer.steps, self.trainer.seconds)
        distiller = self._distiller()
        distiller.run(resume=taught, minutes=_left(deadline), report=self._report)
        before = distiller.before
        return _summary(distiller, before.steps + distiller.steps, before.seconds + distiller.seconds)

    def _check_families(self) -> None:
        """Refuse experts of other bodies at once, not after hours."""
        for bodies in self._kin_bodies:
            path = family_file(self.folder / FAMILIES, bodies[0].name)
            if len(bodies) > 1 and path.exists():
                FamilyExpert.load(path).check(bodies, path)

    def _check_complete(self) -> None:
        for body in self._missing():
            raise CheckpointError(f"{self._teacher(body)}: the teacher of {body.name} is missing; start anew")

    def _check_teachers(self) -> None:
        """The same of teachers that are there, and of kin whose mutants are not: who copies one copies the other."""
        missing = {body.name for body in self._missing()}
        for _, body in self.bodies:
            if body.name not in missing and Policy.load(self._teacher(body)).body.identity != body.identity:
                raise CheckpointError(f"{self._teacher(body)}: the teacher of another version or task of {body.name}")
        for names in self.kin:
            if missing & {*names}:
                continue
            folder = expert_folder(self.folder / MUTANTS, names[0])
            kind = Policy.load(expert_folder(self.folder / TEACHERS, names[0])).origin.get("kind")
            if kind == FAMILY_EXPERT and not folder.is_dir() and self.config.mutants:
                raise CheckpointError(f"{folder}: the mutants that go with the teacher of {names[0]} are missing")

    def _reach_teachers(self, resume: bool, minutes: float | None, deadline: float | None) -> bool:
        """Train by PPO and find the teachers; return whether there is time, and need, to distil them."""
        trainer = self.trainer
        trainer.run(resume=resume, minutes=minutes, report=self._report)
        if trainer.steps < self.config.steps or self.config.expert_steps == 0 or _left(deadline) == 0.0:
            return False
        self._find_teachers(deadline)
        return not self._missing() and _left(deadline) != 0.0

    def _missing(self) -> list[Body]:
        """Bodies that no teacher has been chosen for."""
        return [body for _, body in self.bodies if not (self._teacher(body) / RECORD).exists()]

    def _teacher(self, body: Body) -> Path:
        return expert_folder(self.folder / TEACHERS, body.name)

    def _find_teachers(self, deadline: float | None) -> None:
        """Choose the teacher of every body that has none: an expert, or what the hypernetwork emits already.

        Whether the time is up is asked when an expert is done; others that are in training then begin anew next time.
        """
        missing = {body.name for body in self._missing()}
        if missing:
            self._emit(missing)
        kin = [names for names in self.kin if missing & {*names}]
        if not kin:
            return
        trained = [names for names in kin if not family_file(self.folder / FAMILIES, names[0]).exists()]
        progress = ExpertsProgress({names[0]: self._expert_steps([names]) for names in trained}, self._report)
        trainer, before = self.trainer, self.trainer.seconds
        folders = Folders(*(self.folder / name for name in (EMITTED, FAMILIES, TEACHERS, MUTANTS)))
        with contextlib.closing(find_teachers(self.suite, kin, folders, self.config, progress.hear)) as done:
            for names in done:
                progress.end(names[0])
                trainer.seconds = before + progress.seconds
                save_resume(trainer)
                if _left(deadline) == 0.0:
                    return

    def _emit(self, missing: set[str]) -> None:
        """Save what is emitted for all bodies, and as the teacher of those that can have no expert."""
        for name in (EMITTED, FAMILIES, TEACHERS, MUTANTS):
            make_folder(self.folder / name)
        with_expert = {name for names in self.kin for name in names}
        # of all bodies, as the others of a batch move the last bits
        for policy in Hypernetwork.load(self.folder).generate_all([body for _, body in self.bodies]):
            policy.save(expert_folder(self.folder / EMITTED, policy.body.name))
            if policy.body.name in missing - with_expert:
                policy.save(self._teacher(policy.body))

    def _expert_steps(self, kin: Sequence[Sequence[str]]) -> int:
        """Environment steps of the experts of ``kin``, at most; a family's branches may take as many as itself."""
        return sum(self.config.expert_steps if len(names) == 1 else 2 * self.config.family_steps for names in kin)

    def _distiller(self) -> Distiller:
        config, trainer, teachers = self.config, self.trainer, self._teachers()
        at_once = most_at_once(len(self.bodies), sum(teacher.mutant for teacher in teachers))
        distill = DistillConfig(
            steps=config.distill_steps,
            seed=config.seed,
            save_every=config.save_every,
            threads=config.threads,
            network=config.network,
            bodies_at_once=at_once,
            batch=steps_each(at_once),
            memory=memory_each(at_once),
            learning_rate=DistillConfig().learning_rate * (GOING_ON if self.origin.get("start") else 1.0),
        )
        before = Before(config, trainer.update, trainer.steps + self._expert_steps(self.kin), trainer.seconds)
        return Distiller(teachers, distill, self.folder, self.origin, trainer.networks, before)

    def _teachers(self) -> list[Teacher]:
        """Return what is taught: the suite's bodies, and after them the mutants."""
        many = [names for names in self.kin if len(names) > 1]
        families = {body.name: family for family, body in self.bodies}
        teachers = []
        for family, body in self.bodies:
            policy = Policy.load(self._teacher(body))
            teachers.append(Teacher(family, Policy(body, policy.actor, policy.origin)))
        for names in many:
            folder = expert_folder(self.folder / MUTANTS, names[0])
            mutants = sorted(folder.iterdir()) if folder.is_dir() else []  # none where kin kept what was emitted
            teachers += [Teacher(families[names[0]], Policy.load(mutant), mutant=True) for mutant in mutants]
        return teachers


def _summary(stage: Trainer | Distiller, steps: int, seconds: float) -> dict[str, Any]:
    return {"steps": steps, "seconds": seconds, "diverged": stage.diverged, "returns": stage.body_returns()}


def _left(deadline: float | None) -> float | None:
    """Minutes until a deadline."""
    return None if deadline is None else max(deadline - time.monotonic(), 0.0) / 60
