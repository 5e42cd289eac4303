"""What happens in one run and when: a plain list, drawn from a seed, the same for the same seed and length.

What chance decides later (which request a fault meets) is drawn from seeds that stand in the schedule. The daemon's
own timing is not: a seed replays the same schedule of faults, not the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, Self

import msgspec

from p21d.sandbox.fault import Fault
from p21d.torture.catalogue import CATALOGUE, Side
from p21d.torture.wanted import ENTITIES

ORDERS = 20
FIRST_EVENT_SECONDS = 0.5
WIDE_DAYS = 3650
LIFE_SECONDS = 0.3
"""How often something changes at the distributor's."""
HURRY_SECONDS = 1.5
"""How often an administrator resumes what is held, so that a hold does not outlast the run."""


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happens `at` seconds after the start; one that lasts ends after `seconds`.

    `what`: `life` (a tick of the distributor's), `orders` (`count` are placed in the hub, drawn from `seed`), `fault`
    (on a `side`), `down` (a side refuses connections), `tokens` (a side forgets all it gave out), `setting` (of a
    side, `values` for a time), `kill` (SIGKILL and a new start), `stop` (SIGTERM and a new start), `reload` (with
    `values` of the configuration), `pause` (an `entity` for a time), `hurry` (all that is held is resumed).
    """

    at: float
    what: str
    seconds: float = 0.0
    side: Side | None = None
    fault: Fault | None = None
    count: int = 0
    seed: int = 0
    entity: str = ""
    values: dict[str, Any] = {}

    def __str__(self) -> str:
        said = msgspec.to_builtins(self)
        fault = said.pop("fault", {})
        rest = [f"{name}={value}" for name, value in said.items() if name not in ("at", "what", "seconds", "side")]
        rest += [f"{name}={value}" for name, value in fault.items() if name != "kind"]
        lasting = f" for {self.seconds:.1f} s" if self.seconds else ""
        kind = f" {fault['kind']}" if fault else ""
        side = f" {self.side}" if self.side else ""
        return f"{self.at:7.2f} s  {self.what}{side}{kind}{lasting}" + "".join(f" {text}" for text in rest)


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """One run: the world as it starts, and the events in their order.

    `caught_up`: the trouble begins once the daemon is in step, else with its first start. `look_back_days` is tiny in
    most runs: then only watermarks and triggers bring changes, and no sweep repairs what a window has lost.
    """

    seed: int
    seconds: float
    rows: int
    caught_up: bool
    look_back_days: float
    page_rows: int
    batch_rows: int
    events: tuple[Event, ...]

    @classmethod
    def of(cls, seed: int, seconds: float) -> Self:
        """Return the schedule of a seed."""
        dice = Random(seed)
        caught_up = dice.random() < 0.6
        look_back = WIDE_DAYS if dice.random() < 0.3 else 0.0
        world = {
            "rows": dice.randrange(30, 60),
            "page_rows": dice.choice((7, 20, 1000)),
            "batch_rows": dice.choice((3, 10, 100)),
        }
        events = sorted(_events(dice, seconds), key=lambda event: event.at)
        return cls(
            seed=seed,
            seconds=seconds,
            caught_up=caught_up,
            look_back_days=look_back,
            events=tuple(events),
            **world,
        )

    @property
    def orders(self) -> int:
        """Return how many orders are placed in the hub."""
        return sum(event.count for event in self.events if event.what == "orders")

    def lines(self) -> Iterator[str]:
        """Yield the schedule as text."""
        start = "once all is in step" if self.caught_up else "with the first start"
        yield f"seed {self.seed}: {self.seconds:g} s of trouble, which begins {start}"
        pages = f"pages of {self.page_rows} rows, batches of {self.batch_rows}"
        yield f"{self.rows} items, look-back {self.look_back_days:g} d, {pages}"
        yield from map(str, self.events)


def _events(dice: Random, seconds: float) -> Iterator[Event]:
    yield from _regular("life", LIFE_SECONDS, seconds)
    yield from _regular("hurry", HURRY_SECONDS, seconds)
    yield from _orders(dice, seconds)
    for _ in range(max(4, round(seconds * 1.5))):
        yield _fault(dice, seconds)
    for what, rate in (("kill", 0.2), ("stop", 0.05), ("tokens", 0.15), ("down", 0.1), ("reload", 0.1)):
        for _ in range(_count(dice, seconds * rate)):
            yield _incident(dice, what, seconds)
    for what, rate in (("pause", 0.1), ("setting", 0.15)):
        for _ in range(_count(dice, seconds * rate)):
            yield _incident(dice, what, seconds)


def _regular(what: str, every: float, seconds: float) -> Iterator[Event]:
    for number in range(1, int(seconds / every) + 1):
        yield Event(at=round(number * every, 2), what=what)


def _orders(dice: Random, seconds: float) -> Iterator[Event]:
    left = ORDERS
    while left:
        count = min(left, dice.randrange(1, 5))
        left -= count
        # none in the first quarter: a buyer needs something to buy
        yield Event(at=_moment(dice, seconds / 4, seconds), what="orders", count=count, seed=_seed(dice))


def _fault(dice: Random, seconds: float) -> Event:
    scripted = dice.choice(CATALOGUE)
    probability = round(dice.uniform(scripted.least, scripted.most), 3)
    fault = msgspec.structs.replace(scripted.fault, probability=probability, seed=_seed(dice))
    at, lasts = _moment(dice, 0, seconds), round(dice.uniform(1, max(2, seconds / 3)), 2)
    return Event(at=at, what="fault", side=scripted.side, fault=fault, seconds=lasts)


def _incident(dice: Random, what: str, seconds: float) -> Event:
    event = Event(at=_moment(dice, FIRST_EVENT_SECONDS, seconds), what=what)
    match what:
        case "tokens":
            return _with(event, side=_side(dice))
        case "down":
            return _with(event, side=_side(dice), seconds=round(dice.uniform(0.3, 2), 2))
        case "reload":
            return _with(event, values={"batch_rows": dice.choice((3, 10, 100))})
        case "pause":
            return _with(event, entity=dice.choice(ENTITIES), seconds=round(dice.uniform(0.5, 3), 2))
        case "setting":
            side, values = dice.choice(SETTINGS)
            return _with(event, side=side, values=values, seconds=round(dice.uniform(1, 3), 2))
        case _:
            return event


SETTINGS: tuple[tuple[Side, dict[str, Any]], ...] = (
    ("p21", {"repeat_last_row": True}),
    ("p21", {"page_cap": 5}),
    ("p21", {"mint_kills_older": True}),
    ("p21", {"sessions": 0, "session_wait_seconds": 0.2}),
    ("p21", {"save_seconds": 0.5}),
    ("hub", {"link_lost_next": 2}),
    ("hub", {"token_dies_every": 40}),
    ("hub", {"limit_calls": 20, "limit_seconds": 1.0}),
)
"""Ways of the two systems that are theirs for a time: a row told twice, a page cut short, no session free."""


def _with(event: Event, **changes: Any) -> Event:
    return msgspec.structs.replace(event, **changes)


def _side(dice: Random) -> Side:
    return "p21" if dice.random() < 0.5 else "hub"


def _count(dice: Random, mean: float) -> int:
    """Return a number around the mean, seldom none."""
    return round(dice.uniform(0.5, 1.5) * mean)


def _moment(dice: Random, low: float, high: float) -> float:
    return round(dice.uniform(low, high), 2)


def _seed(dice: Random) -> int:
    return dice.randrange(1_000_000)
