"""The generations of refusals, the forms of lists, and answers a client must not break on."""

from __future__ import annotations

import json

import pytest

from p21d.sandbox.hub.record_types import RECORD_TYPES
from tests.sandbox.hub.bodies import customer, line, order, product

SENTENCE = "The customer_number field is required"


async def refuse(api, hub, style, reason_text="plain"):
    hub.settings.change({"error_style": style, "reason_text": reason_text})
    return await api.post("/customers/v2/Customer", customer(customer_number=""))


@pytest.mark.parametrize(
    ("style", "reason"), [("reason", SENTENCE), ("reason_code", f"{SENTENCE} [VALD-1002]"), ("both", SENTENCE)]
)
async def test_the_reason_phrase_holds_the_sentence(api, hub, style, reason):
    answer = await refuse(api, hub, style)
    assert (answer.status, answer.reason) == (400, reason)


async def test_the_older_generation_has_no_body(api, hub):
    assert (await refuse(api, hub, "reason")).text == ""


@pytest.mark.parametrize("style", ["body", "both"])
async def test_the_newer_generation_has_code_message_and_link(api, hub, style):
    answer = (await refuse(api, hub, style)).json
    assert (answer["code"], answer["message"]) == ("VALD-1002", SENTENCE)
    assert answer["help_url"].startswith("https://")


async def test_problem_details_hold_the_code_in_their_detail(api, hub):
    answer = await refuse(api, hub, "problem")
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert "VALD-1002" in answer.json["detail"]


@pytest.mark.parametrize(("style", "content"), [("text", "VALD-1002"), ("html", "<h1>400 Error</h1>")])
async def test_a_refusal_can_be_text_or_a_proxys_page(api, hub, style, content):
    assert content in (await refuse(api, hub, style)).text


@pytest.mark.parametrize("reason_text", ["long", "non_ascii", "quotes"])
async def test_the_reason_phrase_can_be_odd(api, hub, reason_text):
    answer = await refuse(api, hub, "reason", reason_text)
    assert answer.reason.startswith(SENTENCE)
    assert len(answer.reason) > len(SENTENCE)


async def test_a_list_is_a_bare_array_found_by_a_field(api, hub):
    hub.create("product", **product("A1"))
    hub.create("product", **product("B1"))
    found = (await api.get("/products/v2/Catalog/Products", action="equals", Sku="b1")).json
    assert [record["sku"] for record in found] == ["B1"]


async def test_a_list_is_found_by_a_field_that_is_not_unique(api, hub):
    hub.create("customer", **customer("1", email_address="ann@acme.example"))
    hub.create("customer", **customer("2"))
    found = (await api.get("/customers/v2/Customers", action="equals", EmailAddress="Ann@acme.example")).json
    assert [record["customer_number"] for record in found] == ["1"]


async def test_an_unknown_filter_field_is_refused(api):
    assert (await api.get("/customers/v2/Customers", action="equals", Colour="red")).code == "VALD-1036"


async def test_a_filter_can_be_ignored(api, hub):
    hub.settings.filter_ignored = True
    hub.create("product", **product("A1"))
    assert len((await api.get("/products/v2/Catalog/Products", action="equals", Sku="b1")).json) == 1


async def test_inactive_records_are_listed_only_where_that_is_set(api, hub):
    hub.create("location", name="Main")
    await api.delete("/products/v2/Catalog/Location/17")
    counts = []
    for shown in (False, True):
        hub.settings.lists_show_inactive = shown
        counts.append(len((await api.get("/products/v2/Catalog/Locations")).json))
    assert counts == [0, 1]


async def pages(api, hub, paging, count=3):
    hub.settings.paging = paging
    for number in range(5):
        hub.create("location", name=f"L{number}")
    answers = [
        await api.get("/products/v2/Catalog/Locations", pageNumber=page, pageSize=2) for page in range(1, count + 1)
    ]
    return [[record["name"] for record in answer.json] for answer in answers], answers


async def test_pages_are_told_by_a_header(api, hub):
    names, answers = await pages(api, hub, "header")
    assert names == [["L0", "L1"], ["L2", "L3"], ["L4"]]
    header = json.loads(answers[1].headers["X-Pagination"])
    assert header == {
        "total_Count": 5,
        "page_Size": 2,
        "current_Page": 2,
        "total_Pages": 3,
        "previous_Page": 1,
        "next_Page": 3,
    }


async def test_without_the_header_there_is_one_page(api, hub):
    names, answers = await pages(api, hub, "none", 1)
    assert (len(names[0]), "X-Pagination" in answers[0].headers) == (5, False)


async def test_totals_can_be_wrong(api, hub):
    names, answers = await pages(api, hub, "wrong_totals", 4)
    assert names[3] == []
    assert json.loads(answers[3].headers["X-Pagination"])["total_Pages"] == 3000


async def test_the_page_size_can_be_ignored(api, hub):
    assert len((await pages(api, hub, "size_ignored", 1))[0][0]) == 5


async def test_a_page_can_be_repeated(api, hub):
    names, _ = await pages(api, hub, "page_repeated")
    assert names == [["L0", "L1"]] * 3


@pytest.mark.parametrize("switch", ["null_members", "missing_members", "unknown_members"])
async def test_members_that_are_never_null_are_never_null(api, hub, switch):
    hub.create("product", **product())
    setattr(hub.settings, switch, True)
    record = (await api.post("/transactions/v2/Transaction", order(lines=[line()], notes=None))).json
    for kind, shown in (("transaction", record), ("line", record["lines"][0])):
        fixed = (*RECORD_TYPES[kind].never_null, *RECORD_TYPES[kind].instants)
        assert [name for name in fixed if name in shown and shown[name] is None] == []


async def test_members_without_content_can_be_null_or_missing_or_joined_by_unknown_ones(api, hub):
    hub.settings.null_members = True
    assert (await api.post("/transactions/v2/Transaction", order("1"))).json["lines"] is None
    hub.settings.change({"null_members": False, "missing_members": True})
    assert "lines" not in (await api.post("/transactions/v2/Transaction", order("2"))).json
    hub.settings.unknown_members = True
    assert "new_member" in (await api.post("/transactions/v2/Transaction", order("3"))).json


@pytest.mark.parametrize(("status", "empty"), [(201, False), (202, False), (204, True)])
async def test_a_write_can_be_answered_with_another_success(api, hub, status, empty):
    hub.settings.write_status = status
    answer = await api.post("/products/v2/Catalog/Product", product())
    assert (answer.status, answer.text == "") == (status, empty)


async def test_a_write_can_be_answered_without_a_body(api, hub):
    hub.settings.write_body = False
    assert (await api.post("/products/v2/Catalog/Product", product())).text == ""
