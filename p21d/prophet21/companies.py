"""The companies of P21, read to tell whether the operator has to choose."""

from __future__ import annotations

from p21d.plugin import Row, clean, yes
from p21d.prophet21.paging import Pager
from p21d.prophet21.reading import Reading

ENOUGH_ROWS = 50
"""More than one is all that matters, and deleted ones may come first."""


class Company(Row, frozen=True):
    """A row of `company`."""

    company_id: str
    delete_flag: str | None = None


READING = Reading(table="company", row=Company, key=("company_id",), page_by=("company_id",))


async def company_ids(pager: Pager) -> list[str]:
    """Return the ids of companies that are not deleted, the first few where there are many."""
    answer = await pager.ask(READING, "", after=None, top=ENOUGH_ROWS)
    return [clean(row.company_id) for row in answer.decoded.rows if not yes(row.delete_flag)]
