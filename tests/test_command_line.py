"""Reading the command line: examples in the help, one sentence for a fault, completion in a real shell."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from morphnet.cli import COMMANDS
from morphnet.command_line import examples, parse
from morphnet.errors import MorphNetError

try:
    import pty
except ImportError:
    pty = None

SCRIPT = Path(sys.executable).parent / "morphnet"
NAMES = [command.__name__ for command in COMMANDS]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
def test_every_command_has_a_description_and_examples_that_it_understands(command):
    assert (command.__doc__ or "").splitlines()[0].endswith(".")
    lines = examples(command)
    assert lines
    for line in lines:
        program, name, *_ = words = shlex.split(line)
        assert (program, name) == ("morphnet", command.__name__)
        assert parse(COMMANDS, words[1:]).func is command


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_ends_with_the_examples(capsys, name, flag):
    with pytest.raises(SystemExit) as stop:
        parse(COMMANDS, [name, flag])
    assert not stop.value.code
    text = capsys.readouterr().out
    assert "\x1b" not in text, "no colours where nobody looks"
    after = text.split("example:")[1]
    assert f"  morphnet {name}" in after


def test_help_of_the_program_names_every_command(capsys):
    with pytest.raises(SystemExit):
        parse(COMMANDS, ["--help"])
    text = capsys.readouterr().out
    for command in COMMANDS:
        assert command.__name__ in text
        assert command.__doc__.split()[0] in text
    assert "Example" not in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("", "no command; valid: " + ", ".join(NAMES) + ", --help"),
        ("trian", "no command 'trian'; did you mean train?"),
        ("--hlep", "no option --hlep; did you mean --help?"),
        ("train --out x --stpes 3", "train: no option --stpes; did you mean --steps"),
        ("train --out x --steps many", "train: --steps many: expected INT"),
        ("train --out", "train: --out: a value is missing"),
        ("train", "train: missing --out PATH"),
        ("inspect", "inspect: missing BODY"),
        ("evaluate a b", "evaluate: unexpected argument 'b'; see morphnet evaluate --help"),
    ],
)
def test_faults(arguments, sentence):
    with pytest.raises(MorphNetError) as error:
        parse(COMMANDS, arguments.split())
    assert str(error.value).startswith(sentence)


@pytest.mark.skipif(pty is None, reason="no pseudo-terminals here")
def test_faults_read_the_same_on_a_terminal(tmp_path):
    leader, follower = pty.openpty()
    done = subprocess.run([SCRIPT, "train", "--out"], stdout=follower, stderr=follower, cwd=tmp_path, check=False)
    os.close(follower)
    assert done.returncode == 2
    assert os.read(leader, 10_000) == b"morphnet: train: --out: a value is missing\r\n"
    os.close(leader)


def complete(line):
    """Return what bash offers after a line, by the script that the documentation says to load."""
    words = line.split(" ")
    ask = f"""
source <("$1" --tyro-print-completion bash)
COMP_WORDS=({" ".join(words)}); COMP_CWORD={len(words) - 1}; COMP_LINE="{line}"; COMP_POINT={len(line)}
"$(complete -p morphnet | sed "s/.* -F \\([^ ]*\\) .*/\\1/")" morphnet
printf "%s\\n" "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "-c", ask, "bash", SCRIPT], capture_output=True, text=True, check=True)
    return {word.strip() for word in done.stdout.split()}


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_completion_in_bash():
    assert "report" in complete("morphnet re")
    assert "train" not in complete("morphnet re")
    assert "--checkpoint" in complete("morphnet evaluate --che")


def test_a_reader_that_leaves_is_no_fault():
    done = subprocess.run(["bash", "-c", '"$0" bodies | true', SCRIPT], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
