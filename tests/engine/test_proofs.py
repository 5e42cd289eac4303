"""What is proven of P21 before an entity's first cycle, and that a restart does not prove it again."""

from __future__ import annotations

import pytest

from p21d.control.screen import Screen
from p21d.errors import ReadRefused, Unavailable
from p21d.prophet21.proofs import Needs
from p21d.sandbox.faults import Fault
from tests.engine.world import PARENTS_FIRST, Engine


async def prove(engine: Engine, entity: str, *, again: bool = False) -> None:
    plan = engine.plan(entity)
    needs = Needs.of(plan.entity, plan.reading, plugin=plan.plugin, columns=plan.settings.columns)
    await engine.connection.source.prove(needs, again=again)


def shown(engine: Engine) -> dict[str, str]:
    return {proof.name: proof.result for proof in engine.connection.source.statistics().proofs}


def bad(engine: Engine) -> list[str]:
    return [proof.name for proof in engine.connection.source.statistics().proofs if not proof.good]


def asked(engine: Engine) -> list[str]:
    """Return the tables that P21 was asked for, serverinfo and $metadata among them."""
    return [seen.path.rsplit("/", 1)[-1] for seen in engine.served.p21.requests if seen.method == "GET"]


async def test_the_first_sync_proves_what_the_entity_needs(engine):
    await engine.runner("company").sync_keys(["01|1"], force=False)
    assert bad(engine) == []
    assert shown(engine)["read table/customer"] == "readable"
    assert shown(engine)["date literal table/customer"] == "offset is understood"
    assert {"read table/ship_to", "columns table/address", "clock"} <= shown(engine).keys()


async def test_nothing_is_asked_before_the_first_use(engine):
    assert asked(engine) == []


async def test_a_restart_asks_only_what_may_have_changed_meanwhile(make):
    first = make()
    for entity in PARENTS_FIRST:
        await prove(first, entity)
    again = make()
    again.served.p21.journal.clear()
    for entity in PARENTS_FIRST:
        await prove(again, entity)
    assert asked(again) == ["serverinfo", "location"]  # the build, and the offset on the newest stamp
    assert shown(again) == shown(first)


async def test_another_build_of_p21_is_proven_anew(make):
    await prove(make(), "company")
    again = make()
    again.served.p21.settings.version = "26.2.6001.1"
    again.served.p21.journal.clear()
    await prove(again, "company")
    assert {"$metadata", "customer", "ship_to", "address"} <= set(asked(again))


async def test_a_p21_that_does_not_tell_its_build_is_proven_too(make):
    engine = make()
    engine.served.p21.settings.version = ""
    await prove(engine, "company")
    assert shown(engine)["read table/customer"] == "readable"


async def test_one_reading_of_the_metadata_serves_all_entities(engine):
    for entity in PARENTS_FIRST:
        await prove(engine, entity)
    assert asked(engine).count("$metadata") == 1


async def test_a_missing_column_is_named_before_its_table_is_read(engine):
    engine.served.p21.settings.missing_columns = {"customer": {"ar_account_no"}}
    with pytest.raises(
        ReadRefused, match=r"no column ar_account_no in customer, which the plug-in \S+company.py reads"
    ):
        await prove(engine, "company")
    assert "customer" not in asked(engine)
    assert bad(engine) == ["columns table/customer"]


async def test_a_missing_column_of_a_required_related_table_is_found_too(engine):
    engine.served.p21.settings.missing_columns = {"item_uom": {"unit_size"}}
    with pytest.raises(ReadRefused, match="no column unit_size in item_uom"):
        await prove(engine, "product")


async def test_a_missing_column_holds_its_entity_alone(engine):
    engine.served.p21.settings.missing_columns = {"item_uom": {"unit_size"}}
    with pytest.raises(ReadRefused):
        await prove(engine, "product")
    await prove(engine, "product_inventory")


