"""dlt: its REST API source, incremental by the stamp, to jsonl files in a folder.

What a user of dlt would set: pages by `$skip` and `$top` (its offset paginator), the cursor's start in `$filter`, the
key as primary key (so that rows met again at the cursor are left out), rows declared to come in the cursor's order,
column types declared rather than guessed, files not compressed, larger buffers, no telemetry, no progress output.
"""

from __future__ import annotations

import os

import dlt
from dlt.destinations import filesystem
from dlt.sources.rest_api import rest_api_source

from bench import data
from bench.peers import Task, read_task, work

SETTINGS = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "ERROR",
    "NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION": "true",
    "DATA_WRITER__BUFFER_MAX_ITEMS": "20000",
}
NUMBERS = ("list_price", "net_price", "weight", "volume")
WHOLE = ("item_uid", "category_id", "supplier_no", "lead_days")


def column_types() -> dict[str, dict[str, str]]:
    """Return the types of the columns in dlt's words."""
    types = {name: "double" if name in NUMBERS else "bigint" if name in WHOLE else "text" for name in data.WANTED}
    return {name: {"name": name, "data_type": kind} for name, kind in types.items()}


def source(task: Task) -> object:
    """Declare the source."""
    params = {
        "$select": ",".join(data.WANTED),
        "$orderby": f"{data.MODIFIED},{data.KEY}",
        "$filter": f"{data.MODIFIED} ge {{incremental.start_value}}",
    }
    paginator = {
        "type": "offset",
        "limit": task.page_rows,
        "offset_param": "$skip",
        "limit_param": "$top",
        "total_path": None,
    }
    endpoint = {
        "path": data.TABLE,
        "params": params,
        "data_selector": "value",
        "paginator": paginator,
        "incremental": {"cursor_path": data.MODIFIED, "initial_value": task.since, "row_order": "asc"},
    }
    resource = {
        "name": data.TABLE,
        "primary_key": data.KEY,
        "write_disposition": "append",
        "columns": column_types(),
        "endpoint": endpoint,
    }
    base_url = f"{task.url}/odataservice/odata/table/"
    client = {"base_url": base_url, "auth": {"type": "bearer", "token": "bench-token"}}
    return rest_api_source({"client": client, "resources": [resource]})


def main() -> None:
    """Run the pipeline once."""
    os.environ.update(SETTINGS)
    task = read_task()
    pipeline = dlt.pipeline(
        pipeline_name="bench",
        pipelines_dir=str(task.out / "state"),
        destination=filesystem(bucket_url=str(task.out / "files")),
        dataset_name="bench",
    )
    read = source(task)
    with work():
        pipeline.run(read, loader_file_format="jsonl").raise_on_failed_jobs()


if __name__ == "__main__":
    main()
