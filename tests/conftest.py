"""Fixtures that several folders share. Being here also puts ``robots.py`` on the tests' import path."""

import pytest


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
