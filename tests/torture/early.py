"""A daemon with a planted bug: its watermarks go six seconds ahead of what was read."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta

from p21d.store.checkpoint import Checkpoints
from p21d.torture.daemon import main

move = Checkpoints.move_watermark


async def move_too_far(self: Checkpoints, entity: str, at: datetime, text: str) -> None:
    await move(self, entity, at + timedelta(seconds=6), text)


Checkpoints.move_watermark = move_too_far

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
