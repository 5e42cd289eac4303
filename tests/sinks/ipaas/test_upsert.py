from __future__ import annotations

import pytest
from msgspec.structs import replace

from p21d.errors import ParentMissing, RecordFailed, RecordRefused, Unavailable
from p21d.sandbox.faults import Fault
from p21d.sinks.port import Acknowledged, ChildDelivery, Link, Route
from tests.sinks.ipaas.records import address, customer, inventory, location, product


async def deliver(sink, *batch):
    answers = []
    await sink.deliver(batch, answers)
    return answers


async def deliver_one(sink, delivery):
    return (await deliver(sink, delivery))[0]


def calls(hub):
    return [f"{call.method} {call.path.split('?')[0].rpartition('/v2/')[2]}" for call in hub.requests]


async def test_a_new_record_takes_two_calls(sink, hub):
    answer = await deliver_one(sink, product())

    assert calls(hub) == ["POST External/LookupSpecial", "POST Catalog/Product"]
    assert answer.links == (Link("product", "ABC", answer.hub_id),)


async def test_a_known_record_takes_one_call(sink, hub):
    made = await deliver_one(sink, product())
    hub.counters.clear()

    await deliver_one(sink, product(body={"name": "Better valve"}, hub_id=made.hub_id))

    assert calls(hub) == [f"PUT Catalog/Product/{made.hub_id}"]
    assert hub.records("product")[0]["name"] == "Better valve"


async def test_a_record_linked_only_in_the_hub_is_updated(sink, hub):
    made = await deliver_one(sink, product())

    again = await deliver_one(sink, product(body={"name": "Better valve"}))

    assert again.hub_id == made.hub_id
    assert hub.records("product")[0]["name"] == "Better valve"


@pytest.mark.parametrize("ids", ["text", "numbers", "hex"])
async def test_children_come_back_with_their_links(sink, hub, ids):
    hub.settings.ids = ids

    answer = await deliver_one(sink, customer("12345", address("12345|1"), address("12345|2", "2 Oak St")))

    shown = {item["address_1"]: str(item["id"]) for item in hub.records("customer")[0]["addresses"]}
    assert answer.links[1:] == (
        Link("Address", "12345|1", shown["1 Main St"]),
        Link("Address", "12345|2", shown["2 Oak St"]),
    )


@pytest.mark.parametrize("mode", ["replace", "merge", "delete_absent_children"])
async def test_an_update_keeps_the_children_it_knows(sink, hub, mode):
    hub.settings.put_mode = mode
    made = await deliver_one(sink, customer("12345", address("12345|1")))
    known = address("12345|1", "9 New St", hub_id=made.links[1].hub_id)

    again = await deliver_one(sink, customer("12345", known, hub_id=made.hub_id))

    assert again.links == made.links
    assert [item["address_1"] for item in hub.records("customer")[0]["addresses"]] == ["9 New St"]


async def test_a_child_whose_link_was_lost_here_is_found_in_the_hub(sink, hub):
    made = await deliver_one(sink, customer("12345", address("12345|1")))

    again = await deliver_one(sink, customer("12345", address("12345|1", "9 New St"), hub_id=made.hub_id))

    assert again.links == made.links
    assert len(hub.records("customer")[0]["addresses"]) == 1


async def test_a_lost_link_is_repaired_before_the_acknowledgement(sink, hub):
    hub.settings.link_lost_next = 1

    answer = await deliver_one(sink, customer("12345", address("12345|1")))

    assert hub.link_writes == 2
    assert await sink.find(customer().route, "12345") == answer.hub_id


@pytest.mark.parametrize("lookup_answer", ["quoted", "bare", "escaped", "empty", "no_content"])
async def test_every_form_of_lookup_answer_leads_to_one_record(sink, hub, lookup_answer):
    hub.settings.lookup_answer = lookup_answer

    await deliver(sink, product(), product())

    assert len(hub.records("product")) == 1


