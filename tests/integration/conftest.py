"""Servers that misbehave, for as long as a test lasts."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crawl_workplace import Workplace
from tests.integration.fault_server import FaultServer, films


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


@pytest.fixture
def faulty() -> Iterator[Callable[..., FaultServer]]:
    """Starts a wiki of a dozen films with (path, fault, times)."""
    servers: list[FaultServer] = []

    def start(*fault: Any) -> FaultServer:
        servers.append(FaultServer(films(), *fault))
        return servers[-1]

    yield start
    for server in servers:
        server.die()
