"""``morphnet report``: what it leaves, what it refuses."""

import csv
import json
import shutil
from html.parser import HTMLParser

import pytest

from morphnet.bodies import suite_from_folder
from morphnet.report.text import number
from morphnet.runs import evaluate_suite

VOID = {"meta", "input", "br", "wbr", "path"}


class Reader(HTMLParser):
    """Collects a page's words and links, and checks that its elements close."""

    def __init__(self):
        super().__init__()
        self.open, self.words, self.links, self.ids, self.tags = [], [], [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in ("src", "href", "xlink:href")]
        self.ids += [value for name, value in attributes if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, self.getpos()

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return "".join(self.words)


def read(folder):
    reader = Reader()
    reader.feed((folder / "index.html").read_text(encoding="utf-8"))
    assert reader.open == []
    return reader


def test_page_needs_nothing_but_its_folder(page, tmp_path):
    moved = shutil.copytree(page.folder, tmp_path / "moved")
    text = (moved / "index.html").read_text(encoding="utf-8")
    assert "http:" not in text
    assert "https:" not in text
    assert "@import" not in text
    assert "url(" not in text
    reader = read(moved)
    assert len(set(reader.ids)) == len(reader.ids)
    assert not {"script", "link", "iframe", "img"} & set(reader.tags)
    for link in reader.links:
        assert (moved / link).is_file(), link


def test_page_shows_the_numbers_of_the_run(page, trained):
    with (trained / "metrics.csv").open(newline="") as file:
        last = list(csv.DictReader(file))[-1]
    text = read(page.folder).text
    assert number(float(last["mean_return"])) in text
    assert "--steps=160" in text, "the command"
    assert "num sims" in text
    assert page.numbers["steps"] == 160
    assert page.numbers["seconds"] == float(last["seconds"])
    for name in ("cart", "flapper"):
        assert page.numbers["bodies"][name]["training"] == float(last[f"return/{name}"])
        assert number(float(last[f"return/{name}"])) in text
    assert page.numbers["bodies"]["cart_spare"]["training"] is None


def test_returns_are_those_that_evaluate_reports(page, trained, robots):
    suite = suite_from_folder(robots)
    for split, names in (("train", ["cart", "flapper"]), ("held_out", ["cart_spare"])):
        expected = evaluate_suite(suite, split, None, trained, 2, 3)
        assert page.numbers["mean_return"][split] == pytest.approx(expected["mean_return"])
        for name in names:
            row = page.numbers["bodies"][name]
            assert row["return_mean"] == expected["bodies"][name]["return_mean"]
            assert row["split"] == split
            assert number(row["return_mean"]) in read(page.folder).text


def test_videos_of_every_family_in_both_splits(needs_gl, page):
    shown = [path.rsplit("/", 1)[1] for path in page.numbers["videos"]]
    assert shown == ["cart.mp4", "cart_spare.mp4", "flapper.mp4"]
    assert read(page.folder).tags.count("video") == 3
    assert page.numbers["notes"] == []


def test_without_opengl_the_page_says_so(report, trained, robots, tmp_path, monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "off")
    done = report(trained, "--bodies", robots, "--out", tmp_path / "page", "--episodes=1", "--json=-")
    assert done.code == 0, done.err
    assert json.loads(done.out)["videos"] == []
    reader = read(tmp_path / "page")
    assert "MUJOCO_GL=off" in reader.text
    assert "video" not in reader.tags


def test_without_the_bodies_curves_are_there(report, trained, tmp_path):
    done = report(trained, "--out", tmp_path / "page")
    assert done.code == 0
    assert done.out.strip() == str(tmp_path / "page" / "index.html")
    assert "--bodies" in done.err
    reader = read(tmp_path / "page")
    assert "polyline" in reader.tags
    assert "flapper" in reader.text


def test_the_shipped_checkpoint_has_a_page(report, tmp_path):
    done = report("assets/checkpoint", "--out", tmp_path, "--episodes=0", "--videos=0")
    assert done.code == 0, done.err
    reader = read(tmp_path)
    assert "walker_long_thighs_short_shins" in reader.text, "held-out bodies of the suite that it names"
    assert "morphnet train --suite planar" in reader.text


def refusal(done):
    assert done.code == 2
    assert done.out == ""
    lines = done.err.splitlines()
    assert len(lines) == 1
    return lines[0]


def test_folders_that_are_no_run(report, trained, tmp_path):
    assert "nowhere: no such folder" in refusal(report("nowhere", "--out", tmp_path / "page"))
    (tmp_path / "empty").mkdir()
    assert "config.json" in refusal(report(tmp_path / "empty", "--out", tmp_path / "page"))
    copy = shutil.copytree(trained, tmp_path / "copy")
    (copy / "metrics.csv").unlink()
    assert "metrics.csv" in refusal(report(copy, "--out", tmp_path / "page"))
    no_time = ["steps,seconds,mean_return\n" + row for row in ("", "9,2,3", "9,,3\n", "9,0,3\n", "0,2,3\n")]
    for content in ("", "update,steps\n", "a,b\n1,2\n", "steps,seconds,mean_return\n1,2,three\n", "\0", *no_time):
        (copy / "metrics.csv").write_text(content)
        assert "metrics.csv" in refusal(report(copy, "--out", tmp_path / "page"))
    assert not (tmp_path / "page").exists()


@pytest.mark.parametrize("end", ["5,20", "5,200,7.5,-", "5,,\r\n", "5\r\n"])
def test_a_row_that_a_kill_cut_short_is_left_out(report, trained, tmp_path, end):
    copy = shutil.copytree(trained, tmp_path / "copy")
    with (copy / "metrics.csv").open("a", newline="") as file:
        file.write(end)
    numbers = []
    for folder in (trained, copy):
        done = report(folder, "--out", tmp_path / "page", "--json=-")
        assert done.code == 0, done.err
        numbers.append({key: value for key, value in json.loads(done.out).items() if key != "run"})
    assert numbers[0] == numbers[1]


def test_a_place_that_cannot_be_written_to(report, trained, tmp_path):
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in refusal(report(trained, "--out", tmp_path / "file" / "page"))


def test_other_bodies_than_the_runs(report, trained, tmp_path, robots):
    (tmp_path / "cart.xml").write_bytes((robots / "cart.xml").read_bytes())
    assert "flapper" in refusal(report(trained, "--bodies", tmp_path, "--out", tmp_path / "page"))


def test_tasks_without_their_bodies(report, trained, tmp_path):
    assert "--bodies" in refusal(report(trained, "--tasks", "suite.toml", "--out", tmp_path / "page"))


@pytest.mark.parametrize("flag", ["--episodes=-1", "--videos=-1"])
def test_numbers_out_of_range(report, trained, tmp_path, flag):
    assert flag.split("=")[0] in refusal(report(trained, "--out", tmp_path / "page", flag))
