"""From rows to records: the one place where a plug-in's functions are called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from p21d.engine.plan import Plan
from p21d.engine.work import Outgoing, Work
from p21d.errors import RecordError
from p21d.http import describe
from p21d.keys import key_text
from p21d.plugin import DeleteConvention, Record, RelatedRows, Row, Skip
from p21d.prophet21.page import Page, Undecodable
from p21d.store.dead_letter import DeadLetter

ROW_DELETED = 700
"""P21's code for a deleted row in `row_status_flag` and `row_status` (facts 4.1)."""


def build(plan: Plan, page: Page[Any], related: RelatedRows) -> list[Work]:
    """Return one piece of work per row of the page, rows that do not decode first."""
    broken = [undecodable(plan, row, page.read_at) for row in page.undecodable]
    return broken + [build_row(plan, row, related, page.read_at) for row in page.rows]


def undecodable(plan: Plan, row: Undecodable, read_at: datetime) -> Work:
    """Dead-letter a row whose columns are not of the declared types; its page goes on."""
    work = Work(row.key, "", read_at)
    hint = f"the plug-in {plan.plugin} declares another type for that column, or the column is null"
    work.dead_letter(row_letter(plan, row.key, "row", row.error, hint))
    return work


def row_letter(plan: Plan, key: str, code: str, error: str, hint: str) -> DeadLetter:
    """Return the dead letter of a row that did not become a record."""
    return DeadLetter(entity=plan.name, key=key, code=code, error=error, hint=hint, plugin=plan.plugin)


def build_row(plan: Plan, row: Row, related: RelatedRows, read_at: datetime) -> Work:
    """Ask the plug-in for the row's parents and records; an exception of its own dead-letters the row alone."""
    work = Work(plan.key_of(row), page_key_of(plan, row), read_at, deleted=is_deleted(plan, row))
    with blamed_on_plug_in(plan, work):
        outcome = plan.entity.records(row, related)
        if isinstance(outcome, Skip):
            work.skip(outcome.reason)
            # deleted as well, it may have to become inactive, and the sink may want its parents named in that
            work.parents = list(plan.entity.parents(row, related)) if work.deleted else ()
        else:
            work.parents = list(plan.entity.parents(row, related))
            work.records = [outgoing(plan, row, record) for record in listed(outcome)]
        work.mark = plan.mark(row) if plan.mark is not None else None
    return work


@contextmanager
def blamed_on_plug_in(plan: Plan, work: Work) -> Iterator[None]:
    """Dead-letter the row where its plug-in fails, or where what the plug-in returned cannot be used."""
    try:
        yield
    except RecordError as error:  # a related row that does not decode
        work.dead_letter(row_letter(plan, work.key, error.code, error.message, error.hint))
    except Exception as error:  # noqa: BLE001  # a plug-in may do anything, and only its row may suffer
        hint = f"an error inside the plug-in {plan.plugin}; mend it, reload, and replay this dead letter"
        work.dead_letter(row_letter(plan, work.key, "plug-in", describe(error), hint))


def page_key_of(plan: Plan, row: Row) -> str:
    """Return the text of the columns the row was paged by."""
    return key_text(getattr(row, column) for column in plan.reading.page_by)


def listed(outcome: Record | Sequence[Record]) -> Sequence[Record]:
    """Return the records of a plug-in's answer, which may be one or several; raises TypeError for anything else."""
    records = [outcome] if isinstance(outcome, Record) else list(outcome)
    if not records or not all(isinstance(record, Record) for record in records):
        raise TypeError(f"records() must return a Record, a non-empty list of them, or a Skip, not {outcome!r:.80}")
    return records


def outgoing(plan: Plan, row: Row, record: Record) -> Outgoing:
    """Name a record by its external id and map it; raises KeyError or ValueError where the template has no value."""
    external_id = plan.external_id_of(record.external_id)
    if not external_id.strip("|"):
        raise ValueError(f"the external id {plan.template!r} is empty for this row")
    body = plan.fields.laid_over(record.body, row)
    return Outgoing(external_id, body, record.children, former=tuple(record.former))


def is_deleted(plan: Plan, row: Row) -> bool:
    """Tell whether the row is deleted by its table's convention."""
    match plan.entity.deleted:
        case DeleteConvention.NONE:
            return False
        case DeleteConvention.DELETE_FLAG:
            flag: Any = getattr(row, "delete_flag", None)
            return bool(flag) and str(flag).strip().upper() == "Y"
        case convention:
            return getattr(row, convention.value, None) == ROW_DELETED
