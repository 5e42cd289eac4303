"""Binds a store to its P21 and its sink, so that links of one hub are never taken for those of another.

A store that remembers nothing yet takes any binding: a mistyped address at the first start needs no ceremony. Later
only `p21d rebind` changes it, because only a person knows whether it is the same system under another name.
"""

from __future__ import annotations

from typing import NamedTuple

import structlog

from p21d.clock import Clock
from p21d.config import Config, Prophet21Config
from p21d.errors import ConfigError
from p21d.http import plain_address
from p21d.sinks.port import Sink
from p21d.store.binding import Bound
from p21d.store.database import Store

log = structlog.get_logger("p21d.binding")

HINT = (
    "set it back; or stop p21d and run `p21d rebind --keep-links` where it is the same system under another name, "
    "`p21d rebind --drop-links` to begin anew with another"
)


class Identity(NamedTuple):
    """What a store is bound to, as text without secrets; two texts differ where the systems may differ."""

    prophet21: str
    sink: str


def identity_of(config: Config, sink: Sink) -> Identity:
    """Return the identity of a configuration's two systems."""
    return Identity(prophet21_identity(config.prophet21), sink.identity())


def prophet21_identity(prophet21: Prophet21Config) -> str:
    """Return address and companies, in no particular order."""
    return f"{plain_address(prophet21.api_url)} companies {', '.join(sorted(prophet21.companies)) or 'all'}"


async def check_binding(store: Store, identity: Identity) -> Bound | None:
    """Return the binding if it is this one, None where the store may be bound; raises ConfigError where it may not."""
    bound = await store.read.binding.present()
    if bound is not None and (bound.prophet21, bound.sink) == identity:
        return bound
    if bound is not None and not await store.read.binding.holds_nothing():
        raise _refusal(store, bound, identity)
    return None


async def bind(store: Store, identity: Identity, clock: Clock) -> None:
    """Bind a store that is not bound or remembers nothing; raises ConfigError where it is bound otherwise."""
    bound = await check_binding(store, identity)
    if bound is None:
        bound = Bound(prophet21=identity.prophet21, sink=identity.sink, at=clock.now(), by="the first start")
        async with store.transaction() as tables:
            await tables.binding.bind(bound)
    log.info("bound", prophet21=bound.prophet21, sink=bound.sink, since=bound.at, by=bound.by)


async def rebind(store: Store, identity: Identity, clock: Clock, *, drop_links: bool) -> dict[str, int]:
    """Bind the store anew in one transaction; return how many rows of which table were touched."""
    before = await store.read.binding.present()
    by = "p21d rebind --drop-links" if drop_links else "p21d rebind --keep-links"
    async with store.transaction() as tables:
        if drop_links:
            because = f"{by}: of another P21 or sink"
            other_p21 = before is None or address_of(before.prophet21) != address_of(identity.prophet21)
            touched = await tables.binding.forget_all(because, clock.now(), other_p21=other_p21)
        else:
            touched = {"delivered": await tables.binding.forget_fingerprints()}
        now = clock.now()
        await tables.binding.bind(Bound(prophet21=identity.prophet21, sink=identity.sink, at=now, by=by))
    old = {"prophet21_before": before.prophet21, "sink_before": before.sink} if before else {}
    log.warning("rebound", by=by, prophet21=identity.prophet21, sink=identity.sink, **old, touched=touched)
    return touched


def _refusal(store: Store, bound: Bound, identity: Identity) -> ConfigError:
    if bound.sink != identity.sink:
        path, was, now = "sink", bound.sink, identity.sink
    else:
        same_address = address_of(bound.prophet21) == address_of(identity.prophet21)
        path = "prophet21.companies" if same_address else "prophet21.api_url"
        was, now = bound.prophet21, identity.prophet21
    return ConfigError(f"the store {store.path} belongs to {was}, not to {now}", path=path, hint=HINT)


def address_of(prophet21: str) -> str:
    """Return the address in the identity of a P21, without the companies."""
    return prophet21.split(maxsplit=1)[0]
