"""`p21d sandbox`: a Prophet 21 and a hub to try p21d against."""

from __future__ import annotations

import signal
import sys
import tempfile
from pathlib import Path

import anyio
import click


@click.command()
@click.option("--port", default=8021, show_default=True, help="Port of the P21; 0 takes a free one.")
@click.option("--hub-port", default=8022, show_default=True, help="Port of the hub; 0 takes a free one.")
@click.option("--rows", default=1000, show_default=True, help="Items; every other table grows with them.")
@click.option("--seed", default=1, show_default=True, help="Same seed, same data.")
@click.option("--tick", default=0.0, metavar="SECONDS", help="Let something change this often; 0: never by itself.")
@click.option("--faults", type=click.Path(path_type=Path, exists=True), help="A YAML file of scripted faults.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where the printed configuration puts its files.")
def sandbox(
    port: int, hub_port: int, rows: int, seed: int, tick: float, faults: Path | None, folder: Path | None
) -> None:
    """Serve both simulators on 127.0.0.1 and print a ready-to-use configuration.

    /_sandbox/requests, /_sandbox/counters, /_sandbox/settings and /_sandbox/faults on each show what was received and
    set faults. Ends with Ctrl-C.
    """
    anyio.run(_serve, port, hub_port, rows, seed, tick, faults, folder)


async def _serve(
    port: int, hub_port: int, rows: int, seed: int, tick: float, faults: Path | None, folder: Path | None
) -> None:
    from p21d.sandbox.faults import load_faults  # noqa: PLC0415  # no other command needs the simulators
    from p21d.sandbox.serve import serve  # noqa: PLC0415

    plan = load_faults(faults) if faults else None
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as received:
        async with serve(rows=rows, seed=seed, port=port, hub_port=hub_port, tick_seconds=tick, faults=plan) as served:
            folder = folder or Path(tempfile.mkdtemp(prefix="p21d-sandbox-"))
            click.echo(served.config(folder))
            click.echo(
                f"P21 at {served.p21_url}, hub at {served.hub_url}; save the lines above as sandbox.yaml", err=True
            )
            click.echo("and run: p21d --config sandbox.yaml run", err=True)
            sys.stdout.flush()
            await anext(aiter(received))
