"""A tap of the Singer SDK with a replication key, its messages into a file.

What an author of taps would write: a REST stream with typed properties, `$skip` and `$top` by the SDK's offset
paginator, `is_sorted` with the replication key, and the SDK's msgspec writer instead of its slower standard one.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

from requests import Response
from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.pagination import OffsetPaginator

from bench import data
from bench.peers import read_task, work

NUMBERS = ("list_price", "net_price", "weight", "volume")
WHOLE = ("item_uid", "category_id", "supplier_no", "lead_days")


def property_of(name: str) -> th.Property[Any]:
    """Declare a column."""
    if name == data.MODIFIED:
        return th.Property(name, th.DateTimeType)
    kind = th.NumberType if name in NUMBERS else th.IntegerType if name in WHOLE else th.StringType
    return th.Property(name, kind)


class Pages(OffsetPaginator):
    """Goes on until a page is empty."""

    def has_more(self, response: Response) -> bool:
        """Tell whether the page has rows, without decoding it a second time."""
        return not response.content.endswith(b'"value":[]}')


class Items(RESTStream[int]):
    """The table of items."""

    name = data.TABLE
    path = f"/{data.TABLE}"
    primary_keys = (data.KEY,)
    replication_key = data.MODIFIED
    is_sorted = True
    records_jsonpath = "$.value[*]"
    schema = th.PropertiesList(*map(property_of, data.WANTED)).to_dict()

    @property
    def url_base(self) -> str:
        """Return the address of the tables."""
        return f"{self.config['url']}/odataservice/odata/table"

    @property
    def authenticator(self) -> BearerTokenAuthenticator:
        """Return the token."""
        return BearerTokenAuthenticator(token="bench-token")

    def get_new_paginator(self) -> Pages:
        """Page by offset."""
        return Pages(0, self.config["page_rows"])

    def get_url_params(self, context: Mapping[str, Any] | None, next_page_token: int | None) -> dict[str, Any]:
        """Return the query of a page."""
        since = self.get_starting_replication_key_value(context)
        return {
            "$select": ",".join(data.WANTED),
            "$filter": f"{data.MODIFIED} ge {since}",
            "$orderby": f"{data.MODIFIED},{data.KEY}",
            "$top": self.config["page_rows"],
            "$skip": next_page_token or 0,
        }


class BenchTap(Tap):
    """The tap."""

    name = "tap-bench"
    message_writer_class = MsgSpecWriter
    config_jsonschema = th.PropertiesList(
        th.Property("url", th.StringType, required=True),
        th.Property("page_rows", th.IntegerType, default=1000),
        th.Property("start_date", th.DateTimeType),
    ).to_dict()

    def discover_streams(self) -> list[Items]:
        """Return the one stream."""
        return [Items(self)]


def main() -> None:
    """Run the tap with its standard output in a file, as `tap > file` would."""
    task = read_task()
    tap = BenchTap(config={"url": task.url, "page_rows": task.page_rows, "start_date": task.since})
    logging.disable(logging.INFO)
    said = os.dup(1)
    with work(said), (task.out / "singer.jsonl").open("wb") as file:
        os.dup2(file.fileno(), 1)
        tap.sync_all()


if __name__ == "__main__":
    main()
