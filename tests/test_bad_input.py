"""Bad input, as an administrator meets it: a clear error, the exit code, nothing lost and never a traceback."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from p21d.cli import main
from p21d.store.migrations import APPLICATION_ID
from tests.faults.crashing import begin as begin_life
from tests.faults.crashing import start_lives
from tests.faults.lives import Life
from tests.faults.world import install_plugin

SECRET = "s3cret-in-the-file"
LONGEST_SECONDS = 30.0
"""Of a start that is refused; one that is not refused is ended."""
PR_CAPBSET_DROP = 24
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
PLUGIN = """
from p21d.plugin import Entity, Record, Route, Row, hookimpl

class Branch(Row, frozen=True):
    branch_id: int
    delete_flag: str | None
    date_last_modified: str | None

@hookimpl
def p21d_entities():
    return [Entity(name="{name}", row=Branch, table="branch", key=("branch_id",), external_id="{{branch_id}}",
        records=lambda row, related: Record(external_id={{"branch_id": row.branch_id}}, body={{}}),
        route=Route(resource="location"))]
"""

Change = Callable[[dict[str, Any], Path], None]


class Case(NamedTuple):
    """One piece of bad input; `offline`: `p21d check` finds it too."""

    change: Change
    words: tuple[str, ...]
    code: int = os.EX_CONFIG
    offline: bool = True


def setting(path: str, value: Any) -> Change:
    """Return a change that sets one key; None removes it."""

    def change(settings: dict[str, Any], _folder: Path) -> None:
        *blocks, key = path.split(".")
        for block in blocks:
            settings = settings.setdefault(block, {})
        settings[key] = value
        if value is None:
            del settings[key]

    return change


def plugin(name: str, text: str) -> Change:
    def change(settings: dict[str, Any], folder: Path) -> None:
        plugins = folder / "plugins"
        install_plugin(plugins / name, text)
        settings["plugin_dirs"] = [str(plugins)]

    return change


def open_plugin(settings: dict[str, Any], folder: Path) -> None:
    plugin("mine.py", PLUGIN.format(name="mine"))(settings, folder)
    (folder / "plugins" / "mine.py").chmod(0o664)


def store_file(make: Callable[[Path], Any]) -> Change:
    return lambda settings, _folder: make(Path(settings["store"]["path"]))


def newer_store(path: Path) -> None:
    with sqlite3.connect(path) as store:
        store.execute("CREATE TABLE checkpoint (later TEXT)")
        store.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        store.execute("PRAGMA user_version = 999")
    store.close()


def other_database(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE invoices (id INTEGER)")
    other.close()


def socket_in_use(settings: dict[str, Any], _folder: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(settings["control"]["socket"])
    listener.listen()
    OPEN_LISTENERS.append(listener)


OPEN_LISTENERS: list[socket.socket] = []

CASES = {
    "unknown key": Case(
        setting("prophet21.usrname", "x"), ("prophet21.usrname", "unknown key", "did you mean username?")
    ),
    "unknown key of an entity": Case(
        setting("entities.customer.pol_interval", "5m"),
        ("entities.customer.pol_interval", "did you mean poll_interval?"),
    ),
    "unknown block": Case(setting("promethus", {}), ("promethus", "unknown key")),
    "unknown entity": Case(setting("entities.custmer", {}), ("entities.custmer", "did you mean customer?")),
    "unknown key of the sink": Case(
        setting("sink.base_ulr", "x"), ("sink.base_ulr", "did you mean base_url?"), offline=False
    ),
    "unknown sink": Case(setting("sink.type", "ipass"), ("sink.type", "ipaas"), offline=False),
    "no password": Case(setting("prophet21.password", None), ("prophet21.password: is required beside username",)),
    "no user name": Case(setting("prophet21.username", None), ("prophet21.username: is required beside password",)),
    "bad offset": Case(
        lambda settings, folder: [
            setting("prophet21.time_zone", None)(settings, folder),
            setting("prophet21.time_zone_offset", "-5")(settings, folder),
        ],  # type: ignore[return-value]
        ("prophet21.time_zone_offset", '"-05:00"'),
    ),
    "bad zone": Case(setting("prophet21.time_zone", "America/New_Yrok"), ("prophet21.time_zone", "America/New_York")),
    "no zone": Case(setting("prophet21.time_zone", None), ("prophet21.time_zone: is required",)),
    "negative days": Case(
        setting("entities.customer.poll_search_days", -4), ("entities.customer.poll_search_days", "0")
    ),
    "bad duration": Case(setting("entities.customer.poll_interval", "5 parsecs"), ("entities.customer.poll_interval",)),
    "no address": Case(setting("prophet21.api_url", "p21.example.com"), ("prophet21.api_url", "https://")),
    "missing secret file": Case(
        setting("prophet21.password", "${file:/nowhere/at-all}"), ("prophet21.password", "/nowhere/at-all")
    ),
    "plug-in that does not import": Case(
        plugin("broken.py", "import nothing_of_this_name\n"), ("broken.py", "nothing_of_this_name", "line 1")
    ),
    "plug-in that is no Python": Case(plugin("broken.py", "def (:\n"), ("broken.py", "line 1")),
    "two entities of one name": Case(
        plugin("mine.py", PLUGIN.format(name="customer")), ("mine.py", "customer", "already", "rename")
    ),
    "plug-in that its group may write": Case(
        open_plugin, ("plugin_dirs", "mine.py may be written by its group", "chmod go-w"), offline=False
    ),
    "store that is no SQLite": Case(
        store_file(lambda path: path.write_bytes(b"not a database" * 500)), ("is not a store of p21d",), offline=False
    ),
    "store of another program": Case(store_file(other_database), ("another program's database",), offline=False),
    "store of a newer p21d": Case(store_file(newer_store), ("was written by a newer p21d", "999"), offline=False),
    "store that is a folder": Case(store_file(Path.mkdir), ("p21d.db",), offline=False),
    "socket that is a plain file": Case(
        lambda settings, _folder: Path(settings["control"]["socket"]).write_text("mine"),  # type: ignore[return-value]
        ("control.socket", "is there and is no socket"),
        offline=False,
    ),
    "socket in a folder that is not there": Case(
        setting("control.socket", "/nowhere/at-all/control.sock"), ("control.socket", "does not exist"), offline=False
    ),
    "socket in use": Case(socket_in_use, ("a daemon listens on",), os.EX_TEMPFAIL, offline=False),
}


@pytest.fixture
def folder():
    """Yield a folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="p21d-") as name:
        yield Path(name)


