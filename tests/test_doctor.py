import importlib.metadata
import json
from pathlib import Path

import pytest

from morphnet import doctor
from morphnet.doctor import Status
from morphnet.rendering import gl


def by_name() -> dict[str, doctor.Finding]:
    return {finding.name: finding for finding in doctor.examine()}


def test_findings_cover_the_machine_and_fit_json() -> None:
    findings = doctor.examine()
    names = {finding.name for finding in findings}
    assert {
        "python",
        "cores",
        "mujoco",
        "torch",
        "torch threads",
        "opengl",
        "ffmpeg",
        "shipped checkpoint",
    } <= names
    assert all(finding.advice for finding in findings if finding.status is not Status.OK)
    assert json.loads(json.dumps([finding.to_dict() for finding in findings]))[0]["status"] == "ok"
    assert by_name()["mujoco"].value == importlib.metadata.version("mujoco")


def test_missing_opengl_comes_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(gl, "probe", lambda name: "its library is missing")
    finding = by_name()["opengl"]
    assert finding.status is Status.MISSING
    assert "apt-get install" in finding.advice


def test_a_backend_that_does_not_work_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    monkeypatch.setattr(gl, "probe", lambda name: "missing" if name == "osmesa" else "")
    assert by_name()["opengl"].status is Status.WARN


@pytest.mark.parametrize(("content", "cores"), [("50000 100000", 1), ("1000000000 1000", None), ("max 100000", None)])
def test_cores_respect_a_container_quota(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str, cores: int | None
) -> None:
    monkeypatch.setattr(doctor, "CPU_QUOTA", tmp_path / "none")
    without = doctor.usable_cores()
    (tmp_path / "cpu.max").write_text(content)
    monkeypatch.setattr(doctor, "CPU_QUOTA", tmp_path / "cpu.max")
    assert doctor.usable_cores() == (cores or without)
