"""The command line against a real control server on a real socket, with a double of the daemon behind it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from anyio.from_thread import start_blocking_portal
from structlog.testing import capture_logs

from p21d.cli import main
from p21d.control.server import ControlServer
from tests.control.operations_double import FakeOperations

CONFIG = """
prophet21:
  api_url: https://p21.example.com
  username: ipaas_service
  password: {password}
  time_zone: America/New_York
  companies: ["01"]
sink: {{type: jsonl, directory: {folder}}}
entities:
  customer: {{poll_interval: 1m}}
control: {{socket: {folder}/control.sock}}
plugin_dirs: [{folder}/plugins]
"""
PLUGIN = """
from p21d.plugin import Entity, P21Time, Record, Route, Row, hookimpl

class Widget(Row):
    widget_id: int
    delete_flag: str
    date_last_modified: P21Time

@hookimpl
def p21d_entities():
    record = lambda row, related: Record(external_id={"widget_id": row.widget_id}, body={})
    return [Entity(name="widget", row=Widget, table="widget", key=("widget_id",), external_id="{widget_id}",
                   records=record, route=Route(resource="product"))]
"""


@dataclass
class Ended:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("P21D_SOCKET", raising=False)
    monkeypatch.setenv("P21D_CONFIG", str(tmp_path / "p21d.yaml"))


@pytest.fixture
def operations():
    return FakeOperations()


@pytest.fixture
def p21d(capsys):
    """Run a command: `p21d("status", "--json")`."""

    def run(*arguments: str) -> Ended:
        capsys.readouterr()
        code = main(arguments)
        printed = capsys.readouterr()
        return Ended(code, printed.out, printed.err)

    return run


@pytest.fixture
def daemon(operations, tmp_path, monkeypatch):
    """A running daemon, found through P21D_SOCKET."""
    path = tmp_path / "control.sock"
    monkeypatch.setenv("P21D_SOCKET", str(path))
    server = ControlServer(path, operations)
    with capture_logs(), start_blocking_portal() as portal, portal.wrap_async_context_manager(server):
        yield operations


@pytest.fixture
def config_file(tmp_path):
    """A good configuration at P21D_CONFIG, with one plug-in of the user's."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "widget.py").write_text(PLUGIN)
    path = tmp_path / "p21d.yaml"
    path.write_text(CONFIG.format(password="hunter2", folder=tmp_path))
    path.chmod(0o600)
    return path
