"""Fixtures that several folders share. Being here puts ``robots.py`` and ``pucks.py`` on the tests' import path."""

from __future__ import annotations

from pathlib import Path

import pytest
from pucks import PUCK, TASK, constant_actor

from morphnet.bodies import Body, load_body
from morphnet.policy import Policy


@pytest.fixture(scope="session")
def hypernetwork():
    """An untrained hypernetwork whose every weight and observation statistic is random."""
    import torch

    from morphnet.bodies import load_body
    from morphnet.config import TrainConfig
    from morphnet.embodiment import feature_sizes, tokens_of
    from morphnet.hypernetwork import Hypernetwork
    from morphnet.learning.checkpoint import build_networks
    from morphnet.simulation import Observer

    config = TrainConfig()
    body = load_body("hopper")
    features = feature_sizes(tokens_of(body, Observer(body).layout))
    actor = build_networks(features, config).actor
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in actor.parameters():
            parameter += 0.05 * torch.randn(parameter.shape, generator=generator)
        statistics = actor.statistics
        statistics.mean += 0.3 * torch.randn(statistics.mean.shape, generator=generator, dtype=torch.float64)
        statistics.variance *= torch.rand(statistics.mean.shape, generator=generator, dtype=torch.float64) + 0.5
    return Hypernetwork(actor, {"features": features, "train": config.to_dict(), "steps": 0}, "test")


@pytest.fixture(scope="session")
def needs_gl() -> None:
    """Skip where no picture can be made."""
    from morphnet.errors import RenderError
    from morphnet.rendering import gl

    try:
        gl.choose_backend()
    except RenderError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def puck_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("puck") / "puck.xml"
    path.write_text(PUCK)
    path.with_suffix(".toml").write_text(TASK)
    return path


@pytest.fixture(scope="session")
def puck(puck_path: Path) -> Body:
    return load_body(puck_path)


@pytest.fixture(scope="session")
def pushing(puck: Body) -> Policy:
    """Return the best policy there is: full push, arm still."""
    return Policy(puck, constant_actor(puck, [1.0, 0.0]), {"kind": "test"})


@pytest.fixture(scope="session")
def lazy(puck: Body) -> Policy:
    return Policy(puck, constant_actor(puck, [0.1, 0.3]), {"kind": "test"})
