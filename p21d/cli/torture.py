"""`p21d torture`: the sandbox with seeded faults against a daemon process, and whether every promise was kept."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import click

from p21d.cli.ending import end
from p21d.cli.loop import run
from p21d.cli.output import json_option, print_json, words, wrapped
from p21d.clock import SystemClock
from p21d.errors import Unavailable

if TYPE_CHECKING:
    from p21d.torture.run import Outcome
    from p21d.torture.schedule import Schedule

SHORTEST_SECONDS = 2


@click.command()
@click.option("--seeds", default=10, show_default=True, type=click.IntRange(1), help="Run the seeds 1 to N.")
@click.option("--seed", type=int, help="Run only this one.")
@click.option(
    "--seconds",
    default=20.0,
    show_default=True,
    type=click.FloatRange(SHORTEST_SECONDS),
    help="How long trouble lasts in each run.",
)
@click.option("--show", is_flag=True, help="Print what would happen and when, and end.")
@click.option("--daemon", "driver", default="", hidden=True, help="The module that is run as the daemon.")
@json_option
def torture(seeds: int, seed: int | None, seconds: float, show: bool, driver: str, as_json: bool) -> None:
    """Try to break p21d's promises: faults, outages, kills and orders, all drawn from a seed.

    Runs a P21, a hub and a daemon on this machine, with no configuration; then every record of both sides is compared.
    Exit code 1 when anything is lost, doubled or broken; then the log and store of that run are kept. The same seed
    replays the same schedule of faults.
    """
    from p21d.torture.process import DRIVER  # noqa: PLC0415  # no other command needs the simulators
    from p21d.torture.report import report, summary  # noqa: PLC0415
    from p21d.torture.schedule import Schedule  # noqa: PLC0415

    chosen = [Schedule.of(number, seconds) for number in ([seed] if seed is not None else range(1, seeds + 1))]
    if show:
        click.echo("\n".join(line for schedule in chosen for line in schedule.lines()))
        return
    found = report([_run(schedule, driver or DRIVER) for schedule in chosen])
    if as_json:
        print_json(found)
    else:
        click.echo(summary(found))
    if found.failed:
        end(1)


def _run(schedule: Schedule, driver: str) -> Outcome:
    """Run one seed and say how it ended; the folder of a good run is removed."""
    from p21d.torture.run import torture as played  # noqa: PLC0415

    folder: Path | None = None
    outcome: Outcome | None = None
    try:
        folder = Path(tempfile.mkdtemp(prefix="p21d-torture-"))
        play = partial(played, schedule, folder, SystemClock(), driver=driver)
        outcome = run(_until_told, play)
    except OSError as error:
        hint = "it needs a port on 127.0.0.1, room in the temporary folder, and the daemon's own Python"
        raise Unavailable(f"torture cannot run here: {error.strerror or error}", system="torture", hint=hint) from error
    finally:
        if folder is not None and (outcome is None or outcome.good):
            shutil.rmtree(folder, ignore_errors=True)
    _tell(outcome, schedule)
    return outcome


def _tell(outcome: Outcome, schedule: Schedule) -> None:
    from p21d.torture.report import failure_lines, run_line, told_lines  # noqa: PLC0415

    words(run_line(outcome))
    for line in told_lines(outcome):
        words(wrapped(line, indent=2))
    if outcome.good:
        outcome.folder = ""
        return
    for line in failure_lines(outcome, length_seconds=schedule.seconds):
        words(wrapped(line))


async def _until_told(play: Callable[[], Awaitable[Outcome]]) -> Outcome:
    """Run to the end; SIGTERM ends it as Ctrl-C does, and no daemon is left behind."""
    async with anyio.create_task_group() as tasks:

        async def end_early() -> None:
            with anyio.open_signal_receiver(signal.SIGTERM) as received:
                await anext(aiter(received))
                tasks.cancel_scope.cancel()

        tasks.start_soon(end_early)
        outcome = await play()
        tasks.cancel_scope.cancel()
        return outcome
    raise click.Abort
