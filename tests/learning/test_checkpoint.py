"""Checkpoints: what is saved is what is loaded; damage is one line that names the file; nothing is pickled."""

from __future__ import annotations

import ast
import dataclasses
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import morphnet
from morphnet.bodies import load_body
from morphnet.config import TrainConfig, config_from_dict
from morphnet.embodiment import feature_sizes, tokens_of
from morphnet.errors import CheckpointError
from morphnet.learning.checkpoint import FORMAT, build_networks, load_checkpoint, save_checkpoint
from morphnet.networks import SlotTable, stack_tokens
from morphnet.simulation import SLOTS, Observer

SOURCE = Path(morphnet.__file__).parent
WEIGHTS, CONFIG = "hypernetwork.safetensors", "config.json"


@pytest.fixture
def tokens(robots):
    return [tokens_of(body, Observer(body).layout) for body in robots]


@pytest.fixture
def networks(tokens, tiny):
    made = build_networks(feature_sizes(tokens[0]), tiny)
    statistics = made.actor.statistics
    torch.manual_seed(9)
    statistics.mean.copy_(torch.randn_like(statistics.mean))
    statistics.variance.copy_(torch.rand_like(statistics.variance) + 0.5)
    statistics.count.copy_(torch.randint(1, 10**9, statistics.count.shape))
    return made


@pytest.fixture
def folder(networks, tokens, tiny, tmp_path):
    save_checkpoint(tmp_path / "made" / "here", networks, feature_sizes(tokens[0]), tiny, {"steps": 7})
    return tmp_path / "made" / "here"


def test_actor_and_critic_have_widths_of_their_own(tokens, tiny):
    network = dataclasses.replace(tiny.network, hidden=10, own=2, critic_hidden=5)
    made = build_networks(feature_sizes(tokens[0]), dataclasses.replace(tiny, network=network))
    batch = stack_tokens(tokens)
    own = 2 * batch.action_mask.shape[1]
    critic = made.critic(batch, made.actor.statistics)
    assert made.actor(batch).mean.weights[1].shape[1:] == (10 + own, 10 + own)
    assert critic.weights[1].shape[1:] == (5 + own, 5 + own)


def test_round_trip(networks, tokens, folder, tiny):
    loaded, record = load_checkpoint(folder)
    first, second = networks.state_dict(), loaded.state_dict()
    assert list(first) == list(second)
    for name in first:
        assert first[name].dtype == second[name].dtype
        assert torch.equal(first[name], second[name]), name
    assert record["steps"] == 7
    assert config_from_dict(record["train"], "") == tiny
    batch = stack_tokens(tokens)
    observation = torch.randn(3, 2, batch.entry_mask.shape[1])
    with torch.no_grad():
        assert torch.equal(loaded.actor(batch).mean(observation), networks.actor(batch).mean(observation))
        value = networks.critic(batch, networks.actor.statistics)(observation)
        assert torch.equal(loaded.critic(batch, loaded.actor.statistics)(observation), value)
    assert {path.name for path in folder.iterdir()} == {WEIGHTS, CONFIG}


def test_saving_again_replaces(networks, tokens, folder, tiny):
    with torch.no_grad():
        networks.actor.log_std.base += 1.0
    save_checkpoint(folder, networks, feature_sizes(tokens[0]), tiny, {})
    assert torch.equal(load_checkpoint(folder)[0].actor.log_std.base, networks.actor.log_std.base)
    assert "steps" not in load_checkpoint(folder)[1]


def test_untrained_networks_follow_their_seed(tokens, tiny):
    features = feature_sizes(tokens[0])
    first, second = (build_networks(features, tiny).state_dict() for _ in range(2))
    other = build_networks(features, dataclasses.replace(tiny, seed=1)).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["actor.generator.pool.weight"], other["actor.generator.pool.weight"])


def edit(folder, change):
    record = json.loads((folder / CONFIG).read_text())
    record = change(record) or record
    (folder / CONFIG).write_text(json.dumps(record))


def drop(key):
    return lambda record: record.pop(key) and None


def without_a_tensor(path):
    tensors = load_file(path)
    tensors.pop("actor.log_std.base")
    save_file(tensors, path)


def of_another_shape(path):
    tensors = load_file(path)
    tensors["actor.log_std.base"] = torch.zeros(2)
    save_file(tensors, path)


