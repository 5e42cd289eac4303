"""From rows to records: the one place where a plug-in's functions are called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from p21d.engine.fuse import FAILED, LOOPED, UNDECODABLE, Fuse
from p21d.engine.interrupt import NotComingBack, armed
from p21d.engine.plan import Plan
from p21d.engine.work import Outgoing, Work
from p21d.errors import RecordError
from p21d.http import describe
from p21d.plugin import DeleteConvention, Record, RelatedRows, Row, Skip
from p21d.prophet21.page import Page, Undecodable
from p21d.store.dead_letter import DeadLetter

ROW_DELETED = 700
"""P21's code for a deleted row in `row_status_flag` and `row_status` (facts 4.1)."""
MAX_ITEMS = 10_000
"""Records or parents of one row; a generator without an end would fill the memory."""

T = TypeVar("T")


def build(plan: Plan, page: Page[Any], related: RelatedRows, fuse: Fuse | None = None) -> list[Work]:
    """Return one piece of work per row of the page, rows that do not decode first; `fuse` raises PluginFailed."""
    works = [undecodable(plan, row, page.read_at) for row in page.undecodable]
    with armed() as calls:
        for row in page.rows:
            calls.next()
            works.append(work := build_row(plan, row, related, page.read_at))
            if work.letters and fuse is not None:
                fuse.note(work)  # not after the page: each stops the whole daemon for seconds
    return works


def undecodable(plan: Plan, row: Undecodable, read_at: datetime) -> Work:
    """Dead-letter a row whose columns are not of the declared types; its page goes on."""
    work = Work(row.key, "", read_at)
    hint = f"the plug-in {plan.plugin} declares another type for that column, or the column is null"
    work.dead_letter(row_letter(plan, row.key, UNDECODABLE, row.error, hint))
    return work


def row_letter(plan: Plan, key: str, code: str, error: str, hint: str) -> DeadLetter:
    """Return the dead letter of a row that did not become a record."""
    return DeadLetter(entity=plan.name, key=key, code=code, error=error, hint=hint, plugin=plan.plugin)


def build_row(plan: Plan, row: Row, related: RelatedRows, read_at: datetime) -> Work:
    """Ask the plug-in for the row's parents and records; whatever it does instead dead-letters the row alone."""
    key, page_key = plan.keys_of(row)
    work = Work(key, page_key, read_at, deleted=is_deleted(plan, row))
    with blamed_on_plug_in(plan, work):
        outcome = plan.entity.records(row, related)
        if isinstance(outcome, Skip):
            work.skip(outcome.reason)
            # deleted as well, it may have to become inactive, and the sink may want its parents named in that
            work.parents = several(plan.entity.parents(row, related)) if work.deleted else ()
        else:
            work.parents = several(plan.entity.parents(row, related))
            work.records = [outgoing(plan, row, record) for record in listed(outcome)]
        work.mark = plan.mark(row) if plan.mark is not None else None
    return work


class blamed_on_plug_in:  # noqa: N801  # it reads as what it does: `with blamed_on_plug_in(plan, work):`
    """Dead-letter the row where its plug-in fails, or where what the plug-in returned cannot be used.

    Why no generator: it is entered for each row, and this takes a third of the time.
    """

    __slots__ = ("_plan", "_work")

    def __init__(self, plan: Plan, work: Work) -> None:
        self._plan = plan
        self._work = work

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if error is None:
            return False
        plan, work = self._plan, self._work
        if isinstance(error, RecordError):  # a related row that does not decode
            work.dead_letter(row_letter(plan, work.key, error.code, error.message, error.hint))
        else:  # a plug-in may do anything, sys.exit() too; nothing is awaited here
            hint = f"an error inside the plug-in {plan.plugin}; mend it, reload, and replay this dead letter"
            code = LOOPED if isinstance(error, NotComingBack) else FAILED
            work.dead_letter(row_letter(plan, work.key, code, words_of(error), hint))
        return True


def words_of(error: BaseException) -> str:
    """Describe an error of a plug-in, whose words may fail as well."""
    try:
        return describe(error)
    except BaseException:  # noqa: BLE001  # as above
        return type(error).__name__


def listed(outcome: Record | Sequence[Record]) -> Sequence[Record]:
    """Return the records of a plug-in's answer, which may be one or several; raises TypeError for anything else."""
    if isinstance(outcome, Record):
        return [outcome]
    records = several(outcome)
    if not records or not all(isinstance(record, Record) for record in records):
        raise TypeError(f"records() must return a Record, a non-empty list of them, or a Skip, not {outcome!r:.80}")
    return records


def several(answer: Iterable[T]) -> list[T]:
    """Return a plug-in's answer as a list; raises ValueError where it has no end."""
    if answer == ():
        return []
    items = list(islice(answer, MAX_ITEMS + 1))
    if len(items) > MAX_ITEMS:
        raise ValueError(f"a row has more than {MAX_ITEMS} records or parents")
    return items


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
