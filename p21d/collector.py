"""Spares Python's garbage collector work that never finds anything: it took a third of the time of a first load.

The rows of a page are tens of thousands of objects without a cycle among them, which die with their page. What start-up
makes lives as long as the process: to look at it while it is made takes a tenth of a start.
"""

from __future__ import annotations

import gc

YOUNG_OBJECTS = 5_000
"""New objects that are not freed yet, before the collector looks at them. More would cost no less, and leave the cycles
of failed calls in memory for longer."""


def spare_collector() -> None:
    """Pass over everything that exists by now: before the engine is loaded, and again before it begins its work."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)
