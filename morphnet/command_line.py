"""Reading the command line: help that ends with an example, and faults that become one sentence."""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from morphnet.errors import MorphNetError, choices

if TYPE_CHECKING:
    from morphnet.bodies import Suite

PROGRAM = "morphnet"
OPTIONS = ("--help", "--tyro-print-completion")
"""What stands without a command."""
Command = Callable[..., None]


def parse(commands: Sequence[Command], arguments: list[str]) -> functools.partial[None]:
    """Return the command that the arguments name, ready to run.

    Raises:
        MorphNetError: the arguments are at fault.
    """
    by_name = {command.__name__: command for command in commands}
    name = arguments[0] if arguments and not arguments[0].startswith("-") else ""
    if not arguments:
        raise MorphNetError(f"no command; valid: {', '.join(by_name)}, --help")
    if name and name not in by_name:
        raise MorphNetError(f"no command {name!r}; {choices(name, tuple(by_name))}")
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return _read(by_name, arguments)
    except SystemExit as stop:
        if stop.code == 2:
            text = one_line(said.getvalue())
            raise MorphNetError(explain(text, name, _options(by_name, name) if name else OPTIONS)) from None
        if name and {"-h", "--help"} & set(arguments):
            print("\n".join(("example:", *(f"  {line}" for line in examples(by_name[name])), "")))
        raise


def examples(command: Command) -> list[str]:
    """Return the lines of the Example section of a command's docstring."""
    section = re.search(r"^Example:\n((?: +.+\n?)+)", inspect.getdoc(command) or "", re.MULTILINE)
    return [line.strip() for line in section[1].splitlines()] if section else []


def explain(text: str, command: str, options: Sequence[str]) -> str:
    """Turn what tyro says of wrong arguments into one sentence.

    Args:
        text: what tyro says, on one line.
        command: the command that was called; "" for none.
        options: the command's options.
    """
    text = re.sub(r"For full helptext.*", "", text).strip()
    where = f"{command}: " if command else ""
    if unknown := re.search(r"Unrecognized options: ([^\s,]+)", text):
        word = unknown[1]
        if word.startswith("-"):
            return f"{where}no option {word}; {choices(word, tuple(options))}"
        return f"{where}unexpected argument {word!r}; see {PROGRAM} {command} --help"
    if missing := re.match(rf"Required options Missing from {PROGRAM} \w+: (.*)", text):
        return f"{where}missing {missing[1].replace(' (required)', '')}"
    if value := re.search(r"Error parsing (--\S+): .*?'(.*?)' Argument helptext: \S+ (\S+)", text):
        return f"{where}{value[1]} {value[2]}: expected {value[3]}"
    if empty := re.search(r"Missing value for argument '(--\S+)'", text):
        return f"{where}{empty[1]}: a value is missing"
    return f"{where}{text}"


def one_line(text: str) -> str:
    """Squeeze a message with colours, boxes and line breaks into one line."""
    return " ".join(re.sub(r"\x1b\[[\d;]*m|[─│╭╮╰╯━┃┏┓┗┛]|-{4,}", " ", text).split())


def _read(by_name: dict[str, Command], arguments: list[str]) -> functools.partial[None]:
    command: functools.partial[None] = tyro.extras.subcommand_cli_from_dict(
        {name: _deferred(command) for name, command in by_name.items()},
        prog=PROGRAM,
        description="A robot in, a policy out.",
        args=arguments,
        config=(tyro.conf.DisallowNone, tyro.conf.PositionalMetavarFromFieldName),
    )
    return command


def _options(by_name: dict[str, Command], name: str) -> list[str]:
    """Return the options that a command's help names."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.suppress(SystemExit):
        _read({name: by_name[name]}, [name, "--help"])
    return sorted(set(re.findall(r"--[a-z][a-z-]*", shown.getvalue())))


def _deferred(command: Command) -> Callable[..., functools.partial[None]]:
    """Bind a command's arguments without running it, so that parsing and running fail apart."""

    @functools.wraps(command)
    def bind(*args: Any, **kwargs: Any) -> functools.partial[None]:
        return functools.partial(command, *args, **kwargs)

    return bind


def open_suite(suite: str | None, bodies: Path | None, tasks: Path | None) -> Suite:
    """Open the suite or folder that a command was given; exactly one of them must be."""
    from morphnet.bodies import load_suite, suite_from_folder, suite_names

    if (suite is None) == (bodies is None):
        raise MorphNetError(f"give either --suite ({', '.join(suite_names())}) or --bodies DIR")
    if suite is not None and tasks is not None:
        raise MorphNetError("--tasks goes with --bodies DIR; a shipped suite has tasks of its own")
    return load_suite(suite) if suite is not None else suite_from_folder(Path(str(bodies)), tasks)
