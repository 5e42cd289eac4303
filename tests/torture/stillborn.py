"""A daemon that ends at once."""

from __future__ import annotations

import sys

sys.stderr.write("no daemon at all\n")
sys.exit(3)
