"""A robot with every kind of activation, one that falls, and what drove them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import robots
from demonstrators import wobble

from morphnet.bodies import Body, load_body
from morphnet.demonstrations import Demonstration, record, write_demonstrations
from morphnet.hypernetwork import Hypernetwork
from morphnet.policy import Policy


@pytest.fixture(scope="session")
def hopper() -> Body:
    return load_body("hopper")


@pytest.fixture(scope="session")
def muscular(tmp_path_factory: pytest.TempPathFactory) -> Body:
    path = tmp_path_factory.mktemp("robots") / "muscular.xml"
    path.write_text(robots.ACTIVATIONS)
    return load_body(path)


@pytest.fixture(scope="session")
def crawler(tmp_path_factory: pytest.TempPathFactory) -> Body:
    path = tmp_path_factory.mktemp("robots") / "crawler.xml"
    path.write_text(robots.WALKER_WITHOUT_FLOOR)
    return load_body(path)


@pytest.fixture(scope="session")
def untrained_policy(hypernetwork: Hypernetwork) -> Callable[[Body], Policy]:
    return hypernetwork.generate


@pytest.fixture(scope="session")
def hops(hopper: Body) -> list[Demonstration]:
    return record(hopper, wobble, 3, seed=4)


@pytest.fixture(scope="session")
def arm() -> Body:
    return load_body("flat_arm_3")


@pytest.fixture(scope="session")
def saved(hopper: Body, hops: list[Demonstration], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demonstrations") / "hops"
    write_demonstrations(folder, hopper, hops, "wobble")
    return folder