@pytest.mark.parametrize(("status", "body"), [(201, True), (202, False), (204, False), (200, False)])
async def test_an_answer_without_a_body_still_gives_all_links(sink, hub, status, body):
    hub.settings.write_status, hub.settings.write_body = status, body

    answer = await deliver_one(sink, customer("12345", address("12345|1")))

    assert [link.external_id for link in answer.links] == ["12345", "12345|1"]
    assert answer.hub_id == str(hub.records("customer")[0]["id"])


async def test_an_answer_lost_after_the_commit_makes_no_second_record(sink, hub):
    hub.faults.add(Fault(kind="drop_after", path="*/Product", method="POST", times=1))
    with pytest.raises(Unavailable):
        await deliver(sink, product())

    answer = await deliver_one(sink, product())

    assert answer.hub_id == str(hub.records("product")[0]["id"])
    assert len(hub.records("product")) == 1


@pytest.mark.parametrize("collision", ["error", "remap_and_link", "update_and_link"])
async def test_an_answer_lost_together_with_the_link_ends_as_our_own_record(make_sink, hub, collision):
    sink = make_sink(collision=collision)
    hub.settings.link_lost_next = 1
    hub.faults.add(Fault(kind="drop_after", path="*/Product", method="POST", times=1))
    with pytest.raises(Unavailable):
        await deliver(sink, product())

    answer = await deliver_one(sink, product())

    assert await sink.find(product().route, "ABC") == answer.hub_id
    assert len(hub.records("product")) == 1


async def test_units_that_have_changed_since_their_links_were_lost_are_not_made_twice(sink, hub):
    hub.settings.link_lost_next = 1
    hub.faults.add(Fault(kind="drop_after", path="*/Product", method="POST", times=1))
    with pytest.raises(Unavailable):
        await deliver(sink, packed(each=1, case=12))

    answer = await deliver_one(sink, packed(each=1, case=24))

    [record] = hub.records("product")
    assert {unit["name"]: unit["conversion"] for unit in record["units"]} == {"EA": 1, "CASE": 24}
    assert len(record["units"]) == 2
    assert [link.hub_id for link in answer.links[1:]] == [str(unit["id"]) for unit in record["units"]]


async def test_units_without_links_of_a_record_whose_id_was_learned_elsewhere_are_not_made_twice(sink, hub):
    hub.settings.link_lost_next = 1
    hub.faults.add(Fault(kind="drop_after", path="*/Product", method="POST", times=1))
    with pytest.raises(Unavailable):
        await deliver(sink, packed(each=1, case=12))
    [made] = hub.records("product")

    answer = await deliver_one(sink, replace(packed(each=1, case=24), hub_id=str(made["id"])))

    [record] = hub.records("product")
    assert [link.hub_id for link in answer.links[1:]] == [str(unit["id"]) for unit in record["units"]]
    assert len(record["units"]) == 2


def packed(**units):
    """Return a product with its units, by name how many pieces each holds."""
    children = [
        ChildDelivery(external_id=f"ABC|{name}", body={"name": name, "conversion": pieces, "default_price": pieces * 2})
        for name, pieces in {"EA": units["each"], "CASE": units["case"]}.items()
    ]
    route = Route(resource="product", natural_key="sku", children={"units": "unit"})
    return replace(product(), route=route, children={"units": children})


async def test_what_was_answered_before_an_outage_stands(sink, hub):
    hub.faults.add(Fault(kind="status", status=503, path="*/Product", method="POST", after=1))
    answers = []

    with pytest.raises(Unavailable):
        await sink.deliver([product("A"), product("B"), product("C")], answers)

    assert [type(answer) for answer in answers] == [Acknowledged]


async def test_a_refused_record_does_not_hold_up_its_siblings(sink):
    answers = await deliver(sink, product("A", body={"type": "Imaginary"}), product("B"))

    assert isinstance(answers[0], RecordRefused)
    assert isinstance(answers[1], Acknowledged)


