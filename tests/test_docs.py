"""What README and docs/ tell people to type works: every block is run, or says why it is not."""

import dataclasses
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import morphnet
from morphnet import cli
from morphnet.bodies import suite as suites
from morphnet.command_line import parse
from morphnet.errors import RenderError
from morphnet.rendering import gl

ROOT = Path(morphnet.__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
# Appended to commands: the last of two equal flags counts.
SHORTER = {
    "train": ["--steps=64", "--expert-steps=0", "--num-sims=2", "--horizon=16", "--epochs=1", "--minibatches=2",
              "--hidden=16", "--own=4", "--width=16", "--depth=1", "--heads=2"],
    "evaluate": ["--episodes=1"],
    "render": ["--seconds=0.1", "--width=64", "--height=48"],
    "report": ["--episodes=1", "--videos=0"],
    "record": ["--episodes=1", "--steps=20"],
    "adapt": ["--steps=2048"],
    "expert": ["--steps=4096"],
    "experts": ["--steps=1024"],
    "distill": ["--steps=64", "--num-sims=1", "--horizon=16", "--gradient-steps=2",
                "--hidden=16", "--own=4", "--width=16", "--depth=1", "--heads=2"],
    "grow": ["--count=2"],
    "finetune": ["--steps=4096"],
}  # fmt: skip


class Block(NamedTuple):
    line: int
    language: str
    comment: str
    text: str


def blocks(page):
    """Every fenced block of a page, with the comment that stands right before it."""
    found = re.finditer(
        r"^(?:<!-- (?P<comment>.*) -->\n)?```(?P<language>.*)\n(?P<text>(?:.*\n)*?)```$", page.read_text(), re.MULTILINE
    )
    for block in found:
        line = page.read_text()[: block.start()].count("\n") + 1
        yield Block(line, block["language"], block["comment"] or "", block["text"])


def lines(block):
    """Words of every command of a block, comments left out, with lines that go on put together."""
    text = block.text.replace("\\\n", " ")
    return [words for line in text.splitlines() if (words := shlex.split(line, comments=True))]


def needs_opengl(words):
    return words[1] == "render" or "--image" in words


@pytest.fixture(scope="module")
def has_opengl():
    try:
        gl.choose_backend()
    except RenderError:
        return False
    return True


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """An empty folder to type in, with the repository's assets; suites have one body in each split."""

    def smaller(folder, load=suites.suite_from_folder):
        suite = load(folder)
        first = {
            split: {family: names[:1] for family, names in list(families.items())[:1]}
            for split, families in suite.splits.items()
        }
        return dataclasses.replace(suite, splits=first)

    # not load_suite itself: a module that a command is the first to import would keep the patched one for good
    monkeypatch.setattr(suites, "suite_from_folder", smaller)
    (tmp_path / "assets").symlink_to(ROOT / "assets")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(words, monkeypatch):
    """Run one command line of a page."""
    if words[0] == "python":
        subprocess.run([sys.executable, *words[1:]], check=True)
        return
    monkeypatch.setattr(sys, "argv", [*words, *SHORTER.get(words[1], [])])
    cli.main()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_run(page, workplace, monkeypatch, has_opengl):
    for block in blocks(page):
        place = f"{page.name}:{block.line}"
        if block.comment.startswith("file: "):
            file = workplace / block.comment.removeprefix("file: ")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text)
        elif block.comment.startswith("not run: "):
            continue
        elif block.language == "python":
            exec(compile(block.text, place, "exec"), {"__name__": "__main__"})
        elif block.language == "bash":
            for words in lines(block):
                assert words[0] in ("morphnet", "python"), f"{place}: run it here, or say <!-- not run: reason -->"
                if has_opengl or not needs_opengl(words):
                    run(words, monkeypatch)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_are_what_they_say(page):
    text = page.read_text()
    assert f"\n{text}".count("\n```") == 2 * len(list(blocks(page))), "a block is not closed, or is indented"
    for block in blocks(page):
        place = f"{page.name}:{block.line}"
        is_known = block.language in ("bash", "python", "text", "xml", "toml", "json")
        assert is_known or block.language.startswith("{"), f"{place}: say what language it is in"
        assert not re.match(r"(not run|file):\s*$", block.comment), f"{place}: an empty reason"
        # commands do not hide in blocks that are not run
        assert block.language != "text" or not re.search(r"^(morphnet|make|pip|python) ", block.text, re.MULTILINE), (
            place
        )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_sentences_and_tables_are_understood(page):
    for text in re.findall(r"`(morphnet [a-z][^`]*)`", page.read_text()):
        arguments = shlex.split(text)[1:]
        assert arguments[0] in [command.__name__ for command in cli.COMMANDS], text
        if len(arguments) > 1:  # a name alone only speaks of a command
            assert parse(cli.COMMANDS, arguments), text


def test_links_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_pages_are_read_whole():
    assert {"README.md", "bodies.md", "training.md", "commands.md"} <= {page.name for page in PAGES}
    ran = [block for page in PAGES for block in blocks(page) if block.language in ("bash", "python")]
    skipped = [block for block in ran if block.comment.startswith("not run: ")]
    assert len(ran) - len(skipped) >= 15


@pytest.mark.slow
def test_the_site_builds(tmp_path):
    pytest.importorskip("sphinx", reason="the docs extra is not installed")
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--quiet", "-b", "html", ROOT / "docs", tmp_path]
    subprocess.run(command, check=True)
    assert "morphnet.bodies.load_body" in (tmp_path / "reference.html").read_text()
    assert "make demo" in (tmp_path / "index.html").read_text(), "the README is the first page"
