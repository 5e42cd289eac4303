"""Torture: a living distributor, seeded faults and deaths, then a comparison of both sides. Knows no engine."""
