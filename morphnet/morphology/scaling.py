"""Fixed squashings of physical quantities to order one.

They are functions of the quantity alone, never of a data set: a robot's features do not depend on which other
robots are known.
"""

from collections.abc import Mapping

import numpy as np

from morphnet.morphology.membership import among

LENGTH = 0.5  # m, about a limb
STANDARD_GRAVITY = 9.81  # m/s^2


def length(metres: np.ndarray) -> np.ndarray:
    """Signed lengths: linear for limbs, logarithmic for cranes."""
    return np.arcsinh(metres / LENGTH)


def signed_log(value: np.ndarray, unit: float = 1.0) -> np.ndarray:
    """sign(x) log(1 + |x| / unit): zero stays zero, the sign stays, magnitudes count by their ratio."""
    return np.sign(value) * np.log1p(np.abs(value) / unit)


def log(value: np.ndarray, floor: float, unit: float = 1.0) -> np.ndarray:
    """Half the decimal logarithm of a positive quantity over ``unit``, taken at ``floor`` below it."""
    return 0.5 * np.log10(np.maximum(value, floor) / unit)


def one_hot(values: np.ndarray, choices: Mapping[str, int]) -> dict[str, np.ndarray]:
    """One 0/1 column for each named choice."""
    return {name: (values == choice).astype(float) for name, choice in choices.items()}


def other(values: np.ndarray, choices: Mapping[str, int]) -> np.ndarray:
    """0/1 column of the values that none of the named choices is."""
    return (~among(values, list(choices.values()))).astype(float)


def xyz(prefix: str, vectors: np.ndarray) -> dict[str, np.ndarray]:
    """Three named columns of (n, 3) vectors."""
    return {f"{prefix}_{axis}": vectors[:, i] for i, axis in enumerate("xyz")}


def stack(columns: Mapping[str, np.ndarray], names: tuple[str, ...]) -> np.ndarray:
    """Put named columns of length n side by side in the order of ``names``.

    Returns:
        (n, len(names)) float32.
    """
    if set(columns) != set(names):
        raise KeyError(f"columns without a name or names without a column: {set(columns) ^ set(names)}")
    return np.stack([columns[name] for name in names], axis=1).astype(np.float32)
