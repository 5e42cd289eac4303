"""From where a cycle reads, and where its end moves the watermark."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from p21d.config import EntityConfig
from p21d.engine.window import high_of, low_of, sweep_interval_seconds

NOW = datetime(2026, 11, 2, 15, 0, tzinfo=UTC)
SETTINGS = EntityConfig(poll_search_days=4, overlap=600)
watermarks = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400)).map(lambda age: NOW - age)


def test_a_poll_reopens_the_overlap_below_the_watermark():
    assert low_of("poll", SETTINGS, NOW, NOW - timedelta(minutes=5)) == NOW - timedelta(minutes=15)


def test_a_sweep_reads_the_whole_look_back():
    assert low_of("sweep", SETTINGS, NOW, NOW - timedelta(minutes=5)) == NOW - timedelta(days=4)


def test_after_a_downtime_longer_than_the_look_back_a_sweep_reads_from_the_watermark():
    watermark = NOW - timedelta(days=9)
    assert low_of("sweep", SETTINGS, NOW, watermark) == watermark - timedelta(minutes=10)


def test_without_a_watermark_every_window_reads_the_look_back():
    assert {low_of(kind, SETTINGS, NOW, None) for kind in ("poll", "sweep", "sync")} == {NOW - timedelta(days=4)}


@given(watermark=watermarks, kind=st.sampled_from(["poll", "sweep", "sync"]))
def test_no_window_begins_after_the_watermark(watermark, kind):
    assert low_of(kind, SETTINGS, NOW, watermark) <= watermark


@given(watermark=watermarks)
def test_a_sweep_never_begins_after_the_look_back(watermark):
    assert low_of("sweep", SETTINGS, NOW, watermark) <= NOW - timedelta(days=4)


def test_the_watermark_goes_to_p21s_now_less_the_settle_time():
    assert high_of(NOW, 60) == NOW - timedelta(minutes=1)


def test_sweeps_take_no_more_than_a_tenth_of_the_time():
    assert sweep_interval_seconds(EntityConfig(sweep_interval=3600), 1000) == 10_000
    assert sweep_interval_seconds(EntityConfig(sweep_interval=3600), 1) == 3600


def test_without_a_sweep_interval_each_poll_is_a_sweep():
    assert sweep_interval_seconds(EntityConfig(sweep_interval=0, poll_interval=60), 1) == 60
