from __future__ import annotations

import pytest

from p21d.errors import ConfigError, Forbidden, Unavailable
from p21d.sandbox.faults import Fault
from tests.prophet21.orders.test_write import posts


async def test_check_passes_where_orders_can_be_written(p21, sandbox):
    await p21.orders.check(reference_field="po_no")
    await p21.orders.check(reference_field="job_name")
    assert posts(sandbox) == []


async def test_check_names_the_missing_permission(p21, sandbox):
    sandbox.settings.may_write_orders = False
    with pytest.raises(Forbidden, match="write orders"):
        await p21.orders.check(reference_field="po_no")


@pytest.mark.parametrize("table", ["oe_hdr", "oe_line", "inv_mast", "customer", "ship_to", "contacts"])
async def test_check_names_the_table_that_cannot_be_read(p21, sandbox, table):
    sandbox.settings.forbidden_tables = {table}
    with pytest.raises(Forbidden, match=table):
        await p21.orders.check(reference_field="po_no")


async def test_check_refuses_a_field_the_window_does_not_have(p21):
    with pytest.raises(ConfigError) as raised:
        await p21.orders.check(reference_field="hub_ref")
    assert raised.value.path == "orders.reference_field"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="status", status=500, body="", path="*/definition/Order"),
        Fault(kind="html", path="*/definition/Order"),
        Fault(kind="drop_before", path="*/definition/Order"),
        Fault(kind="status", status=404, path="*/definition/Order"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
async def test_check_tells_an_api_that_does_not_answer(p21, sandbox, fault):
    sandbox.faults.add(fault)
    with pytest.raises(Unavailable):
        await p21.orders.check(reference_field="po_no")