class Refused(NamedTuple):
    """A refused start: where, what it said, and the files before and after it."""

    config: Path
    code: int
    errors: str
    before: dict[Path, bytes]
    after: dict[Path, bytes]


@pytest.fixture(scope="module")
def refused():
    """Start a daemon on every bad input, forked: each start of a Python would take a second to import what it needs."""
    with tempfile.TemporaryDirectory(prefix="p21d-") as name, start_lives() as lives:
        folders = [Path(name) / str(number) for number in range(len(CASES))]
        yield {name: start_in(lives, folder, case) for folder, (name, case) in zip(folders, CASES.items(), strict=True)}
    while OPEN_LISTENERS:
        OPEN_LISTENERS.pop().close()


def start_in(lives: subprocess.Popen[bytes], folder: Path, case: Case) -> Refused:
    folder.mkdir()
    settings = settings_in(folder)
    case.change(settings, folder)
    config, said = write(folder, settings), folder.with_suffix(".stderr")
    before = contents(folder)
    code = outcome_of_life(lives, Life(log=str(said), command=[f"--config={config}", "run"]))
    after = {path: contents(folder).get(path, b"") for path in before}
    return Refused(config, code, said.read_text(), before, after)


def outcome_of_life(lives: subprocess.Popen[bytes], life: Life) -> int:
    """Return the exit code of a command that must end by itself."""
    begin_life(lives, life)
    assert lives.stdout is not None
    must_end = threading.Timer(LONGEST_SECONDS, os.kill, (int(lives.stdout.readline()), signal.SIGKILL))
    must_end.start()
    try:
        return int(lives.stdout.readline())
    finally:
        must_end.cancel()


