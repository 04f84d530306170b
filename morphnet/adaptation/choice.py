"""Choice: which candidate is taken where nothing may be simulated."""

from __future__ import annotations

from collections.abc import Sequence

from morphnet.adaptation.candidates import CLONES, HALF_WAY, Candidate

SAME_GAIT = 0.3
"""An emitted actor that explains this share of the demonstrated actions moves as the demonstrator does."""
CLONED_WELL = 0.995
"""A clone that explains less than this of what it has not seen falls behind a start of the same gait."""


def choose_offline(candidates: Sequence[Candidate], starts: Sequence[str]) -> tuple[Candidate, str]:
    """Choose by what candidates explain of the held-out demonstrated actions.

    How well single actions are imitated does not tell whether an actor can undo its own errors. Emitted actors have
    learnt to, and are left with care: where one moves as the demonstrator does, and clones are not nearly perfect, it
    is only moved half-way.

    Args:
        candidates: as ``make_candidates`` makes them.
        starts: names of those that were emitted.

    Returns:
        The chosen one, and why.
    """
    # the clone without noise explains most, and nothing here would tell that it cannot undo its errors
    noisy = {name for name, how in CLONES.items() if how.noise}
    clone = max((c for c in candidates if c.name in noisy), key=lambda c: c.explained)
    start = max((c for c in candidates if c.name in starts), key=lambda c: c.explained)
    share = f"{start.name} explains {max(start.explained, 0.0):.0%} of the demonstrated actions"
    if start.explained < SAME_GAIT:
        return clone, f"{share}: another gait"
    if clone.explained >= CLONED_WELL:
        return clone, f"it explains {clone.explained:.1%} of demonstrated actions that it has not seen"
    (moved,) = (c for c in candidates if c.name == f"{start.name}, {HALF_WAY}")
    return moved, f"{share}: the same gait"
