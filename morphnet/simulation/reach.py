"""ReachJudge: rewards of bodies that are to reach a goal with their end effector."""

from __future__ import annotations

import numpy as np
from mujoco.batch import Batch

from morphnet.bodies import Body
from morphnet.simulation.compiled import compiled
from morphnet.simulation.judge import Judge, Verdict, has_diverged
from morphnet.simulation.kinematics import Kinematics
from morphnet.simulation.observation import tip_table
from morphnet.simulation.reach_kernel import RULES, SIGNATURE, judge_distances
from morphnet.simulation.reward import ReachReward


class ReachJudge(Judge):
    """Judges as ``Judge`` does, with distances to goals in place of velocities."""

    def __init__(self, body: Body, batch: Batch, kinematics: Kinematics) -> None:
        """Judge ``body``'s task on ``batch``."""
        super().__init__(body, batch, kinematics)
        task = body.task
        rules = np.array([(task.goal_tolerance, task.goal_reward, task.distance_cost)], RULES)
        self._reach_fields = (rules, tip_table(body), kinematics.xpos, kinematics.xmat)
        self._qpos = kinematics.qpos
        self._nowhere, self._none = np.zeros((len(self.age), 2)), np.zeros(len(self.age), np.bool_)
        self._judge_distances = compiled(judge_distances, *SIGNATURE)

    def judge(self, command: np.ndarray, contact: np.ndarray) -> Verdict:
        """Judge the control step that was just made.

        Args:
            command: (n, 3) points to reach.
            contact: (n,) contact costs.
        """
        verdict = super().judge(self._nowhere, contact)
        run, terms = verdict.reward, np.empty((2, len(self.age)))
        diverged = has_diverged(self._warning, self._qpos) if verdict.diverged else self._none
        self._judge_distances(*self._reach_fields, command, diverged, self.returns, terms)
        reward = ReachReward(terms[0], terms[1], run.healthy, run.ctrl, run.contact)
        return Verdict(reward, verdict.terminated, verdict.truncated, verdict.ended, verdict.diverged)
