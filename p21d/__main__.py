"""`python -m p21d` is the same as `p21d`."""

from __future__ import annotations

import sys

from p21d.cli import main

sys.exit(main())
