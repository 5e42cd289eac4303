"""What the configuration file may say: one Struct per block, a field per key, with its default.

Three rules let a Struct declare a block without code (see blocks.py): a `float` is a duration in seconds, written
`30s` or `5m`; a `Size` is a number of bytes, written `200MB`; a `Secret` never shows itself. Loading is
config_file.py's, rules between keys are config_check.py's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from p21d.secret import Secret
from p21d.sizes import Size

Count = Annotated[int, Meta(ge=1)]
Interval = Annotated[float, Meta(ge=0.1)]
"""A duration that must not be 0: a poll every 0 s would be a busy loop."""
Days = Annotated[float, Meta(ge=0, le=36_500, extra={"unit": "days"})]
"""A number of days, not a duration: it is written `4`."""
Collision = Literal["", "error", "remap_and_link", "update_and_link", "update_and_no_link"]
"""What to do where a new record meets an existing one; empty: as the sink has it."""
DateLiteral = Literal["offset", "wall_z", "utc", "plain"]
"""How an instant is written into `$filter` (facts 3.6): server-local time with its offset, server-local time with `Z`,
true UTC with `Z`, server-local time without a zone."""

Moment = Annotated[str, Meta(extra={"unit": "date"})]
"""A day or an instant in ISO form; YAML's own dates are taken as well."""
OrderType = Literal["Order", "Shipment", "Invoice", "Hold", "Quote", "Ticket", "Return", "Validated Return", "Job"]
OrderStatus = Literal["Pending", "Complete", "Cancelled", "Shipped", "Backorder", "Partial Refunded", "Refunded"]
"""The hub's words for a transaction (ipaas facts 3.4)."""


class Prophet21Config(Struct, frozen=True, kw_only=True):
    """Where P21 is, who p21d is there, and how hard it may ask."""

    api_url: str
    username: str = ""
    password: Secret | None = None
    consumer_key: Secret | None = None
    time_zone: str = ""
    time_zone_offset: str = ""
    companies: tuple[str, ...] = ()
    concurrent_requests: Count = 4
    settle: float = 60.0
    page_rows: Annotated[int, Meta(ge=1, le=10_000)] = 1000
    ca_file: str | None = None
    timeout: Interval = 120.0
    date_literal: DateLiteral = "offset"
    ui_server_url: str = ""


class EntityConfig(Struct, frozen=True, kw_only=True):
    """How one entity is read and delivered; an entity that is not named has all defaults.

    `options` stays a dict, since each plug-in declares its own (see configured.py).
    """

    enabled: bool = True
    poll_search_days: Days = 4
    poll_interval: Interval = 300.0
    overlap: float = 600.0
    sweep_interval: float = 3600.0
    full_sweep_interval: float | None = None
    max_wait: float = 86_400.0
    filter: str = ""
    columns: tuple[str, ...] = ()
    fields: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    external_id: str = ""
    collision: Collision = ""
    match_first: bool = False


class OrdersConfig(Struct, frozen=True, kw_only=True):
    """How orders of the hub are written into P21; `defaults` are the mapping plug-in's own.

    `reference` renders the text in `reference_field` from `{ref}` and `{buyer_po}`.
    """

    enabled: bool = False
    not_before: Moment = ""
    poll_interval: Interval = 60.0
    types: tuple[OrderType, ...] = ("Order",)
    statuses: tuple[OrderStatus, ...] = ("Pending",)
    settle: Annotated[float, Meta(ge=60)] = 600.0
    max_per_hour: Count = 200
    concurrent_writes: Count = 1
    sole_writer: bool = False
    reference: str = "{buyer_po} {ref}"
    reference_field: str = "po_no"
    defaults: dict[str, Any] = field(default_factory=dict)


class StoreConfig(Struct, frozen=True, kw_only=True):
    """Where the store is, and how much free disk stops the reading."""

    path: Path = Path("/var/lib/p21d/p21d.db")
    min_free: Size = 200_000_000


class ControlConfig(Struct, frozen=True, kw_only=True):
    """Where the control socket is."""

    socket: Path = Path("/run/p21d/control.sock")


class LogConfig(Struct, frozen=True, kw_only=True):
    """What is logged; `auto` is console at a terminal and JSON lines elsewhere."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"


class Settings(Struct, frozen=True, kw_only=True):
    """Every key of the file.

    `sink` stays a dict with its references resolved, since each sink type converts it into its own options, as does
    `orders.defaults` for the mapping.
    """

    prophet21: Prophet21Config
    sink: dict[str, Any]
    concurrent_batch_executions: Count = 10
    batch_rows: Annotated[int, Meta(ge=1, le=10_000)] = 100
    entities: dict[str, EntityConfig] = field(default_factory=dict)
    orders: OrdersConfig = field(default_factory=OrdersConfig)
    store: StoreConfig = field(default_factory=StoreConfig)
    control: ControlConfig = field(default_factory=ControlConfig)
    plugin_dirs: tuple[Path, ...] = ()
    log: LogConfig = field(default_factory=LogConfig)


class Config(Settings, frozen=True, kw_only=True):
    """The settings, and what is known about the file they came from.

    `warnings` are for the operator; `secrets` holds every credential in it, for the log's redactor.
    """

    source: Path
    warnings: tuple[str, ...] = ()
    secrets: tuple[Secret, ...] = ()

    def entity(self, name: str) -> EntityConfig:
        """Return the settings of an entity; all defaults where it is not named."""
        return self.entities.get(name, EntityConfig())
