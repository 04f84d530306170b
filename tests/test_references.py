"""References: scores by hand arithmetic, files that are what the manifest says, and the maker."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import make_references
from morphnet import cli, references, runs
from morphnet.bodies import Change, load_body
from morphnet.errors import CheckpointError, MorphNetError
from morphnet.evaluation import PolicyController, RandomController, evaluate
from morphnet.policy import Policy
from morphnet.references import Reference, add_reference, read_references, reference_policy, rounded, score

MEASURED = {
    "return_mean": 300.0, "return_std": 9.0, "length_mean": 50.0,
    "random_mean": 100.0, "random_std": 40.0, "episodes": 50, "seed": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def made(hypernetwork):
    return rounded(hypernetwork.generate(load_body("hopper")))


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    """References of one body, in place of the shipped ones."""
    add_reference(tmp_path / "references", made, MEASURED)
    monkeypatch.setattr(references, "SHIPPED", tmp_path / "references")
    return tmp_path / "references"


def scored(body, value):
    return score(body, value, read_references())


@pytest.mark.parametrize(("value", "expected"), [(100, 0), (150, 0.25), (300, 1), (320, 1.1), (5000, 1.2), (-5, 0)])
def test_scores_by_hand(folder, value, expected):
    assert scored(load_body("hopper"), value) == (pytest.approx(expected), "")


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.floats(0, 1e3))
def test_scores_lie_in_their_range_and_grow_with_the_return(value, random, gap, more):
    reference = Reference("x", "", {}, "", "", "", random + gap, 0.0, 1.0, random, 0.0, 1, 0, {})
    assert 0 <= reference.score(value) <= reference.score(value + more) <= 1.2


def test_a_reference_must_be_five_deviations_of_random_episodes_above_random(made, folder):
    add_reference(folder, made, {**MEASURED, "random_std": 40.1})
    assert scored(made.body, 150.0)[0] is None
    assert "less than 5 episode standard deviations" in scored(made.body, 150.0)[1]


def test_bodies_that_have_no_score(folder):
    hopper = load_body("hopper")
    assert scored(load_body("walker"), 1.0) == (None, "no reference")
    for other in (
        hopper.with_change(Change(mass=2.0)),
        hopper.with_task(hopper.task.replace(ctrl_cost=0.5)),
    ):
        value, reason = scored(other, 150.0)
        assert value is None
        assert "another task, or without the change" in reason
    assert scored(hopper.with_task(hopper.task.replace(discount=0.9)), 150.0)[0] == 0.25, "no return depends on it"


def test_a_reference_comes_back_as_it_was_measured(made, folder):
    policy = reference_policy(load_body("hopper"))
    for ours, theirs in zip(policy.actor.tensors().values(), made.actor.tensors().values(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == np.float32
    entry = json.loads((folder / "manifest.json").read_text())["bodies"][0]
    file = folder / entry["weights"]
    assert entry["weights_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert entry["body_sha256"] == hashlib.sha256(made.body.source.data).hexdigest()
    assert file.stat().st_size < 0.6 * sum(tensor.nbytes for tensor in made.actor.tensors().values())


def test_references_add_up_and_one_body_has_one(hypernetwork, made, folder):
    add_reference(folder, rounded(hypernetwork.generate(load_body("gymnasium:hopper"))), MEASURED)
    add_reference(folder, made, {**MEASURED, "return_mean": 500.0})
    found = {reference.body: reference for reference in read_references().values()}
    assert list(found) == ["gymnasium:hopper", "hopper"]
    assert found["hopper"].return_mean == 500.0
    assert {path.name for path in folder.iterdir()} == {
        "manifest.json", "hopper.safetensors", "gymnasium_hopper.safetensors",
    }  # fmt: skip


def test_what_cannot_be_used_is_refused(made, folder):
    manifest, weights = folder / "manifest.json", folder / "hopper.safetensors"
    good = manifest.read_text()
    with pytest.raises(CheckpointError, match=r"no reference policy of walker; valid: hopper"):
        reference_policy(load_body("walker"))
    names = hashlib.sha256("\n".join(made.observation_names).encode()).hexdigest()
    manifest.write_text(good.replace(names, "0" * 64))
    with pytest.raises(CheckpointError, match="observes other quantities"):
        reference_policy(made.body)
    manifest.write_text(good)
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(CheckpointError, match="not the file that manifest"):
        reference_policy(made.body)
    for content in ("{}", "[]", '{"format": 1}', '{"format": 1, "bodies": [{"body": "hopper"}]}'):
        manifest.write_text(content)
        with pytest.raises(CheckpointError, match=r"manifest.json: "):
            read_references()
    manifest.unlink()
    assert read_references() == {}


# ---------------------------------------------------------------- the commands


@pytest.fixture
def command(monkeypatch, capfd):
    """Return a function that runs a command and gives what it wrote as JSON, and its standard error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["morphnet", *map(str, arguments), "--json=-"])
        cli.main()
        out, err = capfd.readouterr()
        return json.loads(out), err

    return run


def test_evaluate_reference_and_its_score(made, folder, command):
    report, _ = command("evaluate", "hopper", "--policy=reference", "--episodes=3", "--seed=2")
    expected = float(evaluate(made.body, PolicyController(made), 3, 2).returns.mean())
    row = report["bodies"]["hopper"]
    assert row["return_mean"] == expected
    assert row["score"] == report["mean_score"] == pytest.approx(np.clip((expected - 100) / 200, 0, 1.2))
    assert (report["checkpoint"], report["unscored"]) == ("reference", {})


