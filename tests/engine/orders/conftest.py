"""The order writer between two doubles, over a store in a file and a clock that stands."""

from __future__ import annotations

from typing import Any

import pytest

from p21d.fake_clock import FakeClock
from tests.engine.orders.doubles import START, OrderWorld


@pytest.fixture
def orders(store: Any) -> OrderWorld:
    return OrderWorld(store, FakeClock(START))
