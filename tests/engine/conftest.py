"""Both sandboxes over real sockets, a store in a file, and the engine between them, built as the daemon builds it."""

from __future__ import annotations

import functools
import shutil
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
import yaml

from p21d.assembly import assemble
from p21d.config_file import load_config
from p21d.engine.watch import Watch
from p21d.registry import load_entities
from p21d.sandbox.hub import HubSandbox
from p21d.sandbox.prophet21 import P21Sandbox
from p21d.sandbox.serve import Served, name_carriers
from p21d.store.database import Store
from tests.engine.world import Engine, LeapingClock


@pytest.fixture(autouse=True)
def log_lines():
    """What the engine logs, kept from the screen."""
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture(scope="session")
def seeded_path(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("p21") / "seeded.db"
    P21Sandbox(path, rows=20, seed=1).close()
    return path


@pytest.fixture
async def served(seeded_path, tmp_path) -> AsyncIterator[Served]:
    """Both simulators, as `p21d sandbox` serves them; the P21 is a copy of one that was filled once."""
    shutil.copy(seeded_path, tmp_path / "p21.db")
    hub = HubSandbox()
    name_carriers(hub)
    with P21Sandbox(tmp_path / "p21.db") as p21:
        async with p21.serve() as p21_url, hub.serve() as hub_url:
            yield Served(p21=p21, hub=hub, p21_url=p21_url, hub_url=hub_url)
    hub.close()


@pytest.fixture
async def store(tmp_path) -> AsyncIterator[Store]:
    async with Store(tmp_path / "p21d.db") as opened:
        yield opened


@pytest.fixture
def clock() -> LeapingClock:
    return LeapingClock()


@pytest.fixture(scope="module", autouse=True)  # no longer: the next room's tests may speak TLS
def _one_tls_context() -> Iterator[None]:
    """Each client loads all certificates of the machine, which takes 40 ms; no test here speaks TLS."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", functools.cache(ssl.create_default_context))
        yield


@pytest.fixture(scope="session")
def registry():
    return load_entities()


@pytest.fixture
async def make(served, store, clock, registry, tmp_path) -> AsyncIterator[Callable[..., Engine]]:
    """Build engines over the same store, as restarts and reloads do; keywords are laid over the configuration."""
    made: list[Engine] = []
    usual_registry, usual_clock = registry, clock

    def build(*, registry: Any = usual_registry, clock: Any = usual_clock, **changes: Any) -> Engine:
        path = tmp_path / "p21d.yaml"
        usual = merged(yaml.safe_load(served.config(tmp_path)), {"orders": {"enabled": False}})
        path.write_text(yaml.safe_dump(merged(usual, changes)))
        path.chmod(0o600)
        assembly = assemble(load_config(path), registry, store, clock, Watch(clock))
        made.append(Engine(served, assembly, store, clock))
        return made[-1]

    yield build
    for engine in made:
        await engine.close()


@pytest.fixture
async def engine(make) -> Engine:
    return make()


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return the block with the changes laid over it, block by block."""
    return base | {
        name: merged(base[name], value) if isinstance(value, dict) and isinstance(base.get(name), dict) else value
        for name, value in changes.items()
    }
