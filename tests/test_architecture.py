"""The order of the house: who may import whom, how long things may be, and that exported names exist."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import morphnet

ROOT = Path(morphnet.__file__).parent.parent
FOLDERS = {"morphnet": ROOT / "morphnet", "morphnet.envs": ROOT / "envs", "morphnet.assets": ROOT / "assets"}

# A part may import what stands in a line above its own; parts of one line do not know one another. Pictures stand
# low, beside physics and networks: they know bodies and states, and environments render with them.
LAYERS = (
    ("errors", "assets"),
    ("config", "files", "interrupts", "look", "processes"),
    ("morphology",),
    ("bodies",),
    ("simulation", "networks", "rendering", "growing"),
    ("embodiment",),
    ("envs", "policy", "demonstrations"),
    ("evaluation", "learning", "export", "references"),
    ("hypernetwork", "specialists", "distillation"),
    ("adaptation", "meta_training"),
    ("runs", "inspection", "console", "command_line", "doctor"),
    ("films", "training_display", "viewing"),
    ("report",),
    ("demo", "commands"),
    ("training_commands",),
    ("cli",),
)
LAYER_OF = {part: index for index, layer in enumerate(LAYERS) for part in layer}

# Parts that are to be usable, and readable, without the rest of the world.
OUTSIDE = {
    "errors": set(),
    "config": set(),
    "files": set(),
    "look": set(),
    "interrupts": set(),
    "morphology": {"numpy", "mujoco"},
    "networks": {"numpy", "torch"},
    "embodiment": {"numpy"},
    "evaluation": {"numpy"},
    "growing": {"numpy", "mujoco"},
    "demonstrations": {"numpy", "mujoco", "gymnasium", "minari"},
}
NO_TORCH = ("assets", "bodies", "morphology", "simulation", "growing", "rendering", "evaluation", "inspection")
NO_TORCH += ("demonstrations",)
LONGEST_FILE, LONGEST_FUNCTION = 400, 70


def modules():
    """(module name, path) of every module of the package, as it is imported."""
    for prefix, folder in FOLDERS.items():
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            yield ".".join([prefix, *(part for part in parts if part != "__init__")]), path


MODULES = dict(modules())
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def imports(name):
    """(line, imported module, imported name or None) of every import of a module, those inside functions too."""
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno}: a relative import"
            yield from ((node.lineno, node.module, alias.name) for alias in node.names)


def part_of(module):
    """The part of the package that a module belongs to; the facade's is ""."""
    return [*module.split("."), ""][1]


def arrows(name):
    """(line, part) for everything that a module imports from other parts of the package."""
    for line, module, imported in imports(name):
        if module.split(".")[0] != "morphnet":
            continue
        target = f"{module}.{imported}" if f"{module}.{imported}" in MODULES else module
        if part_of(target) != part_of(name):
            yield line, part_of(target), imported


def test_every_part_has_a_place():
    assert {part_of(name) for name in MODULES} - {""} == set(LAYER_OF), "a new part needs a line in LAYERS"


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_one_way(name):
    if name == "morphnet":
        return  # the facade names everything, and imports nothing until it is asked: see below
    for line, part, imported in arrows(name):
        if part == "":
            assert imported == "__version__", f"{MODULES[name]}:{line}: imports {imported} through the facade"
            continue
        assert LAYER_OF[part] < LAYER_OF[part_of(name)], f"{MODULES[name]}:{line}: {part_of(name)} imports {part}"


@pytest.mark.parametrize("part", OUTSIDE)
def test_these_parts_need_little_from_outside(part):
    allowed = OUTSIDE[part] | sys.stdlib_module_names | {"morphnet"}
    for name in (name for name in MODULES if part_of(name) == part):
        for line, module, _ in imports(name):
            assert module.split(".")[0] in allowed, f"{MODULES[name]}:{line}: imports {module}"


def test_networks_know_errors_and_config_alone():
    known = {part for name in MODULES if part_of(name) == "networks" for _, part, _ in arrows(name)}
    assert known <= {"errors", "config"}


