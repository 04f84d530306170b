"""Bodies as JSON can hold them: what a dataset carries so that a body runs on another machine."""

from __future__ import annotations

import base64
import hashlib
import tempfile
from pathlib import Path
from typing import Any

from morphnet.bodies.body import Body, make_body
from morphnet.bodies.change import change_from_dict
from morphnet.bodies.mjcf import read_mjcf
from morphnet.bodies.task import task_from_dict
from morphnet.errors import BodyError

_KEYS = {"name", "sha256", "task", "change"}


def body_to_dict(body: Body) -> dict[str, Any]:
    """Return a body's source, task and change; an MJCF as text, a zip with meshes in base64."""
    text = body.source.suffix == ".xml"
    key, value = ("mjcf", body.source.data.decode()) if text else ("zip", base64.b64encode(body.source.data).decode())
    return {
        "name": body.name,
        "sha256": body.source.sha256,
        key: value,
        "task": body.task.to_dict(),
        "change": body.change.to_dict() if body.change else None,
    }


def body_from_dict(values: Any, where: str) -> Body:
    """Build the body that ``body_to_dict`` described; ``where`` names it in errors.

    Raises:
        BodyError: values are missing, or damaged.
        TaskError: the task is malformed.
    """
    if not isinstance(values, dict) or not set(values) >= _KEYS or not {"mjcf", "zip"} & set(values):
        raise BodyError(f"{where}: expected a body with {', '.join(sorted(_KEYS))} and mjcf or zip")
    if not isinstance(values["name"], str) or not isinstance(values["task"], dict):
        raise BodyError(f"{where}: expected a body's name as text and its task as values")
    suffix, data = _source_of(values, where)
    if hashlib.sha256(data).hexdigest() != values["sha256"]:
        raise BodyError(f"{where}: the body's source is not the one that its sha256 names")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"body{suffix}"
        copy.write_bytes(data)
        model, source = read_mjcf(copy, add_floor=False)
    body = make_body(values["name"], model, source, task_from_dict(values["task"], where))
    return body if values["change"] is None else body.with_change(change_from_dict(values["change"], where))


def _source_of(values: dict[str, Any], where: str) -> tuple[str, bytes]:
    """Suffix and content of a body's source."""
    try:
        return (".xml", values["mjcf"].encode()) if "mjcf" in values else (".zip", base64.b64decode(values["zip"]))
    except (AttributeError, TypeError, ValueError):  # among the last: what base64 and UTF-8 raise
        raise BodyError(f"{where}: the body's source is damaged; expected MJCF text, or a zip in base64") from None
