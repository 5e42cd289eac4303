"""Runs all entities of one connection, and stops them in order: drained first, cut off at the deadline."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import anyio

from p21d.config import Config
from p21d.configured import configured
from p21d.engine.connection import Connection
from p21d.engine.orders.context import NAME
from p21d.engine.orders.desk import OrdersDesk
from p21d.engine.plan import Plan, content_of
from p21d.engine.restart import Restartable
from p21d.engine.runner import Runner
from p21d.engine.waiting_time import WaitingTime
from p21d.errors import ConfigError
from p21d.mapping import fields_of
from p21d.prophet21.reading import Reading
from p21d.registry import Registry


class Supervisor:
    """The runners of one connection's enabled entities; `orders` where hub orders are written into P21, else None."""

    def __init__(self, connection: Connection, *, settle_seconds: float, orders: OrdersDesk | None = None) -> None:
        self.connection = connection
        self.orders = orders
        self._settle_seconds = settle_seconds
        self.runners: dict[str, Runner] = {
            name: self._new_runner(plan) for name, plan in connection.plans.items() if plan.settings.enabled
        }
        self._restartable = {
            name: Restartable(partial(self._run_entity, name), partial(self._renew, name)) for name in self.runners
        }
        if orders is not None:
            self._restartable[NAME] = Restartable(orders.run, orders.intake.begin_anew)
        self._scope = anyio.CancelScope()
        self._checking = anyio.CancelScope()
        self._ended = anyio.Event()

    async def run(self) -> None:
        """Run until `stop` has ended it; entities that a person paused stay paused."""
        for name, because in (await self.connection.store.read.paused.all()).items():
            if name in self.runners:
                self.runners[name].gate.pause(because)
        try:
            with self._scope:
                with self._checking:  # nothing is read before the store is known to be whole
                    await self.connection.store.until_checked()
                if self._checking.cancel_called:
                    return
                async with anyio.create_task_group() as beside:
                    beside.start_soon(WaitingTime(self.connection, lambda name: self.runners[name].gate.open).run)
                    async with anyio.create_task_group() as tasks:
                        for name, restartable in self._restartable.items():
                            tasks.start_soon(restartable.run, name=name)
                    beside.cancel_scope.cancel()
        finally:
            self._ended.set()

    def _new_runner(self, plan: Plan) -> Runner:
        return Runner(plan, self.connection, settle_seconds=self._settle_seconds)

    async def _run_entity(self, name: str) -> None:
        await self.runners[name].run()

    def _renew(self, name: str, because: str) -> None:
        """Put a new runner in the place of one that was cut off; a pause stays, and status says why it was begun."""
        old, new = self.runners[name], self._new_runner(self.connection.plans[name])
        new.gate.take_over(old.gate, because)
        self.runners[name] = new

    async def restart(self, owner: str, because: str, seconds: float) -> bool:
        """Begin an entity or the orders anew, alone; tell whether the old work has ended in that many seconds.

        Whatever cannot be begun anew alone has not; what drains ends by itself, or at the drain's deadline.
        """
        restartable = self._restartable.get(owner)
        if restartable is None:
            return False
        if owner in self.runners:
            self.runners[owner].cut_off()
        return await restartable.begin_anew(because, seconds)

    async def stop(self, deadline_seconds: float) -> bool:
        """Drain entities and orders; cut off what still runs at the deadline. Tell whether all ended by themselves."""
        self._checking.cancel()
        for runner in self.runners.values():
            runner.drain.request()
        if self.orders is not None:
            self.orders.context.drain.request()
        with anyio.move_on_after(deadline_seconds):
            await self._ended.wait()
            return True
        self.cut_off()
        await self._ended.wait()
        return False

    def cut_off(self) -> None:
        """End everything at once; what was in flight is looked up again after the next start."""
        self._scope.cancel()

    def runner(self, entity: str) -> Runner:
        """Return the runner of an enabled entity; raises ConfigError for any other name."""
        if entity in self.runners:
            return self.runners[entity]
        if entity in self.connection.plans:
            raise ConfigError("this entity is not enabled", path=f"entities.{entity}", hint="set enabled: true, reload")
        raise ConfigError(f"there is no entity {entity!r}", hint=f"entities are {', '.join(self.connection.plans)}")


def build_plans(config: Config, registry: Registry) -> dict[str, Plan]:
    """Return the plan of every registered entity, parents before their children."""
    parents = {
        parent
        for name, entity in registry.entities.items()
        if config.entity(name).enabled
        for parent in entity.parent_entities
    }
    plans: dict[str, Plan] = {}
    for name in parents_first(registry):
        settings = config.entity(name)
        entity = configured(registry.entities[name], settings)
        plans[name] = Plan(
            entity=entity,
            settings=settings,
            reading=Reading.of_entity(entity, config.prophet21.companies, settings.filter),
            plugin=registry.origin[name],
            content=content_of(registry.origin[name]),
            fields=fields_of(entity, settings),
            has_children=name in parents,
            mark=registry.orders.mark if registry.orders and registry.orders.entity == name else None,
        )
    return plans


def parents_first(registry: Registry) -> Iterable[str]:
    """Yield the names of all entities, required parents before children; registration has refused their cycles."""
    done: dict[str, None] = {}

    def visit(name: str) -> None:
        entity = registry.entities[name]
        for parent in entity.parent_entities:
            if parent not in done and parent not in entity.optional_parents:
                visit(parent)
        done[name] = None

    for name in registry.entities:
        if name not in done:
            visit(name)
    return done
