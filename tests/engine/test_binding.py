"""A store belongs to one P21 and one sink; only `p21d rebind` changes that."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import anyio
import pytest
import yaml

from p21d.assembly import reassemble
from p21d.binding import Identity, bind, check_binding, identity_of
from p21d.cli import main
from p21d.clock import SystemClock
from p21d.config import Prophet21Config
from p21d.config_file import load_config
from p21d.daemon import run
from p21d.engine.orders.ledger import CREATED, DISMISSED, LINKED, PERSON, REBIND, STATES, TRANSITIONS
from p21d.errors import ConfigError
from p21d.http import plain_address
from p21d.sinks.registry import build_sink
from p21d.store.binding import FORGOTTEN, KEPT
from p21d.store.database import Store
from p21d.store.intent import OPEN_STATES, Intent

CLOCK = SystemClock()


def identity(engine) -> Identity:
    return identity_of(engine.assembly.config, engine.assembly.sink)


@pytest.fixture
async def bound(engine, store):
    await bind(store, identity(engine), engine.clock)
    await engine.sweep("location")
    return engine


async def test_the_same_systems_are_accepted_again(bound, store):
    assert await check_binding(store, identity(bound)) is not None


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"prophet21": {"api_url": "https://other.example"}}, "prophet21.api_url"),
        ({"prophet21": {"companies": ["01"]}}, "prophet21.companies"),
        ({"sink": {"system_id": 5121}}, "sink"),
        ({"sink": {"base_url": "https://hub.example"}}, "sink"),
        ({"sink": {"company_id": "0aa0aaaa-1111-4222-8333-444455556666"}}, "sink"),
    ],
)
async def test_another_system_is_refused_by_its_key(bound, store, make, changes, path):
    with pytest.raises(ConfigError, match="belongs to") as refused:
        await check_binding(store, identity(make(**changes)))
    assert refused.value.path == path
    assert refused.value.exit_code == 78
    assert "p21d rebind --keep-links" in refused.value.hint
    assert "--drop-links" in refused.value.hint


async def test_another_type_of_sink_is_refused(bound, store, tmp_path):
    sink = build_sink({"type": "jsonl", "directory": str(tmp_path)}, CLOCK, {})
    with pytest.raises(ConfigError, match="belongs to"):
        await check_binding(store, identity_of(bound.assembly.config, sink))


async def test_a_reload_to_another_system_is_refused_and_changes_nothing(bound, store, make):
    changed = make(prophet21={"companies": ["01"]}).assembly
    with pytest.raises(ConfigError, match="belongs to"):
        await reassemble(bound.assembly, changed.config, changed.registry, store, bound.clock)
    assert await check_binding(store, identity(bound)) is not None


async def test_the_order_of_companies_is_no_change(bound, store, make):
    await check_binding(store, identity(make(prophet21={"companies": ["02", "01"]})))


async def test_a_store_that_remembers_nothing_takes_another_binding(engine, store, make):
    await bind(store, Identity("https://typo.example companies all", "jsonl /nowhere"), engine.clock)
    await bind(store, identity(engine), engine.clock)
    assert await check_binding(store, identity(engine)) is not None


@pytest.mark.parametrize(
    "other", ["https://ACME.example", "HTTPS://acme.example/", "https://acme.example:443", "https://acme.example//"]
)
def test_case_slash_and_usual_port_are_no_change(other):
    assert plain_address(other) == plain_address("https://acme.example")


@pytest.mark.parametrize("other", ["https://acme.example:8443", "http://acme.example", "https://acme.example/test"])
def test_port_scheme_and_path_are_a_change(other):
    assert plain_address(other) != plain_address("https://acme.example")


def test_a_webhooks_identity_shows_no_token():
    block = {"type": "webhook", "url": "https://Hooks.example.com/T0KEN/abc?key=hidden"}
    shown = build_sink(block, CLOCK, {}).identity()
    assert re.fullmatch("webhook https://hooks.example.com path [0-9a-f]{8}", shown)
    assert shown != build_sink({**block, "url": "https://hooks.example.com/other"}, CLOCK, {}).identity()


async def test_every_table_is_either_kept_or_forgotten(store):
    with closing(sqlite3.connect(store.path)) as sqlite:
        tables = {name for (name,) in sqlite.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables - {"sqlite_sequence"} == {*FORGOTTEN, *KEPT}


@pytest.fixture
def stopped(tmp_path):
    """A configuration whose store belongs to another P21 and remembers a delivery, a link and a dead letter."""
    path = tmp_path / "p21d.yaml"
    block = {
        "prophet21": {
            "api_url": "https://new.example",
            "username": "p21d",
            "password": "hidden",
            "time_zone": "America/New_York",
            "companies": ["01"],
        },
        "sink": {"type": "jsonl", "directory": str(tmp_path)},
        "store": {"path": str(tmp_path / "p21d.db")},
        "control": {"socket": str(tmp_path / "control.sock")},
    }
    path.write_text(yaml.safe_dump(block))
    path.chmod(0o600)
    anyio.run(fill, tmp_path / "p21d.db", f"jsonl {tmp_path}")
    return path


async def fill(path, sink) -> None:
    async with Store(path) as store:
        await bind(store, Identity("https://old.example companies 01", sink), CLOCK)
    with closing(sqlite3.connect(path)) as sqlite:
        sqlite.executescript(
            """
            INSERT INTO checkpoint VALUES ('default', 'location', 1, '');
            INSERT INTO delivered (connection, entity, key, external_id, fingerprint, active, read_at, delivered_at)
            VALUES ('default', 'location', '10', '10', x'01', 1, 1, 1);
            INSERT INTO link (connection, link_table, external_id, hub_id, entity, key)
            VALUES ('default', 'Location', '10', '4401', 'location', '10');
            INSERT INTO dead_letter (connection, entity, key, external_id, code, error, hint, attempts, times,
            parent_entity, parent_key, plugin, body, first_at, last_at, closed_because)
            VALUES ('default', 'location', '20', '20', 'x', 'x', '', 1, 1, '', '', '', '', 1, 1, '');
            """
        )
    now = CLOCK.now()
    async with Store(path) as store, store.transaction() as tables:
        for state in STATES:
            number = "1400215" if state in (CREATED, LINKED) else ""
            intent = Intent(hub_id=state, state=state, order_no=number, created_at=now, changed_at=now, due_at=now)
            await tables.intents.save(intent)


def orders(path) -> dict[str, Intent]:
    async def read() -> dict[str, Intent]:
        async with Store(path.parent / "p21d.db") as store:
            return await store.read.intents.by_hub_ids(STATES)

    return anyio.run(read)


def counts(path) -> dict[str, int]:
    questions = {
        "watermarks": "SELECT count(*) FROM checkpoint",
        "delivered": "SELECT count(*) FROM delivered",
        "fingerprints": "SELECT count(*) FROM delivered WHERE fingerprint IS NOT NULL",
        "links": "SELECT count(*) FROM link",
        "open letters": "SELECT count(*) FROM dead_letter WHERE closed_at IS NULL",
    }
    with closing(sqlite3.connect(path.parent / "p21d.db")) as sqlite:
        return {name: sqlite.execute(sql).fetchone()[0] for name, sql in questions.items()}


def test_a_start_with_another_p21_ends_with_78_and_says_what_to_do(stopped, capsys):
    assert run(stopped) == 78
    said = capsys.readouterr().err
    assert "https://old.example" in said
    assert "p21d rebind --keep-links" in said
    assert "hidden" not in said


def test_keep_links_forgets_fingerprints_only(stopped, capsys):
    assert main(["--config", str(stopped), "rebind", "--keep-links"]) == 0
    assert counts(stopped) == {"watermarks": 1, "delivered": 1, "fingerprints": 0, "links": 1, "open letters": 1}
    assert "rebound" in capsys.readouterr().err


def test_drop_links_forgets_all_and_closes_the_dead_letters_with_the_reason(stopped):
    assert main(["--config", str(stopped), "rebind", "--drop-links"]) == 0
    assert set(counts(stopped).values()) == {0}
    with closing(sqlite3.connect(stopped.parent / "p21d.db")) as sqlite:
        (because,) = sqlite.execute("SELECT closed_because FROM dead_letter").fetchone()
    assert because.startswith("p21d rebind --drop-links")


def test_keep_links_leaves_the_orders_on_their_way(stopped):
    before = orders(stopped)
    assert main(["--config", str(stopped), "rebind", "--keep-links"]) == 0
    assert orders(stopped) == before


def test_drop_links_dismisses_every_order_on_its_way_and_says_so(stopped, capsys):
    assert main(["--config", str(stopped), "rebind", "--drop-links"]) == 0
    found = orders(stopped)
    assert {intent.state for intent in found.values()} == {LINKED, DISMISSED}
    assert found[LINKED].state == LINKED
    for hub_id in OPEN_STATES:
        assert found[hub_id].reason.startswith("p21d rebind --drop-links")
        assert found[hub_id].hint == f"p21d orders sync {hub_id} writes it into this P21"
        assert found[hub_id].due_at is None
    said = " ".join(capsys.readouterr().out.split())
    assert f"on their way into P21 and are dismissed: {len(OPEN_STATES)};" in said
    assert "p21d orders list --all" in said


def test_each_dismissal_is_a_transition_of_the_ledger_and_stands_in_the_history(stopped):
    main(["--config", str(stopped), "rebind", "--drop-links"])

    async def histories():
        async with Store(stopped.parent / "p21d.db") as store:
            return {hub_id: await store.read.intents.history(hub_id) for hub_id in STATES}

    found = anyio.run(histories)
    for hub_id in OPEN_STATES:
        last = found[hub_id][-1]
        assert (last.before, last.after, last.by) == (hub_id, DISMISSED, REBIND)
        assert REBIND in TRANSITIONS[hub_id, DISMISSED]
    assert {before for (before, _), hands in TRANSITIONS.items() if REBIND in hands} == set(OPEN_STATES)
    assert "order 1400215" in found[LINKED][-1].note


def test_a_number_of_another_p21_is_nobodys_number_here(stopped):
    main(["--config", str(stopped), "rebind", "--drop-links"])
    assert not any(intent.order_no for intent in orders(stopped).values())


def test_beside_the_same_p21_an_order_keeps_its_number_and_may_be_adopted(stopped):
    main(["--config", str(stopped), "rebind", "--keep-links"])
    block = yaml.safe_load(stopped.read_text())
    stopped.write_text(yaml.safe_dump({**block, "sink": {"type": "jsonl", "directory": str(stopped.parent / "b")}}))
    (stopped.parent / "b").mkdir()
    main(["--config", str(stopped), "rebind", "--drop-links"])
    found = orders(stopped)
    assert found[LINKED].order_no == "1400215"
    assert (found[CREATED].state, found[CREATED].order_no) == (DISMISSED, "1400215")
    assert found[CREATED].hint.startswith("p21d orders adopt created 1400215")
    assert PERSON in TRANSITIONS[DISMISSED, CREATED]


async def test_a_store_that_knows_an_order_takes_no_other_binding_unasked(engine, store, clock):
    await bind(store, Identity("https://old.example companies 01", "jsonl /nowhere"), clock)
    async with store.transaction() as tables:
        await tables.intents.save(Intent(hub_id="1", state=LINKED, created_at=clock.now(), changed_at=clock.now()))
    with pytest.raises(ConfigError, match="belongs to"):
        await check_binding(store, identity(engine))


def test_a_rebound_store_is_accepted(stopped):
    main(["--config", str(stopped), "rebind", "--keep-links"])
    config = load_config(stopped)

    async def check():
        async with Store(config.store.path) as store:
            return await check_binding(store, identity_of(config, build_sink(config.sink, CLOCK, {})))

    assert anyio.run(check).by == "p21d rebind --keep-links"


@pytest.mark.parametrize("options", [[], ["--keep-links", "--drop-links"]])
def test_rebind_wants_exactly_one_way(stopped, options):
    assert main(["--config", str(stopped), "rebind", *options]) == 64
    assert counts(stopped)["fingerprints"] == 1


def test_rebind_is_refused_while_a_daemon_holds_the_store(stopped):
    config = load_config(stopped)

    async def hold() -> int:
        async with Store(config.store.path):
            return await anyio.to_thread.run_sync(main, ["--config", str(stopped), "rebind", "--drop-links"])

    assert anyio.run(hold) == 75
    assert counts(stopped)["links"] == 1


def test_the_identity_of_p21_names_all_companies_where_none_is_configured():
    from p21d.binding import prophet21_identity

    assert prophet21_identity(Prophet21Config(api_url="https://a.example")) == "https://a.example companies all"
