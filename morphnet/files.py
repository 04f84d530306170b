"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from morphnet.errors import MorphNetError


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` that replaces it when the block ends without an error.

    Raises:
        MorphNetError: the folder cannot be written to.
    """
    make_folder(path.parent)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    except OSError as error:
        raise MorphNetError(f"{path}: cannot write here: {error.strerror or error}") from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise MorphNetError(f"{path}: cannot write: {error.strerror or error}") from None
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    """Give a temporary folder beside ``folder`` that takes its place when the block ends without an error.

    Args:
        folder: where it goes. An older one is replaced only if it holds nothing but files of these names.
        names: what the folder will hold.

    Raises:
        MorphNetError: there are other things in it, or it cannot be written to.
    """
    check_folder(folder, names)
    try:
        # absolute, as Minari finds its files only then
        temporary = Path(tempfile.mkdtemp(dir=folder.parent.absolute(), prefix=f".{folder.name}-"))
    except OSError as error:
        raise MorphNetError(f"{folder}: cannot write here: {error.strerror or error}") from None
    try:
        yield temporary
        temporary.chmod(0o755)
        _put_in_place(temporary, folder)
    except OSError as error:
        raise MorphNetError(f"{folder}: cannot write: {error.strerror or error}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_folder(folder: Path, names: Sequence[str]) -> None:
    """Check that ``atomic_folder`` can write a folder; makes its parents.

    Args:
        folder: where it is to go.
        names: what it may hold already.

    Raises:
        MorphNetError: there are other things in it, or it cannot be written to.
    """
    make_folder(folder.parent)
    others: list[str] = []
    try:
        if folder.is_symlink():
            raise MorphNetError(f"{folder}: a link, which cannot be replaced; name the folder that it leads to")
        if folder.exists():
            others = [path.name for path in folder.iterdir() if path.name not in names]
    except NotADirectoryError:
        others = ["a file"]
    except OSError as error:
        raise MorphNetError(f"{folder}: cannot read: {error.strerror or error}") from None
    if others:
        raise MorphNetError(f"{folder}: holds other things ({others[0]}); choose a new folder")
    if not os.access(folder.parent, os.W_OK):
        raise MorphNetError(f"{folder}: cannot write here; choose a folder that can be written to")


def _put_in_place(new: Path, folder: Path) -> None:
    """Rename ``new`` to ``folder``; an older one steps aside, and comes back where the new one cannot."""
    if not folder.exists():
        new.replace(folder)
        return
    old = new.with_name(f"{new.name}-old")
    folder.replace(old)
    try:
        new.replace(folder)
    except BaseException:
        old.replace(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def make_folder(folder: Path) -> None:
    """Make a folder with its parents.

    Raises:
        MorphNetError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MorphNetError(f"{folder}: cannot make this folder: {error.strerror}") from None


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file in one step."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: Path, value: Any) -> None:
    """Write JSON, two spaces deep, in one step."""
    write_bytes(path, to_json(value).encode())


def to_json(value: Any) -> str:
    """Format JSON; what JSON has no numbers for (NaN, infinities) becomes null."""
    return json.dumps(_finite(value), indent=2, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_json(path: Path, error: type[MorphNetError]) -> Any:
    """Read JSON; a missing or malformed file raises ``error`` with the file's name."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else str(fault)
        raise error(f"{path}: {reason}") from None
