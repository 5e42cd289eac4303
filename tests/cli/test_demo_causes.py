from __future__ import annotations

from datetime import UTC, datetime

from p21d.cli.demo_causes import causes
from p21d.control.answers import DeadLetterAnswer

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def letter(name: str, error: str, parent: str = "") -> DeadLetterAnswer:
    """Return the dead letter of `entity key`, with what it waited for."""
    entity, _, key = name.partition(" ")
    parent_entity, _, parent_key = parent.partition(" ")
    texts = dict.fromkeys(("external_id", "code", "hint", "plugin", "body"), "")
    parents = {"parent_entity": parent_entity, "parent_key": parent_key}
    named = {"id": 1, "entity": entity, "key": key, "error": error, "attempts": 1, "times": 1}
    return DeadLetterAnswer(**named, **texts, **parents, first_at=NOW, last_at=NOW)


def test_a_refused_parent_stands_once_with_the_count_of_what_it_took_along():
    [cause] = causes(
        [
            letter("tracking 7", "its parent transaction 1 is not delivered: ...", "transaction 1"),
            letter("transaction 1", "its parent company A is not delivered: refused", "company A"),
            letter("transaction 2", "its parent company A is not delivered: refused", "company A"),
            letter("company A", "refused"),
        ]
    )
    assert cause.text == "company A is not delivered: refused"
    assert cause.went_with_it == "3 records went with it: tracking 1, transaction 2"


def test_a_parent_that_is_no_dead_letter_is_a_cause_as_well():
    [cause] = causes([letter("transaction 1", "its parent company A is not delivered: skipped, deleted", "company A")])
    assert cause.text == "company A is not delivered: skipped, deleted"
    assert cause.went_with_it == "1 record went with it: transaction 1"


def test_a_record_refused_for_itself_takes_nothing_along():
    [cause] = causes([letter("company A", "refused")])
    assert cause.went_with_it == ""