def settings_in(folder: Path) -> dict[str, Any]:
    return {
        "prophet21": {
            "api_url": "http://127.0.0.1:9",
            "username": "p21d",
            "password": SECRET,
            "time_zone": "America/New_York",
            "companies": ["01"],
        },
        "sink": {"type": "ipaas", "base_url": "http://127.0.0.1:9", "api_key": SECRET, "system_id": 1},
        "store": {"path": str(folder / "p21d.db")},
        "control": {"socket": str(folder / "control.sock")},
    }


def begin(config: Path, command: str, **popen: Any) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "p21d", f"--config={config}", command]
    where = Path(__file__).parent.parent  # the package, for a user who may not read the checkout's metadata
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=where, **popen)


def outcome(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Return the exit code and the words of a command that must end by itself."""
    try:
        _, errors = process.communicate(timeout=LONGEST_SECONDS)
    finally:
        process.kill()
    return process.returncode, errors


def words_of(process: subprocess.Popen[str], code: int) -> str:
    """Return what a refused command says; it must end with that code and without a traceback."""
    found, errors = outcome(process)
    assert found == code, errors
    assert "Traceback" not in errors
    return errors


def write(folder: Path, settings: dict[str, Any]) -> Path:
    config = folder / "p21d.yaml"
    config.touch(mode=0o600)
    config.write_text(yaml.safe_dump(settings))
    return config


@pytest.mark.parametrize("name", CASES)
def test_a_start_is_refused_with_words_and_exit_code(name, refused):
    case, found = CASES[name], refused[name]
    assert found.code == case.code, found.errors
    assert all(word in found.errors for word in case.words), found.errors
    assert "Traceback" not in found.errors
    assert SECRET not in found.errors
    assert found.after == found.before


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.offline])
def test_check_finds_it_before_a_start_does(name, refused, capsys):
    case, found = CASES[name], refused[name]
    assert main(["--config", str(found.config), "check"]) == case.code
    errors = capsys.readouterr().err
    assert all(word in errors for word in case.words), errors
    assert SECRET not in errors


def contents(folder: Path) -> dict[Path, bytes]:
    """Return every plain file with its bytes; a refused start must leave them as they are."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_missing_configuration_is_named(command, folder):
    errors = words_of(begin(folder / "nowhere.yaml", command), os.EX_CONFIG)
    assert "nowhere.yaml" in errors
    assert "P21D_CONFIG" in errors


@pytest.mark.parametrize("text", ["prophet21: [\n", "- a list\n", "", "a: 1\na: 2\n", "password: '\x07'\n"])
def test_a_file_that_is_no_configuration_is_named(text, folder, capsys):
    config = folder / "p21d.yaml"
    config.write_text(text)
    assert main(["--config", str(config), "check"]) == os.EX_CONFIG
    assert capsys.readouterr().err.startswith("p21d: ")


def obey_file_modes() -> None:
    """Take from a process of root what lets it pass over file modes; another user obeys them anyway."""
    libc = ctypes.CDLL(None)
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def test_an_unreadable_configuration_is_a_matter_of_permission(folder):
    config = write(folder, settings_in(folder))
    config.chmod(0o000)
    errors = words_of(begin(config, "run", preexec_fn=obey_file_modes), os.EX_NOPERM)
    assert "is not readable" in errors
    assert "needs read permission" in errors


def test_a_read_only_store_is_a_matter_of_permission(folder):
    config = write(folder, settings_in(folder))
    with sqlite3.connect(folder / "p21d.db") as store:
        store.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    store.close()
    (folder / "p21d.db").chmod(0o444)
    errors = words_of(begin(config, "run", preexec_fn=obey_file_modes), os.EX_NOPERM)
    assert "the service user must own store.path" in errors


def test_a_store_without_room_says_try_later(folder):
    config = write(folder, settings_in(folder))

    def limit_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    errors = words_of(begin(config, "run", preexec_fn=limit_files), os.EX_TEMPFAIL)
    assert f"no room left for the store {folder / 'p21d.db'}" in errors
    assert "free disk space" in errors