def rename_slot(record):
    record["slots"]["joint"][0] = "angle"


def narrow(record):
    record["train"]["network"]["hidden"] = 17


FAULTS = {
    "weights missing": (WEIGHTS, lambda f: (f / WEIGHTS).unlink()),
    "weights truncated": (WEIGHTS, lambda f: (f / WEIGHTS).write_bytes((f / WEIGHTS).read_bytes()[:-100])),
    "weights cut in the header": (WEIGHTS, lambda f: (f / WEIGHTS).write_bytes((f / WEIGHTS).read_bytes()[:50])),
    "weights empty": (WEIGHTS, lambda f: (f / WEIGHTS).write_bytes(b"")),
    "weights no safetensors": (WEIGHTS, lambda f: (f / WEIGHTS).write_bytes(b"version https://git-lfs\n" * 9)),
    "tensor missing": (WEIGHTS, lambda f: without_a_tensor(f / WEIGHTS)),
    "tensor of another shape": (WEIGHTS, lambda f: of_another_shape(f / WEIGHTS)),
    "of another run": (WEIGHTS, lambda f: edit(f, narrow)),
    "config missing": (CONFIG, lambda f: (f / CONFIG).unlink()),
    "config truncated": (CONFIG, lambda f: (f / CONFIG).write_text((f / CONFIG).read_text()[:80])),
    "config binary": (CONFIG, lambda f: (f / CONFIG).write_bytes(b"\xff\xfe\x00")),
    "config a list": (CONFIG, lambda f: (f / CONFIG).write_text("[]")),
    "no format": (CONFIG, lambda f: edit(f, drop("format"))),
    "no train": (CONFIG, lambda f: edit(f, drop("train"))),
    "no features": (CONFIG, lambda f: edit(f, drop("features"))),
    "no slots": (CONFIG, lambda f: edit(f, drop("slots"))),
    "older format": (CONFIG, lambda f: edit(f, lambda r: r.update(format=0))),
    "newer format": (CONFIG, lambda f: edit(f, lambda r: r.update(format=99))),
    "another slot": (CONFIG, lambda f: edit(f, rename_slot)),
    "unknown key": (CONFIG, lambda f: edit(f, lambda r: r["train"].update(learning_rat=1.0))),
    "unknown network key": (CONFIG, lambda f: edit(f, lambda r: r["train"]["network"].update(hiden=1))),
    "train a number": (CONFIG, lambda f: edit(f, lambda r: r.update(train=3))),
    "network a number": (CONFIG, lambda f: edit(f, lambda r: r["train"].update(network=3))),
    "features a list": (CONFIG, lambda f: edit(f, lambda r: r.update(features=[1]))),
    "hidden a word": (CONFIG, lambda f: edit(f, lambda r: r["train"]["network"].update(hidden="many"))),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_damage_is_one_line_that_names_the_file(folder, fault):
    name, damage = FAULTS[fault]
    damage(folder)
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(folder)
    message = str(caught.value)
    assert str(folder / name) in message
    assert "\n" not in message


def test_messages_say_what_would_be_right(folder):
    edit(folder, lambda r: r["train"].update(learning_rat=1.0))
    with pytest.raises(CheckpointError, match="learning_rate"):
        load_checkpoint(folder)
    edit(folder, lambda r: r.update(format=99))
    with pytest.raises(CheckpointError, match=rf"99.*reads {FORMAT}\b"):
        load_checkpoint(folder)


def test_no_folder(tmp_path):
    with pytest.raises(CheckpointError, match="nowhere"):
        load_checkpoint(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="file"):
        load_checkpoint(tmp_path / "file")


def test_config_survives_json():
    config = TrainConfig(steps=3, learning_rate=1 / 3)
    assert config_from_dict(json.loads(json.dumps(config.to_dict())), "") == config


def test_nothing_is_pickled():
    """Reading a stranger's checkpoint, policy or demonstrations must not be able to run code."""
    folders = (SOURCE, SOURCE.parent / "envs", SOURCE.parent / "assets")
    sources = [path for folder in folders for path in folder.rglob("*.py")]
    assert len(sources) > 40
    modules = {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not modules & {alias.name.partition(".")[0] for alias in node.names}, path
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").partition(".")[0] not in modules, path
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert (node.value.id, node.attr) not in {("torch", "load"), ("torch", "save")}, path
            elif isinstance(node, ast.keyword):
                assert node.arg not in {"allow_pickle", "weights_only"}, path


# --- checkpoints of versions that knew fewer tasks ----------------------------------------------------------


def older_layout(features):
    """Sizes before there were goals: 14 features of the task, two slots."""
    sizes = {kind: len(names) for kind, names in SLOTS.items()}
    return {**features, "task": 14}, SlotTable({**sizes, "task": 2})


def save_older(folder, networks, features, tiny):
    save_checkpoint(folder, networks, features, tiny, {"steps": 7})
    record = json.loads((folder / CONFIG).read_text())
    record["slots"]["task"] = record["slots"]["task"][:2]
    (folder / CONFIG).write_text(json.dumps(record))


@pytest.fixture
def older(tokens, tiny, tmp_path):
    """A folder of the older layout, and the networks that are in it; their task shift is not zero."""
    features, slots = older_layout(feature_sizes(tokens[0]))
    networks = build_networks(features, tiny, slots)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in (*networks.actor.parameters(), *networks.critic.parameters()):
            parameter += 0.1 * torch.randn(parameter.shape)
        networks.actor.statistics.variance.copy_(torch.rand(slots.total, dtype=torch.float64) + 0.5)
        networks.actor.statistics.mean.copy_(torch.rand(slots.total, dtype=torch.float64))
    save_older(tmp_path / "older", networks, features, tiny)
    return tmp_path / "older", networks


def test_an_older_checkpoint_emits_the_policies_that_it_emitted(older, tokens):
    folder, networks = older
    loaded, record = load_checkpoint(folder)
    known = [dataclasses.replace(t, features={**t.features, "task": t.features["task"][:, :14]}) for t in tokens]
    with torch.no_grad():
        before, after = networks.actor(stack_tokens(known)), loaded.actor(stack_tokens(tokens))
        values = networks.critic(stack_tokens(known), networks.actor.statistics)
        values_after = loaded.critic(stack_tokens(tokens), loaded.actor.statistics)
    pairs = zip((*before.mean.weights, *values.weights), (*after.mean.weights, *values_after.weights), strict=True)
    for one, other in pairs:
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)
    torch.testing.assert_close(before.log_std, after.log_std, rtol=0, atol=1e-6)
    assert record["features"] == feature_sizes(tokens[0])
    assert record["slots"] == {kind: list(names) for kind, names in SLOTS.items()}


def test_an_older_checkpoint_takes_no_notice_of_goals(older):
    folder, _ = older
    body = load_body("flat_arm_2")
    tokens = tokens_of(body, Observer(body).layout)
    loaded, _ = load_checkpoint(folder)
    with torch.no_grad():
        first = loaded.actor(stack_tokens([tokens])).mean.weights[0][0]
    goals = [index for index, name in enumerate(Observer(body).layout.names) if name.startswith("task/")]
    assert len(goals) == 6
    assert not first[goals].any()
    assert first.any(dim=1).sum() == len(first) - 6


def test_what_an_older_checkpoint_lacks_can_be_learnt(older):
    """Zero weights, and not zero gradients."""
    loaded, _ = load_checkpoint(older[0])
    body = load_body("flat_arm_2")
    tokens = tokens_of(body, Observer(body).layout)
    loaded.actor(stack_tokens([tokens])).mean(torch.ones(1, 1, tokens.observation_size)).sum().backward()
    head = loaded.actor.generator.first.shared["task"]
    assert head.base.grad.view(head.shape)[2:].abs().sum() > 0


@pytest.mark.parametrize(
    "spoil",
    [
        lambda slots: {**slots, "task": ["direction_y", "direction_x"]},
        lambda slots: {**slots, "task": []},
        lambda slots: {**slots, "task": [*slots["task"], "speed"]},
        lambda slots: {**slots, "root": slots["root"][:3]},
        lambda slots: list(slots),
    ],
)
def test_slots_that_are_not_the_beginning_of_ours_are_refused(older, spoil):
    folder, _ = older
    record = json.loads((folder / CONFIG).read_text())
    record["slots"] = spoil(record["slots"])
    (folder / CONFIG).write_text(json.dumps(record))
    with pytest.raises(CheckpointError, match="observes other quantities"):
        load_checkpoint(folder)
