"""Files are written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from morphnet.errors import CheckpointError, MorphNetError
from morphnet.files import atomic_folder, atomic_path, check_folder, make_folder, read_json, write_bytes, write_json


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "new" / "folder" / "numbers.json"
    with atomic_path(path) as temporary:
        assert temporary.parent == path.parent, "renaming works within one file system only"
        assert temporary.suffix == ".json"
        temporary.write_text("[1]")
        assert not path.exists()
    assert path.read_text() == "[1]"
    assert path.stat().st_mode & 0o777 == 0o644
    assert names(path.parent) == ["numbers.json"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, MorphNetError])
def test_an_error_leaves_the_old_file_and_no_other(tmp_path, error):
    path = tmp_path / "numbers.json"
    path.write_text("old")

    def write():
        with atomic_path(path) as temporary:
            temporary.write_text("half of the n")
            raise error("stop")

    with pytest.raises(error, match="stop"):
        write()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["numbers.json"]


def test_an_error_before_anything_is_written_leaves_nothing(tmp_path):
    def write():
        with atomic_path(tmp_path / "numbers.json"):
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        write()
    assert names(tmp_path) == []


def test_a_writer_that_takes_the_temporary_file_away_is_an_error(tmp_path):
    path = tmp_path / "numbers.json"
    path.write_text("old")

    def write():
        with atomic_path(path) as temporary:
            temporary.unlink()

    with pytest.raises(MorphNetError, match=r"numbers\.json"):
        write()
    assert path.read_text() == "old"


def below_a_file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("not a folder")
    return tmp_path / "file"


@pytest.mark.parametrize(
    "write",
    [
        lambda path: write_bytes(path, b"1"),
        lambda path: write_json(path, 1),
        lambda path: make_folder(path),
        lambda path: atomic_path(path).__enter__(),
    ],
    ids=["bytes", "json", "folder", "atomic"],
)
@pytest.mark.parametrize("depth", [1, 2])
def test_a_folder_that_cannot_be_is_one_line(tmp_path, write, depth):
    path = below_a_file(tmp_path).joinpath(*["inside"] * depth)
    with pytest.raises(MorphNetError) as caught:
        write(path)
    assert str(tmp_path / "file") in str(caught.value)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "file").read_text() == "not a folder"


def test_a_folder_in_the_way_is_one_line(tmp_path):
    (tmp_path / "numbers.json").mkdir()
    with pytest.raises(MorphNetError, match=r"numbers\.json"):
        write_json(tmp_path / "numbers.json", 1)
    assert names(tmp_path) == ["numbers.json"]
    write_bytes(tmp_path / "taken", b"")
    with pytest.raises(MorphNetError, match="taken"):
        make_folder(tmp_path / "taken")


def test_json_round_trip(tmp_path):
    value = {"b": [1, 2.5, None], "a": {"ü": True}}
    write_json(tmp_path / "v.json", value)
    text = (tmp_path / "v.json").read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert json.loads(text) == value
    assert read_json(tmp_path / "v.json", MorphNetError) == value


@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff\xfe"])
def test_unreadable_json_raises_the_callers_error(tmp_path, content):
    path = tmp_path / "v.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        read_json(path, CheckpointError)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def write_folder(folder: Path, content: str) -> None:
    with atomic_folder(folder, ["data"]) as temporary:
        (temporary / "data").write_text(content)


def test_a_folder_takes_the_place_of_the_old_one(tmp_path):
    for content in ("old", "new"):
        write_folder(tmp_path / "set", content)
        assert (tmp_path / "set" / "data").read_text() == content
        assert names(tmp_path) == ["set"]


def test_a_folder_that_cannot_take_its_place_leaves_the_old_one(tmp_path, monkeypatch):
    write_folder(tmp_path / "set", "old")
    replace = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if target == tmp_path / "set" and not self.name.endswith("-old"):
            raise OSError("no room")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(MorphNetError, match="set: cannot write: no room"):
        write_folder(tmp_path / "set", "new")
    assert (tmp_path / "set" / "data").read_text() == "old"
    assert names(tmp_path) == ["set"]


def test_folders_that_are_not_replaced(tmp_path, monkeypatch):
    check_folder(tmp_path / "new", ["data"])
    write_folder(tmp_path / "set", "old")
    check_folder(tmp_path / "set", ["data"])
    (tmp_path / "set" / "mine").touch()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "set")
    for name, reason in (("set", "mine"), ("file", "a file"), ("link", "a link")):
        with pytest.raises(MorphNetError, match=f"{name}: .*{reason}"):
            check_folder(tmp_path / name, ["data"])

    def unreadable(self: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", unreadable)
    with pytest.raises(MorphNetError, match="set: cannot read: Permission denied"):
        check_folder(tmp_path / "set", ["data"])
