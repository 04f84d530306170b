"""``morphnet experts`` and ``morphnet distill`` as users meet them."""

from __future__ import annotations

import json

from small_robots import TINY

from morphnet.policy import Policy

NETWORK = [flag for flag in TINY if flag.split("=")[0] in ("--hidden", "--own", "--width", "--depth", "--heads")]
SHORT = ["--steps=128", "--num-sims=2", "--horizon=16", "--gradient-steps=2", "--threads=1", *NETWORK]


def test_experts_then_one_hypernetwork(morphnet_command, refused, small_suite, tmp_path):
    experts, out = tmp_path / "experts", tmp_path / "distilled"
    command = ["experts", "--bodies", small_suite, "--out", experts, "--steps=1024", "--threads=1", "--json=-"]
    first = morphnet_command(*command)
    assert first.code == 0, first.err
    assert list(first.json["bodies"]) == ["puck"], "held-out bodies are not trained on"
    made = (experts / "puck" / "policy.safetensors").read_bytes()
    assert Policy.load(experts / "puck").origin["kind"] == "expert"
    # what is there is left alone
    assert morphnet_command(*command).json == first.json
    assert (experts / "puck" / "policy.safetensors").read_bytes() == made

    command = ["distill", "--bodies", small_suite, "--experts", experts, *SHORT]
    outcome = morphnet_command(*command, "--out", out, "--json=-")
    assert outcome.code == 0, outcome.err
    assert outcome.json["steps"] == 128
    record = json.loads((out / "config.json").read_text())
    assert record["body_names"] == ["puck"]
    assert record["distillation"]["gradient_steps"] == 2
    assert morphnet_command("evaluate", "--bodies", small_suite, "--checkpoint", out, "--episodes=1").code == 0
    assert str(out) in refused(*command, "--out", out)
    assert morphnet_command(*command, "--out", tmp_path / "further", "--checkpoint", out).code == 0
    # the checkpoint's sizes, not the flags', are those of what goes on from it
    sizes = [flag for flag in SHORT if flag not in NETWORK]
    command = ["distill", "--bodies", small_suite, "--experts", experts, *sizes]
    assert morphnet_command(*command, "--out", tmp_path / "third", "--checkpoint", out).code == 0
    third = ["evaluate", "--bodies", small_suite, "--checkpoint", tmp_path / "third", "--episodes=1"]
    assert morphnet_command(*third).code == 0


def test_a_missing_expert_is_named_before_anything_is_written(refused, small_suite, tmp_path):
    out = tmp_path / "distilled"
    line = refused("distill", "--bodies", small_suite, "--experts", tmp_path / "none", "--out", out, *SHORT)
    assert "no expert of puck" in line
    assert "morphnet experts" in line
    assert not out.exists()


def test_wrong_numbers(refused, small_suite, tmp_path):
    command = ["experts", "--bodies", small_suite, "--out", tmp_path]
    assert "--steps" in refused(*command, "--steps=0")
    assert "--threads" in refused(*command, "--threads=0")
    assert "memory" in refused(
        "distill", "--bodies", small_suite, "--experts", tmp_path, "--out", tmp_path, "--memory=4"
    )
