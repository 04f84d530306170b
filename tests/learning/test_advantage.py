"""Advantages and reward scales against hand arithmetic and numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from morphnet.learning.advantage import RewardScale, generalized_advantage

REWARD = torch.tensor([1.0, 2.0, 4.0, 8.0])[:, None]
VALUE = torch.tensor([10.0, 20.0, 30.0, 40.0, 50.0])[:, None]
ENDED = torch.tensor([0.0, 1.0, 0.0, 0.0])[:, None]


def advantages(reward, ended, gae_lambda, discount=0.5):
    return generalized_advantage(reward, VALUE, ended, torch.tensor(discount), gae_lambda)[:, 0].tolist()


def test_hand_arithmetic_with_a_terminated_step():
    # TD errors: 1 + .5*20 - 10 = 1;  2 - 20 = -18 (the end);  4 + .5*40 - 30 = -6;  8 + .5*50 - 40 = -7
    # with lambda .5, so a factor of .25:  1 + .25*-18 = -3.5;  -18;  -6 + .25*-7 = -7.75;  -7
    assert advantages(REWARD, ENDED, 0.5) == [-3.5, -18.0, -7.75, -7.0]


def test_hand_arithmetic_with_a_truncated_step():
    # the episode is cut at the second step in a state worth 100: .5*100 is added to the reward there, so
    # -18 becomes 32, and the first 1 + .25*32 = 9; what comes after is another episode
    reward = REWARD.clone()
    reward[1] += 0.5 * 100.0
    assert advantages(reward, ENDED, 0.5) == [9.0, 32.0, -7.75, -7.0]


def test_lambda_zero_is_the_error_of_one_step():
    assert advantages(REWARD, ENDED, 0.0) == [1.0, -18.0, -6.0, -7.0]


def test_lambda_one_is_the_discounted_return_less_the_value():
    returns = [1 + 0.5 * 2, 2, 4 + 0.5 * 8 + 0.25 * 50, 8 + 0.5 * 50]
    assert advantages(REWARD, ENDED, 1.0) == [r - v for r, v in zip(returns, VALUE[:-1, 0].tolist(), strict=True)]


def test_bodies_and_simulations_do_not_mix():
    torch.manual_seed(0)
    reward, value = torch.randn(6, 2, 3), torch.randn(7, 2, 3)
    ended, discount = (torch.rand(6, 2, 3) < 0.3).float(), torch.tensor([[0.9], [0.5]])
    together = generalized_advantage(reward, value, ended, discount, 0.8)
    for body in range(2):
        for sim in range(3):
            at = (slice(None), body, sim)
            alone = generalized_advantage(reward[at], value[at], ended[at], discount[body, 0], 0.8)
            torch.testing.assert_close(together[at], alone)


@pytest.mark.parametrize("lengths", [(30,), (1, 7, 22)])
def test_reward_scale_is_the_deviation_of_running_discounted_returns(lengths):
    rng = np.random.default_rng(0)
    discounts = np.array([0.9, 0.5])
    reward = rng.normal(2.0, 3.0, (30, 2, 4)).astype(np.float32)
    ended = (rng.random((30, 2, 4)) < 0.2).astype(np.float32)
    scale = RewardScale(torch.tensor(discounts)[:, None], 4)
    start = 0
    for length in lengths:
        part = slice(start, start + length)
        latest = scale.update(torch.from_numpy(reward[part]), torch.from_numpy(ended[part]))
        start += length
    for body in range(2):
        returns = []
        for sim in range(4):
            running = 0.0
            for t in range(30):
                running = running * discounts[body] + float(reward[t, body, sim])
                returns.append(running)
                running = 0.0 if ended[t, body, sim] else running
        assert latest[body, 0] == pytest.approx(np.std(returns), rel=1e-5)


def test_reward_scale_continues_from_its_state():
    torch.manual_seed(0)
    first, second = RewardScale(torch.full((1, 1), 0.9).double(), 2), RewardScale(torch.full((1, 1), 0.9).double(), 2)
    first.update(torch.randn(5, 1, 2), torch.zeros(5, 1, 2))
    second.load_state_dict({name: tensor.clone() for name, tensor in first.state_dict().items()})
    reward, ended = torch.randn(5, 1, 2), torch.zeros(5, 1, 2)
    assert torch.equal(first.update(reward, ended), second.update(reward, ended))