async def test_a_record_that_the_hub_dropped_is_created_anew(sink, hub):
    gone = product(hub_id="999999")

    answer = await deliver_one(sink, gone)

    assert answer.hub_id == str(hub.records("product")[0]["id"])


async def test_a_record_that_moved_is_updated_where_it_is(sink, hub):
    made = await deliver_one(sink, product())

    answer = await deliver_one(sink, product(body={"name": "Moved"}, hub_id="999999"))

    assert answer.hub_id == made.hub_id
    assert [item["name"] for item in hub.records("product")] == ["Moved"]


async def test_a_bare_404_creates_nothing(sink, hub):
    hub.faults.add(Fault(kind="status", status=404, path="*/Product/*"))

    with pytest.raises(Unavailable):
        await deliver(sink, product(hub_id="999999"))

    assert hub.records("product") == []


async def test_a_bare_404_is_believed_while_another_record_is_still_found(sink, hub):
    hub.settings.error_style = "reason"
    await deliver(sink, product("A"))

    answer = await deliver_one(sink, product("B", hub_id="999999"))

    assert isinstance(answer, Acknowledged)
    assert len(hub.records("product")) == 2


async def test_a_proxys_404_page_is_an_outage_even_for_a_lookup(sink, hub):
    hub.faults.add(Fault(kind="status", status=404, body="<html>not here</html>", path="*/LookupSpecial"))

    with pytest.raises(Unavailable):
        await deliver(sink, product())

    assert hub.writes == 0


async def test_a_vanished_child_id_does_not_stop_its_parent(sink, hub):
    made = await deliver_one(sink, customer("12345", address("12345|1")))

    answer = await deliver_one(sink, customer("12345", address("12345|1", hub_id="999999"), hub_id=made.hub_id))

    assert answer.links == made.links


async def test_a_child_record_goes_under_its_parent_with_numeric_ids(sink, hub):
    made, place = await deliver(sink, product(), location())

    answer = await deliver_one(sink, inventory(made.hub_id, place.hub_id))

    stored = hub.records("inventory")[0]
    assert (str(stored["parent_id"]), str(stored["location_id"])) == (made.hub_id, place.hub_id)
    assert answer.links == (Link("product inventory", "ABC|10", answer.hub_id),)


async def test_a_missing_parent_is_named_as_such(sink):
    made = await deliver_one(sink, product())

    assert isinstance(await deliver_one(sink, inventory(made.hub_id, "4242")), ParentMissing)


async def test_a_record_that_breaks_the_hub_fails_alone(sink, hub):
    hub.faults.add(Fault(kind="status", status=500, path="*/Product", method="POST", times=1))

    answers = await deliver(sink, product("A"), product("B"))

    assert isinstance(answers[0], RecordFailed)
    assert isinstance(answers[1], Acknowledged)


async def test_a_changed_external_id_is_linked_to_the_same_record(sink, hub):
    made = await deliver_one(sink, product("OLD"))

    await deliver_one(sink, product("NEW", hub_id=made.hub_id))

    assert await sink.find(product().route, "NEW") == made.hub_id
    assert len(hub.records("product")) == 1


async def test_members_without_a_value_are_left_out_and_empty_text_is_sent(sink, hub):
    await deliver_one(sink, product(body={"barcode": None, "description": ""}))

    sent = hub.requests[-1].body
    assert '"barcode"' not in sent
    assert '"description":""' in sent


async def test_a_member_is_renamed_or_left_out_by_the_configuration(make_sink, hub):
    sink = make_sink(members={"product": {"note": "description", "secret_price": ""}})

    await deliver_one(sink, replace(product(), body={**product().body, "note": "Brass", "secret_price": 1}))

    assert hub.records("product")[0]["description"] == "Brass"
    assert "secret_price" not in hub.requests[-1].body