@pytest.mark.parametrize("part", NO_TORCH)
def test_these_parts_are_free_of_torch(part):
    for name in (name for name in MODULES if part_of(name) == part):
        for line, module, _ in imports(name):
            assert module.split(".")[0] != "torch", f"{MODULES[name]}:{line}"


def run_without(banned, code):
    """Run code in a fresh interpreter where some packages cannot be imported; return its standard error."""
    ban = f"import sys; sys.modules.update(dict.fromkeys({banned!r}))"
    done = subprocess.run([sys.executable, "-c", f"{ban}\n{code}"], capture_output=True, text=True, check=False)
    return done.stderr


def test_physics_runs_where_there_is_no_torch():
    code = """
import numpy as np
from morphnet import load_body
from morphnet.simulation import Simulation
Simulation(load_body("hopper"), 2, np.random.default_rng(0)).step(np.zeros((2, 3)))
"""
    assert run_without(["torch", "stable_baselines3"], code) == ""


def test_facade_and_doctor_come_without_mujoco_and_torch():
    code = "import morphnet, morphnet.doctor; print(morphnet.__version__)"
    assert run_without(["mujoco", "torch", "stable_baselines3"], code) == ""


def test_the_command_line_starts_without_the_compiler():
    assert run_without(["numba"], "import morphnet.cli, morphnet.doctor, morphnet.bodies") == ""


def test_kernels_work_where_nothing_can_be_kept(tmp_path):
    """A file where the cache's folder should be stands for a folder that cannot be written."""
    (tmp_path / "file").touch()
    code = f"""
import os
os.environ["NUMBA_CACHE_DIR"] = {str(tmp_path / "file" / "cache")!r}
import numpy as np
from morphnet import load_body
from morphnet.simulation import ControlScale
assert ControlScale(load_body("hopper").model).to_ctrl(np.ones(3)).shape == (3,)
"""
    assert run_without([], code) == ""


def test_networks_come_without_mujoco():
    assert run_without(["mujoco", "stable_baselines3"], "import morphnet.networks") == ""


def test_importing_the_facade_alone_registers_the_environment():
    code = 'import gymnasium, morphnet; gymnasium.make("morphnet/Run-v0", body="hopper").reset(seed=0)'
    assert run_without([], code) == ""


def test_a_ban_does_ban():
    assert "ModuleNotFoundError" in run_without(["torch"], "import morphnet.networks")


def test_exported_names_exist():
    packages = [morphnet.__name__]
    packages += [info.name for info in pkgutil.iter_modules(morphnet.__path__, "morphnet.") if info.ispkg]
    packages += ["morphnet.envs", "morphnet.assets"]
    assert len(packages) >= 9
    for name in packages:
        package = importlib.import_module(name)
        exported = getattr(package, "__all__", [])
        assert len(set(exported)) == len(exported), name
        for attribute in exported:
            assert getattr(package, attribute) is not None, f"{name}.{attribute}"
    with pytest.raises(AttributeError, match="no attribute 'Hypernetwrk'"):
        morphnet.Hypernetwrk  # noqa: B018


@pytest.mark.parametrize("name", MODULES)
def test_imported_names_exist(name):
    """Imports inside functions are found missing only when the function runs."""
    for line, module, imported in imports(name):
        if module.split(".")[0] == "morphnet" and imported and f"{module}.{imported}" not in MODULES:
            assert module in MODULES, f"{MODULES[name]}:{line}: no module {module}"
            assert hasattr(importlib.import_module(module), imported), f"{MODULES[name]}:{line}: {module}.{imported}"


@pytest.mark.parametrize("name", MODULES)
def test_nothing_is_too_long(name):
    path = MODULES[name]
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE, path
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = node.end_lineno - node.lineno + 1
            assert length <= LONGEST_FUNCTION, f"{path}:{node.lineno}: {node.name} has {length} lines"
