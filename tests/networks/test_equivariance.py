"""Padding changes nothing; the order of a robot's parts changes the order of its policy and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from morphnet.networks import Tokens, stack_tokens

KINDS = ("body", "joint", "actuator")
SLOT_KINDS = ("root", "body", "joint", "actuator", "task")


def double(robots):
    return stack_tokens(robots).to(torch.float64)


def generate(networks, robots):
    """Return actors, critics and embeddings of a stack of robots."""
    actor, critic = networks
    batch = double(robots)
    with torch.no_grad():
        return actor(batch), critic(batch, actor.statistics), actor.generator.encoder(batch)


def assert_close(first, second):
    torch.testing.assert_close(first, second, atol=1e-9, rtol=0)


@pytest.mark.parametrize("order", ["first", "last"])
def test_padding_beside_a_bigger_robot_changes_nothing(networks, make_robot, tiny_config, order):
    small, big = make_robot(1, 3, 2), make_robot(2, 6, 5)
    assert small.observation_size < big.observation_size
    row = 0 if order == "first" else 1
    actors, critics, embeddings = generate(networks, [small])
    padded_actors, padded_critics, padded = generate(networks, [small, big] if row == 0 else [big, small])
    for kind, embedding in embeddings.items():
        assert_close(padded[kind][row, : embedding.shape[1]], embedding[0])
    inputs, hidden = small.observation_size, tiny_config.hidden + tiny_config.own * small.action_size
    sizes = (inputs, hidden, hidden, small.action_size)
    for layer in range(3):
        cut = padded_actors.mean.weights[layer][row, : sizes[layer], : sizes[layer + 1]]
        assert_close(cut, actors.mean.weights[layer][0])
        assert_close(padded_actors.mean.biases[layer][row, :, : sizes[layer + 1]], actors.mean.biases[layer][0])
    assert_close(padded_actors.log_std[row, :, : small.action_size], actors.log_std[0])

    observation = torch.randn(2, 4, big.observation_size, dtype=torch.float64)
    own = observation[row, :, :inputs]
    assert_close(padded_actors.mean(observation)[row, :, : small.action_size], actors.mean(own[None])[0])
    assert_close(padded_critics(observation)[row], critics(own[None])[0])
    garbage = observation.clone()
    garbage[row, :, inputs:] = 1e6
    assert_close(padded_actors.mean(garbage)[row, :, : small.action_size], actors.mean(own[None])[0])
    assert_close(padded_critics(garbage)[row], critics(own[None])[0])


def test_padding_changes_nothing_in_single_precision(networks, make_robot):
    actor, critic = (network.float() for network in networks)
    small, big = make_robot(1, 3, 2), make_robot(2, 6, 5)
    alone, beside = stack_tokens([small]), stack_tokens([small, big])
    observation = torch.randn(2, 4, big.observation_size)
    own = observation[:1, :, : small.observation_size]
    with torch.no_grad():
        actions = actor(beside).mean(observation)[:1, :, : small.action_size]
        torch.testing.assert_close(actions, actor(alone).mean(own), atol=1e-6, rtol=0)
        values = critic(beside, actor.statistics)(observation)[:1]
        torch.testing.assert_close(values, critic(alone, actor.statistics)(own), atol=3e-6, rtol=0)


def permuted(robot: Tokens, seed: int) -> tuple[Tokens, dict[str, np.ndarray], np.ndarray]:
    """Return a robot with its parts in another order, the new orders, and the order of its observation.

    ``order[kind][i]`` is the old index of what is now the i-th.
    """
    rng = np.random.default_rng(seed)
    order = {kind: rng.permutation(len(robot.features[kind])) for kind in KINDS}
    now_at = {kind: np.argsort(order[kind]) for kind in KINDS}
    starts = dict(zip(KINDS, np.cumsum([0, *(len(robot.features[k]) for k in KINDS)]), strict=False))
    token_now = np.concatenate([starts[kind] + now_at[kind] for kind in KINDS])
    edges = robot.edges.copy()
    edges[:, :2] = token_now[edges[:, :2]]
    one, seen = np.array([0]), zip(robot.observation_kind, robot.observation_token, strict=True)
    carried = [now_at.get(SLOT_KINDS[kind], one)[token] for kind, token in seen]
    entries = rng.permutation(robot.observation_size)
    features = {kind: robot.features[kind][order[kind]] for kind in KINDS} | {"task": robot.features["task"]}
    return (
        Tokens(
            features,
            edges[rng.permutation(len(edges))],
            int(now_at["body"][robot.root]),
            robot.observation_kind[entries],
            np.array(carried)[entries],
            robot.observation_slot[entries],
            robot.control_step,
        ),
        order,
        entries,
    )


@pytest.mark.parametrize("seed", range(3))
def test_permuting_parts_permutes_the_policy_and_nothing_else(networks, make_robot, tiny_config, seed):
    robot = make_robot(seed, 5, 4)
    other, order, entries = permuted(robot, seed + 10)
    actors, critics, embeddings = generate(networks, [robot])
    moved_actors, moved_critics, moved = generate(networks, [other])
    for kind in KINDS:
        assert_close(moved[kind][0], embeddings[kind][0][order[kind]])
    assert_close(moved["task"], embeddings["task"])

    shared, own = tiny_config.hidden, tiny_config.own
    units = [*range(shared), *(shared + a * own + i for a in order["actuator"] for i in range(own))]
    for mlp, moved_mlp, outputs in (
        (actors.mean, moved_actors.mean, order["actuator"]),
        (critics, moved_critics, np.array([0])),
    ):
        layers = [entries, np.array(units), np.array(units), outputs]
        for layer in range(3):
            expected = mlp.weights[layer][0][np.ix_(layers[layer], layers[layer + 1])]
            assert_close(moved_mlp.weights[layer][0], expected)
            assert_close(moved_mlp.biases[layer][0, 0], mlp.biases[layer][0, 0, layers[layer + 1]])
    assert_close(moved_actors.log_std[0, 0], actors.log_std[0, 0, order["actuator"]])

    observation = torch.randn(1, 7, robot.observation_size, dtype=torch.float64)
    assert_close(moved_actors.mean(observation[..., entries]), actors.mean(observation)[..., order["actuator"]])
    assert_close(moved_critics(observation[..., entries]), critics(observation))


def test_parts_are_told_apart(networks, make_robot, tiny_config):
    """The tests above would pass on a network that gives every token the same weights: it must not."""
    robot = make_robot(0, 5, 4)
    actors, _, _ = generate(networks, [robot])
    first, _, last = (w[0] for w in actors.mean.weights)
    pairs = [(i, j) for i in range(len(first)) for j in range(i) if torch.allclose(first[i], first[j], atol=1e-3)]
    assert not pairs
    columns = last[: tiny_config.hidden].T
    assert min(float((columns[i] - columns[j]).abs().max()) for i in range(4) for j in range(i)) > 1e-3
    assert float(actors.log_std.std()) > 1e-4


def test_an_actuator_reads_the_shared_units_and_its_own(networks, make_robot, tiny_config):
    actors, _, _ = generate(networks, [make_robot(0, 5, 4)])
    lower = actors.mean.weights[2][0][tiny_config.hidden :].view(4, tiny_config.own, 4)
    middle = actors.mean.weights[1][0][tiny_config.hidden :, tiny_config.hidden :]
    middle = middle.view(4, tiny_config.own, 4, tiny_config.own)
    for unit in range(4):
        for actuator in range(4):
            assert bool(lower[unit, :, actuator].any()) == (unit == actuator)
            assert bool(middle[unit, :, actuator].any()) == (unit == actuator)
