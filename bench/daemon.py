"""What the measurements of a living daemon share: its configuration, its process, and calls to the servers."""

from __future__ import annotations

import json
import shutil
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import yaml

from bench.process import Failed, Process

HERE = Path(__file__).parent
BUILT_IN = (
    "location",
    "company",
    "customer",
    "product",
    "product_inventory",
    "transaction",
    "invoice",
    "transaction_tracking_number",
)
ENTITIES = (*BUILT_IN, "bench_item", "bench_row", "bench_kit")
"""All that there are with the benchmark's plug-in."""
LOOK_SECONDS = 0.02
SYSTEM_ID = 5120

T = TypeVar("T")


def get(url: str) -> Any:
    """Return the JSON of a GET."""
    return _ask(urllib.request.Request(url))


def post(url: str, body: Any) -> Any:
    """Return the JSON answer to a POST."""
    return _ask(urllib.request.Request(url, data=json.dumps(body).encode(), method="POST"))


def until(condition: Callable[[], T], what: str, seconds: float = 1800.0) -> T:
    """Return the condition's first true answer; raises Failed after the deadline."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise Failed(f"not within {seconds:g} s: {what}")
        time.sleep(LOOK_SECONDS)
    return found


def copy_plugin(folder: Path) -> Path:
    """Lay the benchmark's plug-in into a folder that p21d may not write, since it runs no other, and return that."""
    plugins = folder / "plugins"
    plugins.mkdir()
    shutil.copy(HERE / "plugins" / "bench_item.py", plugins)
    (plugins / "bench_item.py").chmod(0o444)
    plugins.chmod(0o555)
    return plugins


def settings(folder: Path, p21_url: str, hub_url: str, entities: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with all as shipped but places, and the entities' own keys; for the sandbox."""
    return {
        "prophet21": {
            "api_url": p21_url,
            "username": "p21d",
            "password": "sandbox-password",
            "time_zone": "America/New_York",
            "companies": ["01"],
        },
        "sink": {
            "type": "ipaas",
            "base_url": hub_url,
            "email_address": "daemon@example.com",
            "password": "hub-secret",
            "company_id": "6b0f0d0e-1111-4222-8333-444455556666",
            "system_id": SYSTEM_ID,
        },
        "entities": {"company": {"external_id": "{company_id}-{customer_id}"}, **entities},
        "store": {"path": str(folder / "p21d.db")},
        "control": {"socket": str(folder / "control.sock")},
        "log": {"format": "json"},
    }


def item_settings(folder: Path, p21_url: str, hub_url: str, **item: Any) -> dict[str, Any]:
    """Return a configuration in which only the benchmark's items are on."""
    off = {name: {"enabled": False} for name in ENTITIES if name != "bench_item"}
    made = settings(folder, p21_url, hub_url, {**off, "bench_item": item})
    made["prophet21"] |= {"time_zone": "UTC", "companies": []}
    made["plugin_dirs"] = [str(copy_plugin(folder))]
    return made


class Daemon:
    """A `p21d run` process on a configuration; its log is its output."""

    def __init__(self, folder: Path, made: dict[str, Any], env: Mapping[str, str] | None = None) -> None:
        config = folder / "p21d.yaml"
        config.touch(mode=0o600)
        config.write_text(yaml.safe_dump(made))
        self.process = Process([sys.executable, "-m", "p21d", f"--config={config}", "run"], cwd=folder, env=env)
        self._seen = 0

    def cycles(self) -> list[dict[str, Any]]:
        """Return the cycles that have ended since the last look."""
        lines = self.process.output().rpartition("\n")[0].splitlines()
        fresh, self._seen = lines[self._seen :], len(lines)
        events = [json.loads(line) for line in fresh if line.startswith("{")]
        return [event for event in events if event.get("event") == "cycle"]

    def until_cycle(self, what: str, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the first cycle from now on that fits; raises Failed where the daemon ends or it takes too long."""

        def found() -> dict[str, Any] | None:
            if self.process.ended:
                raise Failed(f"p21d has ended: {self.process.output()[-4000:]}")
            return next((cycle for cycle in self.cycles() if fits(cycle)), None)

        cycle = until(found, f"{what}; {self.process.output()[-2000:]}")
        assert cycle is not None
        return cycle


@contextmanager
def daemon(folder: Path, made: dict[str, Any], env: Mapping[str, str] | None = None) -> Iterator[Daemon]:
    """Run a daemon for the block."""
    one = Daemon(folder, made, env)
    with one.process:
        yield one
        one.process.stop()


@contextmanager
def server(module: str) -> Iterator[str]:
    """Run one of the servers of this folder for the block; give its URL."""
    with Process([sys.executable, "-m", f"bench.{module}"]) as process:
        yield process.first_line(600.0)["url"]


def _ask(request: urllib.request.Request) -> Any:
    with urllib.request.urlopen(request, timeout=600) as answer:
        return json.loads(answer.read())