def test_evaluate_a_suite(folder, command):
    """Means are over what has a score; the others are named."""
    report, err = command("evaluate", "--suite=planar", "--split=train", "--policy=random", "--episodes=1")
    scores = {name: row["score"] for name, row in report["bodies"].items() if row["score"] is not None}
    assert list(scores) == ["hopper"]
    assert report["mean_score"] == scores["hopper"]
    assert set(report["unscored"]) == set(report["bodies"]) - {"hopper"}
    assert "no score, no reference: " in err
    report, _ = command("evaluate", "--suite=planar", "--split=train", "--policy=reference", "--episodes=1")
    assert list(report["bodies"]) == ["hopper"], "bodies without one are left out"


def test_evaluate_under_a_change(made, folder, command, tmp_path):
    (tmp_path / "dead.toml").write_text("[actuators]\nhip = 0.0\n")
    arguments = ["evaluate", "hopper", "--policy=reference", "--episodes=2", "--change", tmp_path / "dead.toml"]
    report, _ = command(*arguments)
    body = made.body.with_change(Change(name="dead", actuators={"hip": 0.0}))
    expected = evaluate(body, PolicyController(Policy(body, made.actor, {})), 2, 0)
    assert report["bodies"]["hopper"]["return_mean"] == expected.returns.mean()
    assert report["bodies"]["hopper"]["return_mean"] != evaluate(made.body, PolicyController(made), 2, 0).returns.mean()
    assert report["mean_score"] is None


def test_record_and_the_rest_take_references(made, folder, command, tmp_path):
    report, _ = command("record", "hopper", "--policy=reference", "--episodes=2", "--out", tmp_path / "set")
    assert report["returns"] == pytest.approx(evaluate(made.body, PolicyController(made), 2, 0).returns)
    policy, source = runs.policy_for(load_body("hopper"), "reference", None)
    assert source == "reference"
    assert policy.origin["kind"] == "reference"


# ---------------------------------------------------------------- the maker


def test_the_maker(tmp_path, monkeypatch):
    """Candidates are trained once, the best of them is shipped, and what is measured can be measured again."""
    out, work = tmp_path / "out", tmp_path / "work"
    plan = make_references.Plan(steps=4096, episodes=3, processes=1)
    common = {"suite": "planar", "names": ("hopper",), "out": out, "work": work, "plan": plan}
    make_references.main(**common)
    assert sorted(path.name for path in (work / "hopper").iterdir()) == ["expert_0_2048", "finetune_1_2048"]
    (reference,) = read_references(out).values()
    body = load_body("hopper")
    policy = reference_policy(body, out)
    for prefix, controller in (
        ("return", PolicyController(policy)),
        ("random", RandomController(body, reference.seed)),
    ):
        result = evaluate(body, controller, 3, reference.seed).returns
        assert getattr(reference, f"{prefix}_mean") == pytest.approx(result.mean())
        assert getattr(reference, f"{prefix}_std") == pytest.approx(result.std())
    candidates = [rounded(Policy.load(path)) for path in (work / "hopper").iterdir()]
    judged = [evaluate(body, PolicyController(c), 20, make_references.CHOICE_SEED).returns.mean() for c in candidates]
    best = candidates[int(np.argmax(judged))]
    np.testing.assert_array_equal(policy.actor.weights[0], best.actor.weights[0])
    assert reference.origin["budget"] == 2048

    before = (out / "manifest.json").read_bytes()
    monkeypatch.setattr(make_references, "train_expert", lambda *_, **__: pytest.fail("trained again"))
    monkeypatch.setattr(make_references, "finetune", lambda *_, **__: pytest.fail("trained again"))
    make_references.main(**common)
    assert (out / "manifest.json").read_bytes() == before
    make_references.main(**common, again=True)
    assert (out / "manifest.json").read_bytes() == before, "nothing better was found"


def test_the_maker_by_the_clock(tmp_path):
    """A training that the clock may end is another one than one without, and says so."""
    body = load_body("hopper")
    plan = make_references.Plan(starts=("expert",), steps=2048, seconds=1e-9, episodes=2, processes=1)
    made = make_references.make(body, plan, tmp_path / "work", tmp_path / "out")
    assert [path.name for path in (tmp_path / "work" / "hopper").iterdir()] == ["expert_0_2048_1e-09s"]
    assert (made.origin["seconds"], made.origin["budget"]) == (1e-9, 2048)
    assert made.origin["steps"] < 2048
    for starts, seconds in ((("expert",), 0.0), (("expert", "finetune"), 5.0)):
        with pytest.raises(MorphNetError, match=r"--seconds .*: above 0, and with --starts expert alone"):
            make_references.Plan(starts=starts, seconds=seconds)


def test_the_maker_goes_on_where_it_was_stopped(tmp_path, monkeypatch):
    body, plan = load_body("hopper"), make_references.Plan(starts=("expert",), steps=2048, episodes=2, processes=1)
    train = make_references.train_expert

    def stopped(*arguments, **options):
        train(*arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(make_references, "train_expert", stopped)
    with pytest.raises(KeyboardInterrupt):
        make_references.make(body, plan, tmp_path / "work", tmp_path / "out")
    assert read_references(tmp_path / "out") == {}
    monkeypatch.setattr(make_references, "train_expert", train)
    assert make_references.make(body, plan, tmp_path / "work", tmp_path / "out").body == "hopper"


def test_a_reference_for_another_task_is_made_again(made, folder):
    known = read_references()
    assert make_references.has_reference(made.body, known)
    assert not make_references.has_reference(load_body("walker"), known)
    other = made.body.with_task(made.body.task.replace(forward_weight=2.0))
    assert not make_references.has_reference(other, known)
    assert dataclasses.replace(known[made.body.source.sha256], task={}).judges(other) is False
