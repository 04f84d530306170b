import os
import subprocess
import sys

import pytest

from morphnet.errors import RenderError
from morphnet.rendering import gl

CHOOSE = """
from morphnet.errors import RenderError
from morphnet.rendering import gl
try:
    print("backend", gl.choose_backend())
except RenderError as error:
    print("RenderError", error)
"""
LATE = """
import mujoco
from morphnet.rendering import gl
context = gl.new_context(16, 16)
context.make_current()
mujoco.MjrContext(mujoco.MjModel.from_xml_string("<mujoco/>"), 100).free()
context.free()
print("drawn")
"""


def run(code: str, mujoco_gl: str | None) -> str:
    environment = {key: value for key, value in os.environ.items() if key not in ("MUJOCO_GL", "PYOPENGL_PLATFORM")}
    if mujoco_gl is not None:
        environment["MUJOCO_GL"] = mujoco_gl
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize("value", ["nonsense", "off"])
def test_unusable_mujoco_gl_is_a_render_error(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("MUJOCO_GL", value)
    with pytest.raises(RenderError, match=f"^MUJOCO_GL={value}.*unset it"):
        gl.choose_backend()


def test_unknown_mujoco_gl_in_a_fresh_process_is_a_render_error() -> None:
    assert run(CHOOSE, "nonsense").startswith("RenderError MUJOCO_GL=nonsense")


def test_no_backend_names_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(gl, "probe", lambda name: "its library is missing")
    with pytest.raises(RenderError, match="apt-get install libegl1 libgl1-mesa-dri"):
        gl.choose_backend()


def test_mujoco_gl_is_respected_where_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    monkeypatch.setattr(gl, "probe", lambda name: "")
    assert gl.choose_backend() == "osmesa"
    monkeypatch.setattr(gl, "probe", lambda name: "missing" if name == "osmesa" else "")
    assert gl.choose_backend() == gl.candidates()[0]


@pytest.mark.usefixtures("needs_gl")
def test_backend_is_found_without_mujoco_gl() -> None:
    assert run(CHOOSE, None).startswith("backend ")


@pytest.mark.usefixtures("needs_gl")
def test_context_after_mujoco_was_imported_without_backend() -> None:
    assert run(LATE, None) == "drawn"
