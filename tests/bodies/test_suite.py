"""Suites: the shipped ones, folders as suites, and what is said of a faulty split."""

import json
import math

import numpy as np
import pytest

from morphnet.bodies import load_body, load_suite, suite_from_folder, suite_names
from morphnet.errors import BodyError, MorphNetError, SuiteError, TaskError

ROBOT = """<mujoco><worldbody><geom type="plane" size="0 0 1"/><body pos="0 0 .5"><freejoint/><geom size=".1"/>
  <body pos=".1 0 0"><joint name="j" axis="0 1 0"/><geom size=".1" pos=".1 0 0"/></body></body></worldbody>
  <actuator><motor joint="j"/></actuator></mujoco>"""


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("walker", "walker_short", "runner"):
        (folder / f"{name}.xml").write_text(ROBOT)
    return folder


def write_splits(folder, content):
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / "splits.json").write_text(text)


# --- shipped suites -----------------------------------------------------------------------------------------


def test_the_shipped_suites():
    assert suite_names() == ["arms", "creatures", "legged", "planar"]


@pytest.mark.parametrize("name", ["arms", "creatures", "planar", "legged"])
def test_a_shipped_suite(name):
    suite = load_suite(name)
    train, held_out = suite.names("train"), suite.names("held_out")
    assert suite.name == name
    assert len(train) > len(held_out) > 0
    assert not set(train) & set(held_out)
    assert set(suite.families("held_out")) <= set(suite.families("train"))
    for body in (suite.load(train[0]), suite.load(held_out[-1]), *map(suite.load, (n for n in train if ":" in n))):
        assert body.name in train + held_out
        assert body.model.nu > 0
        # the task is the one that the same body has wherever it is loaded from
        assert body.task == load_body(body.name).task


def test_suites_taken_together():
    together = load_suite("planar+arms")
    assert together.name == "planar+arms"
    for split in ("train", "held_out"):
        assert together.families(split) == load_suite("planar").families(split) | load_suite("arms").families(split)
        assert together.names(split) == load_suite("planar").names(split) + load_suite("arms").names(split)
    for name in ("hopper", "flat_arm_2", "gymnasium:hopper"):
        assert together.load(name).source.sha256 == load_body(name).source.sha256
        assert together.load(name).task == load_body(name).task
    with pytest.raises(SuiteError, match=r"suite 'arms[+]arms': arms is named twice"):
        load_suite("arms+arms")
    with pytest.raises(SuiteError, match=r"unknown suite 'leged'; .*legged"):
        load_suite("planar+leged")


def test_families_of_shipped_suites_are_unique():
    """Or suites could not be taken together."""
    for split in ("train", "held_out"):
        families = [family for suite in suite_names() for family in load_suite(suite).families(split)]
        assert len(set(families)) == len(families)


def test_names_of_shipped_bodies_are_unique():
    """Or ``load_body`` could not tell them apart."""
    names = [
        name for suite in suite_names() for split in ("train", "held_out") for name in load_suite(suite).names(split)
    ]
    assert len(set(names)) == len(names)


def test_bodies_come_in_the_order_of_the_split(folder):
    write_splits(folder, {"train": {"b": ["walker_short"], "a": ["runner", "walker"]}, "held_out": {}})
    suite = suite_from_folder(folder)
    assert [body.name for body in suite.bodies("train")] == ["walker_short", "runner", "walker"]
    assert suite.bodies("held_out") == []


def test_unknown_names():
    with pytest.raises(SuiteError, match=r"^unknown suite 'planer'; did you mean planar"):
        load_suite("planer")
    suite = load_suite("planar")
    with pytest.raises(SuiteError, match=r"^suite planar: no split 'test'; .*train"):
        suite.names("test")
    with pytest.raises(BodyError, match="nobody"):
        suite.load("nobody")


# --- folders ------------------------------------------------------------------------------------------------


def test_a_folder_without_splits_is_for_training(folder):
    suite = suite_from_folder(folder)
    assert suite.names("train") == ["runner", "walker", "walker_short"]
    assert suite.names("held_out") == []
    assert list(suite.families("train")) == ["mine"]


def test_task_sections_of_a_folder_and_a_task_file_from_elsewhere(folder, tmp_path):
    (folder / "suite.toml").write_text("[walker]\nframe_skip = 3\n[walker_short]\nctrl_cost = 0.5\n")
    short = suite_from_folder(folder).load("walker_short").task
    assert (short.frame_skip, short.ctrl_cost) == (3, 0.5)
    other = tmp_path / "other.toml"
    other.write_text("[walker]\nheight = [0.1, inf]\n")
    assert suite_from_folder(folder, other).load("walker").task.height == (0.1, math.inf)
    other.write_text("[walker]\nheigth = [0.1, inf]\n")
    with pytest.raises(TaskError, match=r"other\.toml \[walker\]: unknown key 'heigth'; did you mean height"):
        suite_from_folder(folder, other).load("walker")


def test_a_body_has_one_task_however_it_is_loaded(folder):
    (folder / "suite.toml").write_text("[walker]\nframe_skip = 3\n")
    (folder / "walker.toml").write_text("frame_skip = 7\n")
    assert suite_from_folder(folder).load("walker").task == load_body(folder / "walker.xml").task


def test_a_section_that_no_body_takes_is_a_fault(folder):
    (folder / "suite.toml").write_text("[walker]\nframe_skip = 3\n[runer]\nframe_skip = 4\n")
    with pytest.raises(TaskError, match=r"suite\.toml: no body for section \[runer\]; did you mean runner"):
        suite_from_folder(folder)
    with pytest.raises(MorphNetError, match=r"gone\.toml"):
        suite_from_folder(folder, folder / "gone.toml")


def test_folders_that_are_no_suite(tmp_path):
    with pytest.raises(SuiteError, match=r"gone: no such folder"):
        suite_from_folder(tmp_path / "gone")
    with pytest.raises(SuiteError, match=r"no MJCF files"):
        suite_from_folder(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "Expecting property name"),
        ("", "Expecting value"),
        ([], "expected"),
        ({"train": {}}, "expected .*held_out"),
        ({"train": ["walker"], "held_out": {}}, "expected"),
        ({"train": {"a": ["walkr"]}, "held_out": {}}, r"no file walkr\.xml beside it; did you mean walker"),
        ({"train": {"a": ["walker", "walker"]}, "held_out": {}}, "walker is listed twice"),
        ({"train": {"a": ["walker"]}, "held_out": {"a": ["walker"]}}, "walker is listed twice"),
        ({"train": {"a": ["walker"], "b": ["walker"]}, "held_out": {}}, "walker is listed twice"),
    ],
)
def test_faulty_splits_are_named(folder, content, message):
    write_splits(folder, content)
    with pytest.raises(SuiteError, match=message) as caught:
        suite_from_folder(folder)
    assert str(folder / "splits.json") in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("members", [5, [1], None, "", {"walker": 1}])
def test_members_that_are_no_list_of_names_are_faults(folder, members):
    write_splits(folder, {"train": {"a": members}, "held_out": {}})
    with pytest.raises(MorphNetError, match=r"splits\.json"):
        suite_from_folder(folder)


def test_random_order_of_files_does_not_matter(folder):
    for name in np.random.default_rng(0).permutation([f"extra{i}" for i in range(10)]):
        (folder / f"{name}.xml").write_text(ROBOT)
    names = suite_from_folder(folder).names("train")
    assert names == sorted(names)
