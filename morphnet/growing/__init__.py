"""Growing: random bodies from nothing, and mutants of any body, in memory and as suites on disk."""

from morphnet.growing.grow import grow_body
from morphnet.growing.mutate import mutate_body

__all__ = ["grow_body", "mutate_body"]
