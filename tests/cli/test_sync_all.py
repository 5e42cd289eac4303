"""`p21d sync ENTITY --all`: asked for, refused in company, and what it says when it asks back."""

from __future__ import annotations

import pytest

from p21d.control.answers import SyncAnswer
from p21d.engine.fate import Tally


def request_of(daemon):
    return next(asked[1] for asked in daemon.asked if asked[0] == "sync")


def test_all_keys_are_asked_for(p21d, daemon):
    assert p21d("sync", "customer", "--all", "--force").code == 0
    request = request_of(daemon)
    assert (request.all, request.force, request.confirm_removals, request.wait) == (True, True, False, False)


def test_removals_are_confirmed(p21d, daemon):
    p21d("sync", "customer", "--all", "--confirm-removals", "--wait")
    assert request_of(daemon).confirm_removals


@pytest.mark.parametrize("more", [["1"], ["--days", "2"], ["--since", "2026-12-01"]])
def test_all_stands_alone(p21d, daemon, more):
    assert p21d("sync", "customer", "--all", *more).code == 64


def test_a_confirmation_without_all_is_wrong_usage(p21d, daemon):
    assert p21d("sync", "customer", "--confirm-removals").code == 64


def test_a_backfill_that_asks_names_the_command_and_exits_1(p21d, daemon, monkeypatch):
    async def sync(request):
        return SyncAnswer(entity="customer", status="asks", note="40 delivered records are gone", tally=Tally(read=3))

    monkeypatch.setattr(daemon, "sync", sync)
    ended = p21d("sync", "customer", "--all", "--wait")
    assert ended.code == 1
    assert "40 delivered records are gone" in ended.err
    assert "p21d sync customer --all --confirm-removals" in ended.err
