"""Which orders of the hub may become orders of P21 by themselves: the guards of the inbox, in their order.

The first guard that speaks decides. What is ours is never written, whoever asks for it; what only the settings keep out
is written when a person asks for it by name. Nothing here reads or writes anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from p21d.config import OrdersConfig, Prophet21Config
from p21d.errors import ConfigError
from p21d.order import HubOrder

OWNED = "ours: our own subscription owns it"
CARRIES_ID = "ours: it carries an external id of ours"
KNOWN_LINK = "ours: its link is known here"
OUR_NUMBER = "ours: its number is that of a record of ours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the settings admit; `not_before_said` is the setting as it was written."""

    types: Sequence[str]
    statuses: Sequence[str]
    not_before: datetime
    not_before_said: str

    @property
    def by_type(self) -> str:
        """Return the rule about types in words; a reason that ends with another one is of older settings."""
        return f"(orders.types: {', '.join(self.types)})"

    @property
    def by_status(self) -> str:
        """Return the rule about statuses in words."""
        return f"(orders.statuses: {', '.join(self.statuses)})"

    @property
    def by_age(self) -> str:
        """Return the rule about age in words."""
        return f"(orders.not_before: {self.not_before_said})"

    def made(self, reason: str) -> bool:
        """Tell whether a reason was given by these very rules, or by none of them."""
        return "(orders." not in reason or reason.endswith((self.by_type, self.by_status, self.by_age))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known here of a hub order: `linked` a link with its id, `numbered` a record of ours with its number."""

    system_id: int
    linked: bool = False
    numbered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Why an order is left alone.

    `ours`: no person can send it either. `may_pass`: the reason may be gone later, so it is looked at again by itself.
    """

    reason: str
    ours: bool = False
    may_pass: bool = False


def judge(order: HubOrder, known: Known, rules: Rules) -> Left | None:
    """Return why the order is left alone, None where it is admitted."""
    return is_ours(order, known) or is_kept_out(order, rules)


def is_ours(order: HubOrder, known: Known) -> Left | None:
    """Return why the order is one that came from P21, None where it is not."""
    if order.system_id == known.system_id:
        return Left(reason=OWNED, ours=True)
    if order.our_external_id:
        return Left(reason=CARRIES_ID, ours=True)
    if known.linked:
        return Left(reason=KNOWN_LINK, ours=True)
    if known.numbered:
        # a web shop's numbers may meet P21's: where the hub says that another system owns it, a person may know better
        return Left(reason=OUR_NUMBER, ours=order.system_id is None)
    return None


def is_kept_out(order: HubOrder, rules: Rules) -> Left | None:
    """Return which setting keeps the order out, None where none does; lines and addresses are the mapping's affair."""
    if not is_one_of(order.type, rules.types):
        return Left(reason=f"its type is {order.type or 'not given'} {rules.by_type}")
    if not is_one_of(order.status, rules.statuses):
        return Left(reason=f"its status is {order.status or 'not given'} {rules.by_status}", may_pass=True)
    if order.created_at is None:
        return Left(reason=f"it has no date of creation {rules.by_age}")
    if order.created_at < rules.not_before:
        return Left(reason=f"it was created before {rules.by_age}")
    return None


def is_one_of(word: str, words: Sequence[str]) -> bool:
    """Tell whether the hub's word is one of these, without case and blanks."""
    return word.strip().casefold() in {one.strip().casefold() for one in words}


def rules_of(orders: OrdersConfig, prophet21: Prophet21Config) -> Rules:
    """Return what the settings admit; raises ConfigError where `orders.not_before` is no date."""
    return Rules(
        types=orders.types,
        statuses=orders.statuses,
        not_before=beginning(orders.not_before, prophet21),
        not_before_said=orders.not_before,
    )


def beginning(said: str, prophet21: Prophet21Config) -> datetime:
    """Return the instant of `orders.not_before`; raises ConfigError.

    A day begins at midnight where P21 stands, as whoever writes the setting means it: in `prophet21.time_zone`, else at
    `prophet21.time_zone_offset`. An instant with its own offset is taken as it is.
    """
    path, hint = "orders.not_before", "a day such as 2026-12-01: orders created before it are left alone"
    if not said:
        raise ConfigError("is required where orders are enabled", path=path, hint=hint)
    try:
        instant = datetime.fromisoformat(said)
    except ValueError as error:
        raise ConfigError("is not a date", path=path, hint=hint) from error
    if instant.tzinfo is not None:
        return instant
    if prophet21.time_zone:
        return instant.replace(tzinfo=ZoneInfo(prophet21.time_zone))
    return instant.replace(tzinfo=datetime.strptime(prophet21.time_zone_offset or "+00:00", "%z").tzinfo)
