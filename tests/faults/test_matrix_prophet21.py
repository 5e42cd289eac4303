"""Every fault of P21, over real sockets: what is held and why, what goes on, how often P21 is asked, what is lost."""

from __future__ import annotations

import pytest

from p21d.sandbox.faults import Fault
from tests.faults.matrix import Case, check, play

TABLE = "*/inv_mast"
DENIED = "You are not authorized to access API. Please contact administrator to get access."
PERMISSION = ('"Allow OData API Service"', "Dataservice Permission for inv_mast", "scope must name the table")
PROXY = ("a proxy or a maintenance page", "prophet21.api_url")


def status(number: int, **more: object) -> Fault:
    return Fault(**{"kind": "status", "status": number, "path": TABLE, **more})


def broken(kind: str, **more: object) -> Fault:
    return Fault(**{"kind": kind, "path": TABLE, **more})


CASES = (
    Case(
        name="refused connection",
        side="prophet21",
        reason=r"^Prophet 21 cannot be reached: connection refused \(127\.0\.0\.1:\d+\)$",
        spares_companies=False,
    ),
    Case(name="reset in a body", side="prophet21", faults=(broken("reset"),), reason="Prophet 21 cannot be reached"),
    Case(name="cut off", side="prophet21", faults=(broken("truncate"),), reason="Prophet 21 cannot be reached"),
    Case(
        name="cut off, and the length fits",
        side="prophet21",
        faults=(broken("truncate", honest=True),),
        reason="inv_mast is not whole JSON",
    ),
    Case(
        name="page repeated",
        side="prophet21",
        faults=(broken("repeat_page", query="*top=15*"),),
        reason=r"sends the key \d+ of inv_mast twice",
    ),
    Case(name="no body", side="prophet21", faults=(broken("empty"),), reason="inv_mast is not whole JSON"),
    Case(name="broken JSON", side="prophet21", faults=(broken("bad_json"),), reason="inv_mast is not whole JSON"),
    Case(
        name="200 with HTML",
        side="prophet21",
        faults=(broken("html"),),
        reason="inv_mast with a web page instead of JSON",
        hint=PROXY,
    ),
    Case(
        name="200 with XML",
        side="prophet21",
        faults=(status(200, body="<feed/>", content_type="application/xml"),),
        reason="inv_mast with XML instead of JSON",
        hint=PROXY,
    ),
    Case(
        name="200 with a maintenance page for everything",
        side="prophet21",
        faults=(Fault(kind="html"),),
        reason="token|web page",
        hint=("prophet21.api_url",),
        spares_companies=False,
    ),
    Case(name="401 in the middle of a cycle", side="prophet21", faults=(status(401, after=1, times=1),), held=False),
    Case(
        name="401 of a table",
        side="prophet21",
        faults=(status(401),),
        reason="does not let this account read inv_mast",
        hint=PERMISSION,
    ),
    Case(
        name="401 of a missing permission",
        side="prophet21",
        faults=(status(401, body=DENIED),),
        reason="does not let this account read inv_mast",
        hint=PERMISSION,
    ),
    Case(
        name="403",
        side="prophet21",
        faults=(status(403),),
        reason="does not let this account read inv_mast",
        hint=PERMISSION,
    ),
    Case(
        name="404 on one table",
        side="prophet21",
        faults=(status(404),),
        reason=r"refuses to read inv_mast: table or column unknown \(404 Not Found\)",
        hint=("is inv_mast a table and not a view", '"Refresh OData API service" on /api/admin'),
    ),
    Case(
        name="404 with a page of the web server",
        side="prophet21",
        faults=(Fault(kind="status", status=404, body="<html>404 - File or directory not found.</html>"),),
        reason="no Prophet 21",
        hint=("prophet21.api_url",),
        spares_companies=False,
    ),
    Case(name="408", side="prophet21", faults=(status(408),), reason=r"cannot answer now \(408 Request Timeout"),
    Case(
        name="429, for seconds",
        side="prophet21",
        faults=(status(429, headers={"Retry-After": "180"}),),
        reason=r"cannot answer now \(429 Too Many Requests",
        asked_again=180.0,
    ),
    Case(
        name="429, until a date",
        side="prophet21",
        faults=(status(429, headers={"Retry-After": "date+180"}),),
        reason=r"cannot answer now \(429 Too Many Requests",
        asked_again=105.0,
    ),
    Case(
        name="429, with a wish nobody can read",
        side="prophet21",
        faults=(status(429, headers={"Retry-After": "\u00b2"}),),
        reason=r"cannot answer now \(429 Too Many Requests",
    ),
    Case(name="500 once", side="prophet21", faults=(status(500, times=1),), held=False),
    Case(name="500", side="prophet21", faults=(status(500, body="ORA"),), reason=r"cannot answer now \(500 .*: ORA\)"),
    Case(
        name="503 for an hour",
        side="prophet21",
        faults=(Fault(kind="status", status=503),),
        lasts=3600.0,
        reason=r"cannot answer now \(503|gives no token now \(503",
        spares_companies=False,
    ),
    Case(
        name="302 to a login page",
        side="prophet21",
        faults=(status(302, headers={"Location": "https://login.example/?key=1"}),),
        reason="elsewhere .302 to https://login.example/.; p21d does not follow",
        hint=("prophet21.api_url",),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_fault_of_prophet_21_holds_what_it_meets_and_costs_nothing(case, on):
    seen = await play(case, on)

    check(case, seen)
    await on.until_in_step()
    assert await on.letters() == []
