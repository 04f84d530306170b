"""Adaptation: policies made from a few demonstrations."""

from morphnet.adaptation.adapting import adapt, adapt_policies
from morphnet.adaptation.tracking import Following, Tracking

__all__ = ["Following", "Tracking", "adapt", "adapt_policies"]
