"""An Airbyte CDK declarative source with a datetime cursor, its messages into a file.

What an author of low-code connectors would write: OffsetIncrement over `$skip` and `$top`, a DatetimeBasedCursor cut
into days so that the CDK's concurrent reader has partitions to read side by side, four at once, and a schema. It runs
by the CDK's own entrypoint, as `source-declarative-manifest read` does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from airbyte_cdk.cli.source_declarative_manifest._run import create_declarative_source
from airbyte_cdk.entrypoint import launch

from bench import data
from bench.peers import Task, read_task, work

NUMBERS = ("list_price", "net_price", "weight", "volume")
WHOLE = ("item_uid", "category_id", "supplier_no", "lead_days")
STAMP = "%Y-%m-%dT%H:%M:%S.%_ms+00:00"


def manifest(task: Task) -> dict[str, Any]:
    """Return the manifest as a connector's file has it."""
    between = (
        f"({data.MODIFIED} ge {{{{ stream_interval.start_time }}}}) and "
        f"({data.MODIFIED} le {{{{ stream_interval.end_time }}}})"
    )
    requester = {
        "type": "HttpRequester",
        "url_base": f"{task.url}/odataservice/odata/table/",
        "path": data.TABLE,
        "http_method": "GET",
        "authenticator": {"type": "BearerAuthenticator", "api_token": "bench-token"},
        "request_parameters": {
            "$select": ",".join(data.WANTED),
            "$orderby": f"{data.MODIFIED},{data.KEY}",
            "$filter": between,
        },
    }
    retriever = {
        "type": "SimpleRetriever",
        "requester": requester,
        "record_selector": {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": ["value"]}},
        "paginator": {
            "type": "DefaultPaginator",
            "page_token_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "$skip"},
            "page_size_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "$top"},
            "pagination_strategy": {"type": "OffsetIncrement", "page_size": task.page_rows},
        },
    }
    stream = {
        "type": "DeclarativeStream",
        "name": data.TABLE,
        "primary_key": [data.KEY],
        "retriever": retriever,
        "incremental_sync": cursor(task),
        "schema_loader": {"type": "InlineSchemaLoader", "schema": schema()},
    }
    return {
        "version": "7.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": [data.TABLE]},
        "streams": [stream],
        "concurrency_level": {"type": "ConcurrencyLevel", "default_concurrency": 4},
        "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}},
    }


def cursor(task: Task) -> dict[str, Any]:
    """Return the cursor: one partition a day, from the instant asked for until now."""
    return {
        "type": "DatetimeBasedCursor",
        "cursor_field": data.MODIFIED,
        "datetime_format": STAMP,
        "cursor_datetime_formats": ["%Y-%m-%dT%H:%M:%S.%_ms%z"],
        "start_datetime": task.since,
        "step": "P1D",
        "cursor_granularity": "PT0.001S",
    }


def schema() -> dict[str, Any]:
    """Return the JSON schema of a row."""
    kinds = {name: "number" if name in NUMBERS else "integer" if name in WHOLE else "string" for name in data.WANTED}
    return {"type": "object", "properties": {name: {"type": ["null", kind]} for name, kind in kinds.items()}}


def write_files(task: Task) -> Iterator[str]:
    """Write the files of a connector and yield the command line for them."""
    stream = {
        "name": data.TABLE,
        "json_schema": schema(),
        "supported_sync_modes": ["full_refresh", "incremental"],
        "source_defined_cursor": True,
    }
    synced = {"stream": stream, "sync_mode": "incremental", "destination_sync_mode": "append"}
    files = {"config": {"__injected_declarative_manifest": manifest(task)}, "catalog": {"streams": [synced]}}
    yield "read"
    for name, content in files.items():
        file = task.out / f"{name}.json"
        file.write_text(json.dumps(content))
        yield f"--{name}"
        yield str(file)


def main() -> None:
    """Run the source with its standard output in a file, as `source read ... > file` would."""
    task = read_task()
    command = list(write_files(task))
    source = create_declarative_source(command)
    said = os.dup(1)
    with work(said), (task.out / "airbyte.jsonl").open("wb") as file:
        os.dup2(file.fileno(), 1)
        launch(source, command)


if __name__ == "__main__":
    main()
