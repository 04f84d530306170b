"""Merged moments against NumPy over everything."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from morphnet.networks import Moments

NUMBERS = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20)


def moments(values):
    array = torch.tensor(values, dtype=torch.float64)
    return Moments(torch.tensor(float(len(array))), array.mean(), array.var(unbiased=False))


@given(NUMBERS, NUMBERS)
def test_two_parts_merge_into_the_whole(one, two):
    merged = moments(one).merged(moments(two))
    whole = np.array([*one, *two])
    assert merged.count == len(whole)
    np.testing.assert_allclose(merged.mean, whole.mean(), atol=1e-9)
    np.testing.assert_allclose(merged.variance, whole.var(), atol=1e-6)


def test_what_was_assumed_is_forgotten_with_the_first_numbers():
    assumed = Moments(torch.zeros(()), torch.tensor(7.0), torch.tensor(5.0))
    merged = assumed.merged(moments([1.0, 3.0]))
    assert (merged.count, merged.mean, merged.variance) == (2.0, 2.0, 1.0)
