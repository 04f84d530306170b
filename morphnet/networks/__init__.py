"""Graph encoder, hypernetworks and the perceptrons they generate; torch only."""

from morphnet.networks.actor import StackedActor, StackedMLP, differentiate, exploration_shift
from morphnet.networks.encoder import GraphEncoder
from morphnet.networks.hypernetwork import ActorHypernetwork, CriticHypernetwork
from morphnet.networks.moments import Moments
from morphnet.networks.statistics import ObservationStatistics
from morphnet.networks.tokens import SlotTable, TokenBatch, Tokens, stack_tokens

__all__ = [
    "ActorHypernetwork",
    "CriticHypernetwork",
    "GraphEncoder",
    "Moments",
    "ObservationStatistics",
    "SlotTable",
    "StackedActor",
    "StackedMLP",
    "TokenBatch",
    "Tokens",
    "differentiate",
    "exploration_shift",
    "stack_tokens",
]