async def test_a_column_that_appears_is_seen_although_the_build_is_the_same(engine):
    engine.served.p21.settings.missing_columns = {"customer": {"ar_account_no"}}
    with pytest.raises(ReadRefused):
        await prove(engine, "company")
    engine.served.p21.settings.missing_columns = {}
    await prove(engine, "company", again=True)
    assert bad(engine) == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="status", path="*$metadata", status=500),
        Fault(kind="status", path="*$metadata", status=401, body="You are not authorized to access API."),
        Fault(kind="truncate", path="*$metadata", honest=True),
        Fault(kind="html", path="*$metadata"),
    ],
)
async def test_unreadable_metadata_is_noted_and_no_more(engine, fault):
    engine.served.p21.faults.add(fault)
    await prove(engine, "company")
    assert shown(engine)["columns table/customer"].startswith("not compared: ")
    assert shown(engine)["read table/customer"] == "readable"
    assert engine.served.p21.tokens.minted == 1


async def test_a_form_of_date_that_nobody_understands_holds_the_entity(engine):
    refusal = Fault(
        kind="status", path="*/table/customer", query="*date_last_modified ge*", status=404, body="Syntax error"
    )
    engine.served.p21.faults.add(refusal)
    with pytest.raises(ReadRefused, match="no form of date"):
        await prove(engine, "company")
    assert bad(engine) == ["date literal table/customer"]


async def test_an_empty_table_proves_no_form_and_is_asked_again(make):
    engine = make(entities={"company": {"filter": "customer_name eq 'NOBODY'"}})
    await prove(engine, "company")
    assert shown(engine)["date literal table/customer"].startswith("not proven")
    assert await engine.store.read.proofs.result("date literal table/customer, offset first", "26.1.5950.1") is None


async def test_a_skew_above_settle_is_a_warning(engine, log_lines):
    engine.served.p21.settings.clock_skew_seconds = 300
    await prove(engine, "location")
    await prove(engine, "company")
    assert bad(engine) == ["clock"]
    assert "prophet21.settle" in shown(engine)["clock"]
    assert [line["event"] for line in log_lines].count("skew") == 1


async def test_a_p21_that_is_down_at_the_start_is_proven_later(engine):
    number = engine.served.p21.faults.add(Fault(kind="drop_before"))
    with pytest.raises(Unavailable):
        await prove(engine, "company")
    assert bad(engine) == []
    engine.served.p21.faults.remove(number)
    await prove(engine, "company")
    assert bad(engine) == []


async def test_several_companies_must_be_named(make):
    engine = make(prophet21={"companies": []})
    with pytest.raises(ReadRefused, match=r"more than one company \(01, 02\), so prophet21.companies is required"):
        await prove(engine, "company")


async def test_an_entity_without_company_goes_on_where_none_is_named(make):
    engine = make(prophet21={"companies": []})
    await prove(engine, "product")


async def test_a_deleted_company_does_not_count(make):
    engine = make(prophet21={"companies": []})
    engine.p21.change("company", {"company_id": "02"}, delete_flag="Y")
    await prove(engine, "company")
    assert shown(engine)["companies"] == "one, 01"


async def test_a_table_of_companies_that_may_not_be_read_is_noted(make):
    engine = make(prophet21={"companies": []})
    engine.served.p21.settings.forbidden_tables = {"company"}
    await prove(engine, "company")
    assert shown(engine)["companies"].startswith("not counted")


async def test_the_order_of_a_text_key_is_proven_once_for_all_restarts(make):
    small = {"prophet21": {"page_rows": 10}}
    first = make(**small)
    await first.sweep("customer")
    again = make(**small)
    again.served.p21.journal.clear()
    await again.sweep("customer")
    assert again.reads_of("contacts")
    assert not [query for query in again.reads_of("contacts") if "top=3" in query]


async def test_status_shows_what_is_proven_and_what_is_not(engine, tmp_path):
    engine.served.p21.settings.forbidden_tables = {"ship_to"}
    runner = engine.runner("company")
    await runner.gate.hold.attempt(lambda: runner.sync_keys([], force=False))
    now = engine.clock.now()
    screen = Screen(engine.assembly.supervisor, engine.clock, started_at=now, config_path=tmp_path)
    prophet21 = (await screen.status([])).prophet21
    assert {proof.name: proof.good for proof in prophet21.proofs}["read table/ship_to"] is False
    assert prophet21.detail["proofs"] == f"{len(prophet21.proofs) - 1} of {len(prophet21.proofs)} good"
