from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p21d.prophet21.zone import ServerZone, earliest_wall

NAMES = ["America/New_York", "America/Phoenix", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"]
INSTANTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
LATER = st.timedeltas(timedelta(0), timedelta(days=2))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def wall_of(literal: str) -> datetime:
    return datetime.fromisoformat(literal).replace(tzinfo=None)


def wall_at(instant: datetime, name: str) -> datetime:
    return instant.astimezone(ZoneInfo(name)).replace(tzinfo=None, fold=0)


@given(INSTANTS, LATER, st.sampled_from(NAMES))
def test_no_later_row_carries_a_stamp_below_low(instant, later, name):
    assert wall_at(instant + later, name) >= earliest_wall(instant, ZoneInfo(name))


@given(INSTANTS, st.sampled_from(NAMES))
def test_low_reaches_back_by_no_more_than_a_change_of_the_clock(instant, name):
    assert earliest_wall(instant, ZoneInfo(name)) >= wall_at(instant, name) - timedelta(hours=1)


@given(INSTANTS, LATER, st.sampled_from(["America/New_York", "Europe/Berlin", "America/Anchorage"]), INSTANTS)
def test_a_fixed_offset_learned_at_any_time_loses_nothing(instant, later, name, learned_at):
    zone = ServerZone()
    zone.observe(learned_at.astimezone(ZoneInfo(name)).isoformat())
    assert wall_at(instant + later, name) >= wall_of(zone.low_literal(instant))


@given(INSTANTS, st.sampled_from(NAMES))
def test_an_unknown_zone_loses_nothing(instant, name):
    assert wall_at(instant, name) >= wall_of(ServerZone().low_literal(instant))


@given(INSTANTS, LATER, st.sampled_from(NAMES), st.sampled_from(["offset", "utc"]))
def test_a_literal_that_p21_converts_to_its_zone_loses_nothing(instant, later, name, form):
    literal = ServerZone(time_zone=name, date_literal=form).low_literal(instant)
    assert wall_at(at(literal), name) <= wall_at(instant + later, name)


@pytest.mark.parametrize(
    ("form", "literal"),
    [
        ("offset", "2026-11-02T10:00:00.250-05:00"),
        ("wall_z", "2026-11-02T10:00:00.250Z"),
        ("utc", "2026-11-02T15:00:00.250Z"),
        ("plain", "2026-11-02T10:00:00.250"),
    ],
)
def test_each_form_of_literal(form, literal):
    zone = ServerZone(time_zone="America/New_York", date_literal=form)
    assert zone.low_literal(at("2026-11-02T15:00:00.250999+00:00")) == literal


def test_in_the_doubled_hour_low_is_its_first_reading():
    zone = ServerZone(time_zone="America/New_York")
    assert zone.low_literal(at("2026-11-01T05:50:00+00:00")) == "2026-11-01T01:00:00.000-04:00"


def test_when_clocks_go_forward_low_is_the_plain_reading():
    zone = ServerZone(time_zone="America/New_York")
    assert zone.low_literal(at("2026-03-08T06:50:00+00:00")) == "2026-03-08T01:50:00.000-05:00"
    assert zone.low_literal(at("2026-03-08T07:10:00+00:00")) == "2026-03-08T03:10:00.000-04:00"


def test_a_printed_offset_that_disagrees_is_used_and_told():
    zone = ServerZone(time_zone_offset="-05:00")
    zone.observe("2026-07-01T10:00:00.507-04:00")
    assert zone.notice == "P21 prints -04:00, time_zone_offset says -05:00; P21's is used"
    assert zone.name == "-04:00"
    assert zone.low_literal(at("2026-07-01T14:00:00+00:00")) == "2026-07-01T09:00:00.000-04:00"


def test_a_zone_that_is_wrong_is_named():
    zone = ServerZone(time_zone="America/Chicago")
    zone.observe("2026-07-01T10:00:00-04:00")
    assert zone.notice == "P21 prints -04:00, time_zone America/Chicago says -05:00; P21's is used"


def test_a_zone_that_agrees_stays_in_use():
    zone = ServerZone(time_zone="America/New_York")
    zone.observe("2026-07-01T10:00:00-04:00")
    zone.observe("2026-11-01T01:10:00-05:00")
    assert (zone.name, zone.notice) == ("America/New_York", "")


def test_the_notice_goes_when_newer_stamps_agree():
    zone = ServerZone(time_zone="America/New_York")
    zone.observe("2026-07-01T10:00:00-05:00")
    assert zone.notice
    zone.observe("2026-07-02T10:00:00-04:00")
    assert (zone.name, zone.notice) == ("America/New_York", "")


def test_an_older_stamp_does_not_unlearn_the_newest():
    zone = ServerZone(time_zone_offset="-05:00")
    zone.observe("2026-07-01T10:00:00-04:00")
    zone.observe("2026-01-01T10:00:00-05:00")
    assert zone.name == "-04:00"


@pytest.mark.parametrize(
    "stamp", ["", "odd", "2026-07-01T10:00:00", "1998-07-01T10:00:00-06:00", "2099-01-01T10:00:00-06:00"]
)
def test_stamps_that_prove_nothing_are_passed_over(stamp):
    zone = ServerZone(time_zone="America/New_York")
    zone.observe(stamp, at("2026-07-02T10:00:00+00:00"))
    assert zone.name == "America/New_York"
