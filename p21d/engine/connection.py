"""A connection: one P21, one sink, and all that their entities share while they run. Nothing of it is global."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import anyio

from p21d.clock import Clock
from p21d.engine.claims import Claims
from p21d.engine.fuse import Fuse
from p21d.engine.health import RouteHealth
from p21d.engine.orders.matching import OrderMatch
from p21d.engine.pace import Pace
from p21d.engine.plan import Plan
from p21d.engine.refusals import Refusals
from p21d.engine.slots import Slots
from p21d.engine.watch import Watch
from p21d.prophet21.source import Prophet21
from p21d.sinks.port import Sink
from p21d.store.database import Store


@dataclass(kw_only=True, eq=False)
class Connection:
    """What every entity of one connection is given.

    `paces` holds how far each running cycle is, by entity and kind. `news` holds an event per entity that is replaced
    each time rows of that entity were released, or its rows are wanted as parents; `caught_up` one that is set when the
    entity's first window is completed.
    """

    name: str = "default"
    clock: Clock
    store: Store
    source: Prophet21
    sink: Sink
    slots: Slots
    batch_rows: int
    min_free_bytes: int = 0
    plans: Mapping[str, Plan]
    watch: Watch
    claims: Claims = field(default_factory=Claims)
    health: dict[str, RouteHealth] = field(default_factory=dict)
    refusals: dict[str, Refusals] = field(default_factory=dict)
    fuses: dict[str, Fuse] = field(default_factory=dict)
    paces: dict[tuple[str, str], Pace] = field(default_factory=dict)
    news: dict[str, anyio.Event] = field(default_factory=dict)
    caught_up: dict[str, anyio.Event] = field(default_factory=dict)
    moved: Counter[str] = field(default_factory=Counter)
    """Rows settled since the start, by entity."""
    orders: OrderMatch | None = None
    """Which rows are orders that were written for the sink; None where no plug-in maps orders."""
    steps: Callable[[str], None] | None = None
    """Called with the name of each durable step that was passed; the tests of a kill end the process there."""

    def __post_init__(self) -> None:
        for name, plan in self.plans.items():
            self.fuses[name] = Fuse(name, plan.plugin)
            self.health[name] = RouteHealth(self.clock)
            self.refusals[name] = Refusals(name)
            self.news[name] = anyio.Event()
            self.caught_up[name] = anyio.Event()

    def passed(self, step: str) -> None:
        """Say that a durable step was passed, or is about to be taken."""
        if self.steps is not None:
            self.steps(step)

    def announce(self, entity: str) -> None:
        """Tell the entity's release loop that the waiting room has something for it."""
        if entity in self.news:
            self.news[entity].set()
